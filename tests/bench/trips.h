/* trips: the scenario of small messages over open sessions. Main thread only. */
#ifndef BENCH_TRIPS_H
#define BENCH_TRIPS_H

struct load_run;

enum trips_value {
	TRIPS_RATE, /* round trips per second */
	TRIPS_P50, /* µs */
	TRIPS_P99, /* µs */
	TRIPS_CPU, /* µs per round trip */
	TRIPS_VALUES,
};

/* Every session has a message under way. */
int trips_run(const struct load_run *run, double *values);
/* One message is under way at a time, and the sessions take turns. */
int trips_run_in_turn(const struct load_run *run, double *values);

#endif
