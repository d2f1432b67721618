/*
 * To count is two additions, and for what is short both are in one line of the cache. What is read
 * is summed up by whoever reads: then the parts of one answer always agree.
 *
 * Times are whole milliseconds, with the rest cut off. So "below the bound" is exactly what took
 * less, while "at most the bound" would take in up to a millisecond more.
 */
#include "state/histogram.h"

const struct histogram_scale histogram_of_waits = {
	.count = 13, .bounds = {1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000}};

const struct histogram_scale histogram_of_sessions = {.count = 13,
	.bounds = {10, 50, 250, 1000, 5000, 15000, 60000, 300000, 900000, 3600000, 14400000,
		43200000, 86400000}};

void histogram_init(struct histogram *h, const struct histogram_scale *scale)
{
	h->scale = scale;
	atomic_init(&h->total_ms, 0);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
		atomic_init(&h->counts[i], 0);
}

void histogram_add(struct histogram *h, int64_t ms)
{
	size_t i = 0;

	while (i < h->scale->count && ms >= h->scale->bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
	if (ms > 0)
		atomic_fetch_add_explicit(&h->total_ms, (uint64_t)ms, memory_order_relaxed);
}

struct histogram_figures histogram_read(const struct histogram *h)
{
	struct histogram_figures f = {.count = 0};

	for (size_t i = 0; i <= h->scale->count; i++) {
		f.count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
		if (i < h->scale->count)
			f.below[i] = f.count;
	}
	f.total_ms = atomic_load_explicit(&h->total_ms, memory_order_relaxed);
	return f;
}
