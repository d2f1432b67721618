/* fleet: a number of open echo sessions. Main thread only. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include <stddef.h>

struct load_run;

struct fleet {
	int *fds;
	size_t size;
};

/* Opens `size` sessions, each with one echo done. -1 with errno: none stays open. */
int fleet_open(struct fleet *fleet, const struct load_run *run, size_t size);
/* The same, but what could be opened stays; -1 when that is nothing. The deadline may be over. */
int fleet_open_most(struct fleet *fleet, const struct load_run *run, size_t size);
/* One more echo in each, all at once; the number of those that came back. */
size_t fleet_echo(const struct fleet *fleet);
/* The same: 0 when all of them came back, else -1 with errno. */
int fleet_check(const struct fleet *fleet);
/* Resets them all: their ends are not measured, and thousands of TIME_WAITs use up the ports. */
void fleet_close(struct fleet *fleet);

#endif
