/* start: the scenario of a server that starts. Main thread only. */
#ifndef BENCH_START_H
#define BENCH_START_H

struct load_run;

/* Value: milliseconds from its start to its first answer. */
int start_run(const struct load_run *run, double *values);

#endif
