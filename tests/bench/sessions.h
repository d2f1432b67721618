/* sessions: the scenario of many short sessions. Main thread only. */
#ifndef BENCH_SESSIONS_H
#define BENCH_SESSIONS_H

#include <stdint.h>

struct load_run;

/* One session: number `seq`, which no other has. Any thread. */
int sessions_visit(const struct load_run *run, uint64_t seq);

/* For so many seconds, after one that is not measured. Values as below, and of the CPU time the
 * percents that the thread takes which shares with other nodes. */
int sessions_run_steady(const struct load_run *run, double *values);

/* Values: sessions per second, CPU microseconds per session. */
int sessions_run(const struct load_run *run, double *values);

#endif
