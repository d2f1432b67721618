/* exposition: figures as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0. Written
 * to a reply. No state, no lock. */
#ifndef WEB_EXPOSITION_H
#define WEB_EXPOSITION_H

#include <stdint.h>

#include "monitor/reply.h"
#include "state/histogram.h"

enum exposition { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

/* Content-Type. */
const char *exposition_type(enum exposition syntax);

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

/* "counter", as OpenMetrics calls it. */
const char *metric_type_word(enum metric_type type);

#define METRIC_LABELS_MAX 2

/* What all samples of one name have in common. */
struct metric {
	const char *name; /* of its samples; of a histogram without _bucket and the like. A
			     counter's ends in _total, an info's in _info */
	enum metric_type type;
	const char *unit; /* "seconds", which the name ends in (before _total); NULL: none */
	const char *labels[METRIC_LABELS_MAX]; /* their names; NULL behind the last one */
	const char *help; /* a sentence */
};

/* What stands in front of its samples. */
void exposition_begin(struct reply *r, enum exposition syntax, const struct metric *m);

/* A sample with the values of the labels, valid UTF-8, in their order. */
void exposition_number(
	struct reply *r, const struct metric *m, const char *const values[], uint64_t number);

/* The same of milliseconds, in seconds. */
void exposition_time(
	struct reply *r, const struct metric *m, const char *const values[], uint64_t ms);

/* All samples of a histogram without labels, in seconds. */
void exposition_histogram(struct reply *r, const struct metric *m, const struct histogram *h);

/* What stands behind all. */
void exposition_end(struct reply *r, enum exposition syntax);

#endif
