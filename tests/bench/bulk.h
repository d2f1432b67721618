/* bulk: the scenario that moves a lot of bytes over few streams. Main thread only. */
#ifndef BENCH_BULK_H
#define BENCH_BULK_H

struct load_run;

/* Values: MB/s (both directions added up), CPU seconds per GB. */
int bulk_run(const struct load_run *run, double *values);

#endif
