#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net.h"

extern char **environ;

/* A thread drains the daemon's standard error, so that its writers never block on us. */
struct daemon_log {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t grown;
	int fd;
	char *text;
	size_t len;
	bool ended;
	char line[8192];
};

static void *drain(void *arg)
{
	struct daemon_log *log = arg;
	char bytes[4096];
	ssize_t n;

	while ((n = read(log->fd, bytes, sizeof(bytes))) > 0) {
		pthread_mutex_lock(&log->lock);
		log->text = realloc(log->text, log->len + (size_t)n + 1);
		memcpy(log->text + log->len, bytes, (size_t)n);
		log->len += (size_t)n;
		log->text[log->len] = '\0';
		pthread_cond_broadcast(&log->grown);
		pthread_mutex_unlock(&log->lock);
	}
	pthread_mutex_lock(&log->lock);
	log->ended = true;
	pthread_cond_broadcast(&log->grown);
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* The daemons that run: an assertion that fails leaves its daemon behind, and exit(3) ends it. */
#define MAX_RUNNING 16
static pid_t running[MAX_RUNNING];

static void kill_running(void)
{
	for (size_t i = 0; i < MAX_RUNNING; i++) {
		if (running[i] > 0)
			kill(running[i], SIGKILL);
	}
}

static void replace_running(pid_t from, pid_t to)
{
	static bool registered;

	if (!registered)
		atexit(kill_running);
	registered = true;
	for (size_t i = 0; i < MAX_RUNNING; i++) {
		if (running[i] == from) {
			running[i] = to;
			return;
		}
	}
}

static const char *binary(void)
{
	const char *path = getenv("SOCKS5D");

	return path != NULL ? path : "bin/socks5d";
}

/* Starts the binary with its standard output and error in a pipe, whose reading end is returned,
 * and these descriptors from 3 on. */
static int spawn(
	const char *const argv[], const struct daemon_handed *handed, size_t count, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	for (size_t i = 0; i < count; i++)
		posix_spawn_file_actions_adddup2(&actions, handed[i].fd, 3 + (int)i);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	assert_int_equal(
		posix_spawn(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ),
		0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	return ends[0];
}

/* Names in the environment what is handed over; there is no more of it with a count of 0. */
static void name_handed(const struct daemon_handed *handed, size_t count)
{
	char names[4096] = "", number[24];

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names);

		snprintf(
			names + len, sizeof(names) - len, "%s%s", i > 0 ? ":" : "", handed[i].name);
	}
	snprintf(number, sizeof(number), "%zu", count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	if (count > 0)
		return;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* What posix_spawn(3) cannot: a daemon that does not outlive a test that is ended by Ctrl-C,
 * limits, and its own number in the environment. All are set by programs that become the daemon. */
static int spawn_bound(const char *const argv[], const struct daemon *d, pid_t *pid)
{
	const char *bound[DAEMON_MAX_FLAGS + 12] = {
		"/usr/bin/setpriv", "--pdeathsig", "KILL", "--"};
	char limit[16];
	size_t count = 4;
	int fd;

	if (d->handed_count > 0) {
		bound[count++] = "/bin/sh";
		bound[count++] = "-c";
		bound[count++] = "export LISTEN_PID=$$; exec \"$0\" \"$@\"";
	}
	if (d->open_files != 0) {
		snprintf(limit, sizeof(limit), "%u", d->open_files);
		bound[count++] = "/bin/sh";
		bound[count++] = "-c";
		bound[count++] = "ulimit -n \"$0\" && exec \"$@\"";
		bound[count++] = limit;
	}
	while (*argv != NULL)
		bound[count++] = *argv++;
	name_handed(d->handed, d->handed_count);
	fd = spawn(bound, d->handed, d->handed_count, pid);
	name_handed(NULL, 0);
	return fd;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOOKS_FOR_LEAKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LOOKS_FOR_LEAKS 1
#endif

bool daemon_is_confined(void)
{
#ifdef LOOKS_FOR_LEAKS
	return false;
#else
	return true;
#endif
}

void daemon_prepare(struct daemon *d)
{
	memset(d, 0, sizeof(*d));
	assert_non_null(mkdtemp(tmp_template(d->folder, "socks5d-test")));
	snprintf(d->config, sizeof(d->config), "%s/conf", d->folder);
	snprintf(d->users, sizeof(d->users), "%s/users", d->folder);
}

static bool has_flag(const char *const flags[], const char *flag)
{
	for (size_t i = 0; flags != NULL && flags[i] != NULL; i++) {
		if (strcmp(flags[i], flag) == 0)
			return true;
	}
	return false;
}

/* Unless `flags`, which may be NULL, have it: a flag that is given twice is refused. */
static void add_default(const char *argv[], size_t *count, const char *const flags[],
	const char *flag, const char *value)
{
	if (has_flag(flags, flag))
		return;
	argv[(*count)++] = flag;
	argv[(*count)++] = value;
}

void daemon_launch(struct daemon *d, const char *const flags[])
{
	const char *argv[DAEMON_MAX_FLAGS] = {binary()};
	size_t count = 1;
	const char *line, *relay = getenv("SOCKS5D_RELAY");
	bool listens = false;

	add_default(argv, &count, flags, "--port", "0");
	add_default(argv, &count, flags, "--monitor-port", "0");
	add_default(argv, &count, flags, "--max-sessions", "16");
	d->drains = has_flag(flags, "--drain-timeout");
	add_default(argv, &count, flags, "--drain-timeout", "0s");
	for (size_t i = 0; flags != NULL && flags[i] != NULL; i++) {
		assert_true(count < DAEMON_MAX_FLAGS - 9);
		listens |= strcmp(flags[i], "-l") == 0 || strcmp(flags[i], "-c") == 0;
		argv[count++] = flags[i];
	}
	if (!listens) {
		argv[count++] = "-l";
		argv[count++] = "127.0.0.1";
	}
	if (relay != NULL)
		add_default(argv, &count, flags, "--relay", relay);
	if (!daemon_is_confined())
		add_default(argv, &count, flags, "--sandbox", "off");
	d->log = calloc(1, sizeof(*d->log));
	pthread_mutex_init(&d->log->lock, NULL);
	pthread_cond_init(&d->log->grown, NULL);
	d->log->fd = spawn_bound(argv, d, &d->pid);
	replace_running(0, d->pid);
	assert_int_equal(pthread_create(&d->log->thread, NULL, drain, d->log), 0);
	line = daemon_wait_log(d, NULL, "msg=listening");
	d->port = (uint16_t)atoi(strrchr(line, ':') + 1);
	daemon_wait_log(d, NULL, "try it:");
	/* Comes last. */
	line = daemon_wait_log(d, NULL, "msg=\"monitor listening\"");
	d->monitor_port = (uint16_t)atoi(strrchr(line, ':') + 1);
}

void daemon_start(struct daemon *d, const char *const flags[])
{
	daemon_prepare(d);
	daemon_launch(d, flags);
}

int daemon_run(const char *const flags[], char *output, size_t size)
{
	const struct daemon none = {.pid = 0};

	return daemon_run_handed(&none, flags, output, size);
}

int daemon_run_handed(const struct daemon *d, const char *const flags[], char *output, size_t size)
{
	const char *argv[DAEMON_MAX_FLAGS] = {binary()};
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	int fd, status;

	for (size_t i = 0; flags[i] != NULL; i++)
		argv[i + 1] = flags[i];
	fd = spawn_bound(argv, d, &pid);
	while (len + 1 < size && (n = read(fd, output + len, size - len - 1)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void daemon_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* ---- the log ---- */

/* Copies the line around `hit`, if it is complete; returns where it ends, 0 when it does not yet.
 */
static size_t copy_line_locked(struct daemon_log *log, const char *hit)
{
	const char *start = hit, *end = strchr(hit, '\n');

	if (end == NULL)
		return 0;
	while (start > log->text && start[-1] != '\n')
		start--;
	snprintf(log->line, sizeof(log->line), "%.*s", (int)(end - start), start);
	return (size_t)(end - log->text) + 1;
}

static size_t find_locked(struct daemon_log *log, size_t from, const char *text)
{
	const char *hit = log->text == NULL ? NULL : strstr(log->text + from, text);

	return hit == NULL ? 0 : copy_line_locked(log, hit);
}

const char *daemon_wait_log(struct daemon *d, size_t *from, const char *text)
{
	struct daemon_log *log = d->log;
	size_t start = from == NULL ? 0 : *from, end;
	struct timespec until;
	int status = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NET_PATIENCE_S;
	pthread_mutex_lock(&log->lock);
	while ((end = find_locked(log, start, text)) == 0 && status == 0 && !log->ended)
		status = pthread_cond_timedwait(&log->grown, &log->lock, &until);
	pthread_mutex_unlock(&log->lock);
	if (end == 0)
		fail_msg("\"%s\" is not in the log:\n%s", text, log->text);
	if (from != NULL)
		*from = end;
	return log->line;
}

size_t daemon_log_end(struct daemon *d)
{
	size_t len;

	pthread_mutex_lock(&d->log->lock);
	len = d->log->len;
	pthread_mutex_unlock(&d->log->lock);
	return len;
}

bool daemon_log_has(struct daemon *d, const char *text)
{
	bool has;

	pthread_mutex_lock(&d->log->lock);
	has = d->log->text != NULL && strstr(d->log->text, text) != NULL;
	pthread_mutex_unlock(&d->log->lock);
	return has;
}

long daemon_stat(struct daemon *d, const char *name)
{
	size_t from = daemon_log_end(d);
	char key[64];
	const char *line, *at;

	daemon_signal(d, SIGUSR1);
	line = daemon_wait_log(d, &from, "msg=statistics");
	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(line, key);
	assert_non_null(at);
	return atol(at + strlen(key));
}

void daemon_wait_stat(struct daemon *d, const char *name, long at_least)
{
	time_t end = time(NULL) + NET_PATIENCE_S;

	while (daemon_stat(d, name) < at_least)
		assert_true(time(NULL) < end);
}

void daemon_wait_none(struct daemon *d, const char *name)
{
	time_t end = time(NULL) + NET_PATIENCE_S;

	while (daemon_stat(d, name) > 0)
		assert_true(time(NULL) < end);
}

/* ---- the end ---- */

void daemon_signal(struct daemon *d, int number)
{
	assert_int_equal(kill(d->pid, number), 0);
}

static void free_log(struct daemon *d)
{
	close(d->log->fd);
	pthread_mutex_destroy(&d->log->lock);
	pthread_cond_destroy(&d->log->grown);
	free(d->log->text);
	free(d->log);
	d->log = NULL;
}

int daemon_wait_exit(struct daemon *d)
{
	int status;

	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	replace_running(d->pid, 0);
	pthread_join(d->log->thread, NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		print_message("%s\n", d->log->text);
	free_log(d);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int daemon_wait_death(struct daemon *d)
{
	int status;

	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	replace_running(d->pid, 0);
	pthread_join(d->log->thread, NULL);
	free_log(d);
	return status;
}

void daemon_clean_up(struct daemon *d)
{
	DIR *dir = opendir(d->folder);
	struct dirent *entry;
	char path[400];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", d->folder, entry->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(d->folder);
}

void daemon_stop(struct daemon *d)
{
	daemon_signal(d, SIGTERM);
	/* A second one sets it a time, too, within which a busy machine may not be done. */
	if (d->drains)
		daemon_signal(d, SIGINT);
	assert_int_equal(daemon_wait_exit(d), 0);
	daemon_clean_up(d);
}

/* ---- what it costs ---- */

long daemon_cpu_ms(const struct daemon *d)
{
	clockid_t clock;
	struct timespec ts;

	assert_int_equal(clock_getcpuclockid(d->pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &ts), 0);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

long daemon_rss_kb(const struct daemon *d)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", d->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	}
	fclose(f);
	return kb;
}

long daemon_open_files(const struct daemon *d)
{
	char path[64];
	long count = -2; /* "." and ".." */
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", d->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

const char *daemon_reload(struct daemon *d, const char *expected)
{
	size_t from = daemon_log_end(d);

	daemon_signal(d, SIGHUP);
	return daemon_wait_log(d, &from, expected);
}

const char *daemon_reload_with(struct daemon *d, const char *text, const char *expected)
{
	daemon_write_file(d->config, text);
	return daemon_reload(d, expected);
}

void daemon_use_config(struct daemon *d, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	daemon_reload_with(d, text, "msg=reloaded");
}
