/* sayings: what helpers write to their standard error, a line of the log each, as far as that is
 * bearable. One thread's; no lock. */
#ifndef HELPER_SAYINGS_H
#define HELPER_SAYINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SAYINGS_LINE_MAX 1024 /* bytes of a line; a longer one becomes several */
#define SAYINGS_MOST 100 /* lines of a command in a period */
#define SAYINGS_PERIOD_MS 60000

/* Of a command. Zeroed at first. */
struct sayings_limit {
	int64_t ends; /* when the period does */
	unsigned count;
	uint64_t held_back;
};

/* Of a process. Zeroed at first. */
struct sayings {
	char text[SAYINGS_LINE_MAX]; /* a line that has no end yet */
	size_t len;
};

/* Reads what is there, without waiting, and not without end; logs the lines in it as `name`'s.
 * False when it was the last. */
bool sayings_read(struct sayings *s, int fd, const char *name, pid_t pid,
	struct sayings_limit *limit) __attribute__((warn_unused_result));

/* Logs what has no end and will have none. */
void sayings_end(struct sayings *s, const char *name, pid_t pid, struct sayings_limit *limit);

#endif
