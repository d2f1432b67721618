/* figures: what is made of several measurements, and on what machine. No state, any thread. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>
#include <sys/utsname.h>

/* In rising order; none may be NAN. */
void figures_sort(double *values, size_t n);

/* Of the values that are not NAN; NAN when there is none. */
double figures_median(const double *values, size_t n);

/* What the numbers were measured on, and when. */
struct figures_host {
	struct utsname name;
	char date[32]; /* UTC */
	long cpus;
};

void figures_describe_host(struct figures_host *host);

#endif
