/* report: the values of all repetitions, as a table and as JSON. Main thread only. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "load.h"

struct report;

/* A column of the table; column 0 is "direct". */
struct report_column {
	const char *name;
	char version[160];
};

/*
 * Borrows `columns` and `size`. `baseline` names the column that the others are compared with.
 * NULL with errno.
 */
struct report *report_new(const struct report_column *columns, size_t n_columns,
	const char *baseline, size_t repetitions, const struct load_size *size);
void report_free(struct report *report);

/* A row for each metric of the scenario; the number of the first one, or -1 with errno. */
int report_add_rows(struct report *report, const struct load_scenario *scenario);

/* Values never set are missing: "-" in the table, null in the JSON. */
void report_set(struct report *report, size_t row, size_t column, size_t repetition, double value);

void report_table(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);

#endif
