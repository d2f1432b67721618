/*
 * The two syntaxes differ in little: OpenMetrics names what the samples of a counter have in common
 * without _total, tells the unit, escapes quotes in help as well, and has an end. A number is
 * written alike in both, so that it is one time series whichever syntax it came by: bounds of
 * histograms are words, and have a fraction (1.0), which OpenMetrics demands.
 */
#include "web/exposition.h"

#include <string.h>

const char *exposition_type(enum exposition syntax)
{
	return syntax == EXPOSITION_OPENMETRICS
		? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		: "text/plain; version=0.0.4; charset=utf-8";
}

const char *metric_type_word(enum metric_type type)
{
	static const char *const words[] = {[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_INFO] = "info"};

	return words[type];
}

/* ---- the head ---- */

/* The part of the name that is the family's: in OpenMetrics the suffix belongs to the samples. */
static int family_length(enum exposition syntax, const struct metric *m)
{
	static const char *const suffixes[] = {[METRIC_COUNTER] = "_total",
		[METRIC_GAUGE] = "",
		[METRIC_HISTOGRAM] = "",
		[METRIC_INFO] = "_info"};
	size_t len = strlen(m->name);

	return (int)(syntax == EXPOSITION_TEXT ? len : len - strlen(suffixes[m->type]));
}

/* With a backslash before each of `marks`, and a line end as \n. */
static void add_escaped(struct reply *r, const char *text, const char *marks)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, marks);

		reply_add(r, "%.*s", (int)plain, text);
		text += plain;
		if (*text == '\n')
			reply_add(r, "\\n");
		else if (*text != '\0')
			reply_add(r, "\\%c", *text);
		text += *text != '\0';
	}
}

/* The text format has no info: there it is a gauge that is 1. */
static const char *type_word(enum exposition syntax, enum metric_type type)
{
	return metric_type_word(
		type == METRIC_INFO && syntax == EXPOSITION_TEXT ? METRIC_GAUGE : type);
}

void exposition_begin(struct reply *r, enum exposition syntax, const struct metric *m)
{
	bool is_open = syntax == EXPOSITION_OPENMETRICS;
	int len = family_length(syntax, m);

	reply_add(r, "# HELP %.*s ", len, m->name);
	add_escaped(r, m->help, is_open ? "\\\n\"" : "\\\n");
	reply_add(r, "\n# TYPE %.*s %s\n", len, m->name, type_word(syntax, m->type));
	if (is_open && m->unit != NULL)
		reply_add(r, "# UNIT %.*s %s\n", len, m->name, m->unit);
}

void exposition_end(struct reply *r, enum exposition syntax)
{
	if (syntax == EXPOSITION_OPENMETRICS)
		reply_add(r, "# EOF\n");
}

/* ---- samples ---- */

static void add_name(struct reply *r, const struct metric *m, const char *const values[])
{
	const char *separator = "{";

	reply_add(r, "%s", m->name);
	for (size_t i = 0; i < METRIC_LABELS_MAX && m->labels[i] != NULL; i++, separator = ",") {
		reply_add(r, "%s%s=\"", separator, m->labels[i]);
		add_escaped(r, values[i], "\\\n\"");
		reply_add(r, "\"");
	}
	reply_add(r, *separator == ',' ? "} " : " ");
}

void exposition_number(
	struct reply *r, const struct metric *m, const char *const values[], uint64_t number)
{
	add_name(r, m, values);
	reply_add(r, "%llu\n", (unsigned long long)number);
}

/* Without zeros at its end, but for one behind the point. */
static void add_seconds(struct reply *r, uint64_t ms)
{
	unsigned fraction = (unsigned)(ms % 1000);
	int digits = 3;

	for (; digits > 1 && fraction % 10 == 0; digits--)
		fraction /= 10;
	reply_add(r, "%llu.%0*u", (unsigned long long)ms / 1000, digits, fraction);
}

void exposition_time(
	struct reply *r, const struct metric *m, const char *const values[], uint64_t ms)
{
	add_name(r, m, values);
	add_seconds(r, ms);
	reply_add(r, "\n");
}

void exposition_histogram(struct reply *r, const struct metric *m, const struct histogram *h)
{
	struct histogram_figures f = histogram_read(h);

	for (size_t i = 0; i < h->scale->count; i++) {
		reply_add(r, "%s_bucket{le=\"", m->name);
		add_seconds(r, (uint64_t)h->scale->bounds[i]);
		reply_add(r, "\"} %llu\n", (unsigned long long)f.below[i]);
	}
	reply_add(r, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", m->name, (unsigned long long)f.count,
		m->name);
	add_seconds(r, f.total_ms);
	reply_add(r, "\n%s_count %llu\n", m->name, (unsigned long long)f.count);
}
