/* sessions: the scenario of many short sessions. Main thread only. */
#ifndef BENCH_SESSIONS_H
#define BENCH_SESSIONS_H

struct load_run;

/* Values: sessions per second, CPU microseconds per session. */
int sessions_run(const struct load_run *run, double *values);

#endif
