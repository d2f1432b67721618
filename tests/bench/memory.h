/* memory: the scenario of many sessions that stay open. Main thread only. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

struct load_run;

/* Values: kB of the peer at rest, kB that one open session adds. */
int memory_run(const struct load_run *run, double *values);

#endif
