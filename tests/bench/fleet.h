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
/* One more echo in each: 0 when all of them are still there. */
int fleet_check(const struct fleet *fleet);
/* Resets them all: their ends are not measured, and thousands of TIME_WAITs use up the ports. */
void fleet_close(struct fleet *fleet);

#endif
