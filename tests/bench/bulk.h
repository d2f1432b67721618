/* bulk: the scenario that moves a lot of bytes over few streams. Main thread only. */
#ifndef BENCH_BULK_H
#define BENCH_BULK_H

struct load_run;

enum bulk_value {
	BULK_RATE, /* MB/s, both directions added up */
	BULK_CPU, /* s per GB */
	BULK_VALUES,
};

int bulk_run(const struct load_run *run, double *values);

#endif
