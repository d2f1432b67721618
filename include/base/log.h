/* log: one event, one line, one write(2), as key=value or JSON. Settings are atomics; no lock. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_ERROR, /* something does not work that should */
	LOG_WARN, /* the administrator should look */
	LOG_INFO, /* what happened */
	LOG_DEBUG, /* how it happened */
};

enum log_format {
	LOG_TEXT, /* time=... level=info msg="..." key=value ... */
	LOG_JSON, /* {"time":"...","level":"info","msg":"...","key":"value",...} */
};

/* One line under construction; longer ones end with what still fitted. */
struct log_line {
	bool wanted;
	bool json; /* the format that it was begun in */
	size_t len;
	char text[3072];
};

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

/* Writes to the file at `path` (created 0640, appended to) from now on; NULL or "" is stderr.
 * The same path again opens what has that name now, after a rotation. -1 with errno when it cannot
 * be opened, and the log goes on where it was. */
int log_open(const char *path) __attribute__((warn_unused_result));

/* The same in two steps: what log_open() would go over to is opened, -1 likewise; and either gone
 * over to, which leaves the log where it was if it fails (-1 with errno), or closed again. One
 * thread at a time. */
int log_prepare(const char *path) __attribute__((warn_unused_result));
int log_switch(void) __attribute__((warn_unused_result));
void log_abandon(void);

/* Back to stderr and the file closed: for the end, when no other thread logs any more. */
void log_close(void);

/* Lines that the log did not take, since the start. */
uint64_t log_lost(void);

/* Builds a line: begin, any fields, end (which writes it). A line below the level in force costs
 * next to nothing. Text from outside is escaped, and cut after 600 bytes of output. */
void log_begin(struct log_line *line, enum log_level level, const char *msg);
void log_text(struct log_line *line, const char *key, const char *value);
void log_bytes(struct log_line *line, const char *key, const void *value, size_t len);
void log_number(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* A whole line with only a message, given as for printf(3). */
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, and on standard error as well where the log is a file: for what somebody is to see who
 * does not look into the file any more. */
void log_message_beside(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What keeps a line that could repeat without end down to one in a while. Zeroed at first. */
struct log_limit {
	_Atomic(int64_t) next;
	_Atomic(uint64_t) held_back;
};

#define LOG_LIMIT_PERIOD_MS 60000 /* the usual one */

/* Is it time for such a line again, the last one being `period_ms` ago? `*held_back` is how often
 * the answer was no since then. */
bool log_limit_pass(struct log_limit *limit, int64_t period_ms, uint64_t *held_back);

/* An error that says that something failed which should not, and may fail again and again: `what`
 * and the errno value in words, at most once a minute. */
void log_failure(struct log_limit *limit, const char *what, int error);

#endif
