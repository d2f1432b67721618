/* trips: the scenario of small messages over open sessions. Main thread only. */
#ifndef BENCH_TRIPS_H
#define BENCH_TRIPS_H

struct load_run;

/* Values: round trips per second, median and 99th percentile in µs, CPU µs per round trip. */
int trips_run(const struct load_run *run, double *values);

#endif
