#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int compare_values(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;

	return (*left > *right) - (*left < *right);
}

void figures_sort(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_values);
}

double figures_median(const double *values, size_t n)
{
	double *sorted = calloc(n, sizeof(*sorted));
	double result = NAN;
	size_t there = 0;

	if (sorted == NULL)
		return NAN;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(values[i]))
			sorted[there++] = values[i];
	}
	figures_sort(sorted, there);
	if (there > 0)
		result = (sorted[(there - 1) / 2] + sorted[there / 2]) / 2;
	free(sorted);
	return result;
}

void figures_describe_host(struct figures_host *host)
{
	time_t now = time(NULL);
	struct tm tm;

	uname(&host->name);
	strftime(host->date, sizeof(host->date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	host->cpus = sysconf(_SC_NPROCESSORS_ONLN);
}
