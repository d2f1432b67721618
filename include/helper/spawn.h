/* spawn: a program as a child process, with pipes for its standard files. No state; no lock. */
#ifndef HELPER_SPAWN_H
#define HELPER_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/* Our ends of the pipes do not block, and no other child inherits them. */
struct spawned {
	pid_t pid; /* and of its group of processes */
	int in, out, err; /* to its standard input, and from the others; -1: closed */
};

/* Starts `argv`, looked for in PATH, with no signal blocked or ignored. -1 with errno, that of
 * execve(2) included. */
int spawn_command(char *const argv[], struct spawned *out) __attribute__((warn_unused_result));

/* Closes what is open of the pipes. */
void spawn_close(struct spawned *s);

/* Sends a signal to it and what it has started. */
void spawn_signal(const struct spawned *s, int number);

#endif
