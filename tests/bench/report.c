/*
 * DESIGN
 * Raw values are kept until the end; medians and ratios are worked out when they are printed. Only
 * ratios travel between machines, so each peer has a column of them beside the medians.
 */
#include "report.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"

#define CELL_SIZE 32
#define COLUMN_MIN 10

struct row {
	const struct load_scenario *scenario;
	const struct load_metric *metric;
	double *values; /* [column * repetitions + repetition] */
};

struct report {
	const struct report_column *columns;
	size_t n_columns;
	size_t baseline; /* n_columns when there is none */
	size_t repetitions;
	const struct load_size *size;
	struct row *rows;
	size_t n_rows;
};

struct report *report_new(const struct report_column *columns, size_t n_columns,
	const char *baseline, size_t repetitions, const struct load_size *size)
{
	struct report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return NULL;
	*report = (struct report){
		.columns = columns,
		.n_columns = n_columns,
		.repetitions = repetitions,
		.size = size,
	};
	while (report->baseline < n_columns &&
		strcmp(columns[report->baseline].name, baseline) != 0)
		report->baseline++;
	return report;
}

void report_free(struct report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->n_rows; i++)
		free(report->rows[i].values);
	free(report->rows);
	free(report);
}

static int add_row(struct report *report, const struct load_scenario *scenario, size_t metric)
{
	const size_t n_values = report->n_columns * report->repetitions;
	struct row *rows = reallocarray(report->rows, report->n_rows + 1, sizeof(*rows));
	double *values = calloc(n_values, sizeof(*values));

	if (rows != NULL)
		report->rows = rows;
	if (rows == NULL || values == NULL) {
		free(values);
		return -1;
	}
	for (size_t i = 0; i < n_values; i++)
		values[i] = NAN;
	rows[report->n_rows++] = (struct row){
		.scenario = scenario,
		.metric = &scenario->metrics[metric],
		.values = values,
	};
	return 0;
}

int report_add_rows(struct report *report, const struct load_scenario *scenario)
{
	const int first = (int)report->n_rows;

	for (size_t i = 0; i < load_metric_count(scenario); i++) {
		if (add_row(report, scenario, i) < 0)
			return -1;
	}
	return first;
}

static double *cell(const struct report *report, const struct row *row, size_t column)
{
	return row->values + column * report->repetitions;
}

void report_set(struct report *report, size_t row, size_t column, size_t repetition, double value)
{
	cell(report, &report->rows[row], column)[repetition] = value;
}

static double column_median(const struct report *report, const struct row *row, size_t column)
{
	return figures_median(cell(report, row, column), report->repetitions);
}

/* Of column 0, direct, and of the baseline itself there is none to show. */
static bool has_ratio(const struct report *report, size_t column)
{
	return report->baseline < report->n_columns && column > 0 && column != report->baseline;
}

static double ratio(const struct report *report, const struct row *row, size_t column)
{
	return column_median(report, row, column) / column_median(report, row, report->baseline);
}

static void print_heading(const struct report *report, FILE *out)
{
	struct figures_host host;

	figures_describe_host(&host);
	fprintf(out, "%s, %s %s %s, %ld CPUs, medians of %zu repetitions\n", host.date,
		host.name.sysname, host.name.release, host.name.machine, host.cpus,
		report->repetitions);
	for (size_t i = 0; i < report->n_columns; i++)
		fprintf(out, "%s: %s\n", report->columns[i].name, report->columns[i].version);
	fputc('\n', out);
}

static int column_width(const char *name)
{
	const int len = (int)strlen(name);

	return len > COLUMN_MIN ? len : COLUMN_MIN;
}

static void name_ratio(const struct report *report, size_t column, char *name, size_t size)
{
	snprintf(name, size, "%.40s/%.40s", report->columns[column].name,
		report->columns[report->baseline].name);
}

static void print_names(const struct report *report, FILE *out)
{
	char name[100];

	fprintf(out, "%-26s %-11s %-6s", "scenario", "unit", "better");
	for (size_t i = 0; i < report->n_columns; i++)
		fprintf(out, "  %*s", column_width(report->columns[i].name),
			report->columns[i].name);
	for (size_t i = 0; i < report->n_columns; i++) {
		if (!has_ratio(report, i))
			continue;
		name_ratio(report, i, name, sizeof(name));
		fprintf(out, "  %*s", column_width(name), name);
	}
	fputc('\n', out);
}

/* About three significant digits. */
static int decimals(double value)
{
	if (value < 1)
		return 3;
	if (value < 10)
		return 2;
	return value < 100 ? 1 : 0;
}

static const char *format_value(double value, char *text)
{
	if (isnan(value))
		return "-";
	snprintf(text, CELL_SIZE, "%.*f", decimals(value), value);
	return text;
}

static const char *format_ratio(double value, char *text)
{
	if (!isfinite(value))
		return "-";
	snprintf(text, CELL_SIZE, "%.2f", value);
	return text;
}

static const char *better(const struct load_metric *metric)
{
	return metric->more_is_better ? "more" : "less";
}

static void print_row(const struct report *report, const struct row *row, FILE *out)
{
	char text[CELL_SIZE];
	char name[100];

	snprintf(name, sizeof(name), "%s %s", row->scenario->name, row->metric->name);
	fprintf(out, "%-26s %-11s %-6s", name, row->metric->unit, better(row->metric));
	for (size_t i = 0; i < report->n_columns; i++)
		fprintf(out, "  %*s", column_width(report->columns[i].name),
			format_value(column_median(report, row, i), text));
	for (size_t i = 0; i < report->n_columns; i++) {
		if (!has_ratio(report, i))
			continue;
		name_ratio(report, i, name, sizeof(name));
		fprintf(out, "  %*s", column_width(name),
			format_ratio(ratio(report, row, i), text));
	}
	fputc('\n', out);
}

/* ---- comparisons ---- */

/* NULL when that was not to be measured. */
static const struct row *find_row(
	const struct report *report, const char *scenario, const char *metric)
{
	for (size_t i = 0; i < report->n_rows; i++) {
		const struct row *row = &report->rows[i];

		if (strcmp(row->scenario->name, scenario) == 0 &&
			strcmp(row->metric->name, metric) == 0)
			return row;
	}
	return NULL;
}

/* n_columns when there is none. */
static size_t find_column(const struct report *report, const char *name)
{
	size_t i = 0;

	while (i < report->n_columns && strcmp(report->columns[i].name, name) != 0)
		i++;
	return i;
}

/* One that is compared with itself is just told. */
static bool is_compared(const struct load_comparison *c)
{
	return c->to_scenario != NULL || c->to_peer != NULL;
}

/* The median over the repetitions, of which each is compared with what was measured beside it: so
 * what the machine does meanwhile falls out. NAN when either side is missing. */
static double compare(const struct report *report, const struct load_comparison *c)
{
	const struct row *row = find_row(report, c->scenario, c->metric);
	const struct row *to =
		find_row(report, c->to_scenario != NULL ? c->to_scenario : c->scenario, c->metric);
	const size_t column = find_column(report, LOAD_COMPARED);
	const size_t to_column = c->to_peer != NULL ? find_column(report, c->to_peer) : column;
	double *found = calloc(report->repetitions, sizeof(*found)), result;

	if (row == NULL || to == NULL || column == report->n_columns ||
		to_column == report->n_columns || found == NULL) {
		free(found);
		return NAN;
	}
	for (size_t i = 0; i < report->repetitions; i++) {
		const double value = cell(report, row, column)[i];
		const double other = cell(report, to, to_column)[i];

		found[i] = !is_compared(c) ? value
			: c->is_difference ? value - other
					   : value / other;
	}
	result = figures_median(found, report->repetitions);
	free(found);
	return result;
}

/* "sessions-open", "tinyproxy"; "" where the value itself is told. */
static const char *compared_to(const struct load_comparison *c)
{
	if (c->to_scenario != NULL)
		return c->to_scenario;
	return c->to_peer != NULL ? c->to_peer : "";
}

static const char *kind_of(const struct load_comparison *c)
{
	if (!is_compared(c))
		return "value";
	return c->is_difference ? "less" : "over";
}

static void print_comparison(const struct load_comparison *c, double value, FILE *out)
{
	char name[100], text[CELL_SIZE], most[CELL_SIZE];

	snprintf(name, sizeof(name), "%s %s", c->scenario, c->metric);
	fprintf(out, "%-26s %-5s %-14s %10s %10s\n", name, kind_of(c), compared_to(c),
		c->is_difference ? (snprintf(text, sizeof(text), "%.0f", value), text)
				 : format_value(value, text),
		format_value(c->most == 0 ? NAN : c->most, most));
}

static void print_comparisons(const struct report *report, FILE *out)
{
	bool has_begun = false;

	for (const struct load_comparison *c = load_comparisons; c->scenario != NULL; c++) {
		const double value = compare(report, c);

		if (isnan(value))
			continue;
		if (!has_begun)
			fprintf(out, "\n%-26s %-5s %-14s %10s %10s\n", LOAD_COMPARED, "", "of",
				"is", "at most");
		has_begun = true;
		print_comparison(c, value, out);
	}
}

void report_table(const struct report *report, FILE *out)
{
	print_heading(report, out);
	print_names(report, out);
	for (size_t i = 0; i < report->n_rows; i++)
		print_row(report, &report->rows[i], out);
	print_comparisons(report, out);
}

static void json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void json_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.9g", value);
	else
		fputs("null", out);
}

static void json_key(FILE *out, const char *key)
{
	json_string(out, key);
	fputs(": ", out);
}

static void json_field(FILE *out, const char *key, const char *text)
{
	json_key(out, key);
	json_string(out, text);
	fputs(", ", out);
}

static const char *baseline_name(const struct report *report)
{
	return report->baseline < report->n_columns ? report->columns[report->baseline].name : "";
}

static void json_host(const struct report *report, FILE *out)
{
	struct figures_host host;

	figures_describe_host(&host);
	fputs("  ", out);
	json_field(out, "date", host.date);
	json_field(out, "kernel", host.name.release);
	json_field(out, "machine", host.name.machine);
	json_field(out, "libc", gnu_get_libc_version());
	json_field(out, "compiler", __VERSION__);
	fprintf(out, "\"cpus\": %ld,\n  ", host.cpus);
	json_field(out, "baseline", baseline_name(report));
	fputs("\"columns\": {", out);
	for (size_t i = 0; i < report->n_columns; i++) {
		fputs(i > 0 ? ", " : "", out);
		json_key(out, report->columns[i].name);
		json_string(out, report->columns[i].version);
	}
	fputs("},\n", out);
}

static void json_settings(const struct report *report, FILE *out)
{
	const struct load_size *size = report->size;

	fprintf(out,
		"  \"settings\": {\"repetitions\": %zu, \"bulk_bytes\": %llu, \"sessions\": %llu, "
		"\"trips\": %llu, \"memory_sessions\": %llu, \"datagrams\": %llu},\n",
		report->repetitions, (unsigned long long)size->bulk_bytes,
		(unsigned long long)size->sessions, (unsigned long long)size->trips,
		(unsigned long long)size->memory_sessions, (unsigned long long)size->datagrams);
}

static void json_cell(const struct report *report, const struct row *row, size_t column, FILE *out)
{
	json_key(out, report->columns[column].name);
	fputs("{\"median\": ", out);
	json_number(out, column_median(report, row, column));
	if (has_ratio(report, column)) {
		fputs(", \"ratio\": ", out);
		json_number(out, ratio(report, row, column));
	}
	fputs(", \"runs\": [", out);
	for (size_t i = 0; i < report->repetitions; i++) {
		fputs(i > 0 ? ", " : "", out);
		json_number(out, cell(report, row, column)[i]);
	}
	fputs("]}", out);
}

static size_t sessions_at_once(const struct load_scenario *scenario)
{
	return scenario->open != 0 ? scenario->open : (size_t)scenario->clients;
}

static void json_row(const struct report *report, const struct row *row, FILE *out)
{
	fputs("    {", out);
	json_field(out, "scenario", row->scenario->name);
	json_field(out, "metric", row->metric->name);
	json_field(out, "unit", row->metric->unit);
	json_field(out, "better", better(row->metric));
	json_key(out, "open");
	fprintf(out, "%zu, ", sessions_at_once(row->scenario));
	fputs("\"values\": {", out);
	for (size_t i = 0; i < report->n_columns; i++) {
		fputs(i > 0 ? ",\n      " : "\n      ", out);
		json_cell(report, row, i, out);
	}
	fputs("}}", out);
}

static void json_comparisons(const struct report *report, FILE *out)
{
	for (const struct load_comparison *c = load_comparisons; c->scenario != NULL; c++) {
		fputs(c == load_comparisons ? "\n    {" : ",\n    {", out);
		json_field(out, "scenario", c->scenario);
		json_field(out, "metric", c->metric);
		json_field(out, "kind", kind_of(c));
		json_field(out, "of", compared_to(c));
		json_key(out, "value");
		json_number(out, compare(report, c));
		fputs(", ", out);
		json_key(out, "most");
		json_number(out, c->most == 0 ? NAN : c->most);
		fputs("}", out);
	}
}

void report_json(const struct report *report, FILE *out)
{
	fputs("{\n", out);
	json_host(report, out);
	json_settings(report, out);
	fputs("  \"rows\": [\n", out);
	for (size_t i = 0; i < report->n_rows; i++) {
		fputs(i > 0 ? ",\n" : "", out);
		json_row(report, &report->rows[i], out);
	}
	fputs("\n  ],\n  \"comparisons\": [", out);
	json_comparisons(report, out);
	fputs("\n  ]\n}\n", out);
}
