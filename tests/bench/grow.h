/* grow: the scenarios of many open sessions, few of which do something. Main thread only. */
#ifndef BENCH_GROW_H
#define BENCH_GROW_H

struct load_run;

/* "trips": each active session has a message under way; "turns": one has, and they take turns. */
enum grow_value {
	GROW_BULK_CPU, /* s per GB, all active sessions at once */
	GROW_TRIPS_CPU, /* µs per round trip */
	GROW_TURNS_CPU, /* µs per round trip */
	GROW_TURNS_P50, /* µs */
};

int grow_run(const struct load_run *run, double *values);

#endif
