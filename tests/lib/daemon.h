/* daemon: the real socks5d binary as a child process, its log, and its end. */
#ifndef TESTS_DAEMON_H
#define TESTS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tmp.h"

#define DAEMON_MAX_FLAGS 40
#define DAEMON_MAX_HANDED 16

/* A descriptor that it is handed over, as by a service manager; ours from 100 on. */
struct daemon_handed {
	int fd;
	const char *name;
};

struct daemon {
	pid_t pid;
	uint16_t port; /* of its first listener */
	uint16_t monitor_port;
	char folder[TMP_MAX_PATH]; /* a temporary folder of its own */
	char config[TMP_MAX_PATH + 8]; /* a file in it, which need not exist */
	char users[TMP_MAX_PATH + 8]; /* another */
	bool drains; /* live sessions may finish when it stops, as a flag says */
	unsigned open_files; /* its limit, soft and hard; 0: ours */
	const struct daemon_handed *handed; /* NULL: nothing */
	size_t handed_count;
	struct daemon_log *log;
};

/* Can it be confined and still be what it was built for? Who looks for leaks at the end traces the
 * process from another one (AddressSanitizer), and such a build runs with `sandbox` off. */
bool daemon_is_confined(void);

/* Makes the folder. Then files can be written into it, and the daemon be launched. */
void daemon_prepare(struct daemon *d);

/* Starts the binary that the environment variable SOCKS5D names on a port of the kernel's choice of
 * 127.0.0.1, with a small pool, and the flags given, up to NULL; they win. Waits until it listens.
 */
void daemon_launch(struct daemon *d, const char *const flags[]);

/* Both in one. */
void daemon_start(struct daemon *d, const char *const flags[]);

/* Runs the binary with exactly these flags to its end; its exit status. What it printed goes to
 * `output`. */
int daemon_run(const char *const flags[], char *output, size_t size);

/* The same with what `d` is handed over. */
int daemon_run_handed(const struct daemon *d, const char *const flags[], char *output, size_t size);

void daemon_write_file(const char *path, const char *text);

/* Has it read its files again (SIGHUP), and waits until a line of the log behind that has
 * `expected` in it: a copy, which stays valid as that of daemon_wait_log() does. The second one
 * puts `text` into its file, `config`, first. */
const char *daemon_reload(struct daemon *d, const char *expected);
const char *daemon_reload_with(struct daemon *d, const char *text, const char *expected);

/* Puts this into its file, `config`, which it was launched with, and has it reload. */
void daemon_use_config(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Waits until a line of the log has `text` in it; the first of them at or behind position `*from`,
 * which then moves behind it. NULL starts at the beginning and is not kept. Returns a copy of the
 * line that stays valid until the next call. */
const char *daemon_wait_log(struct daemon *d, size_t *from, const char *text);

/* Where the log ends at the moment. */
size_t daemon_log_end(struct daemon *d);

bool daemon_log_has(struct daemon *d, const char *text);

/* A number of its statistics (SIGUSR1), by name; and waiting until it has at least that value, or
 * is 0: what a session holds it gives back somewhat behind being counted as ended. */
long daemon_stat(struct daemon *d, const char *name);
void daemon_wait_stat(struct daemon *d, const char *name, long at_least);
void daemon_wait_none(struct daemon *d, const char *name);

void daemon_signal(struct daemon *d, int number);

/* Waits for the process to end: its exit status, -1 for a death by signal. */
int daemon_wait_exit(struct daemon *d);

/* Waits for the process to end by the signal that it was sent: the status of waitpid(2). */
int daemon_wait_death(struct daemon *d);

/* TERM, a second signal if it drains, the end awaited, status 0 asserted, the folder removed. */
void daemon_stop(struct daemon *d);

/* Removes the folder after daemon_wait_exit(). */
void daemon_clean_up(struct daemon *d);

/* User and system time of the process so far, in milliseconds. */
long daemon_cpu_ms(const struct daemon *d);

/* Resident memory in kB, and open descriptors. */
long daemon_rss_kb(const struct daemon *d);
long daemon_open_files(const struct daemon *d);

#endif
