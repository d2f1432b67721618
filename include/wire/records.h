/* records: a monitor's reply as a table: columns by their names, and rows of cells. Pure; no lock:
 * a view of the reply, which lives longer. */
#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include "wire/answer.h"

#define RECORDS_COLUMNS 32 /* what a reply has beyond them is left out */

/* What is told of a column's values. */
enum records_kind {
	RECORDS_TEXT,
	RECORDS_SENTENCE,
	RECORDS_TIME, /* "2025-07-15T12:40:39", and with a blank */
	RECORDS_NUMBER, /* nothing but numbers, and "-" */
	RECORDS_BYTES,
	RECORDS_RATE, /* bytes a second */
	RECORDS_SECONDS,
	RECORDS_MS,
};

struct records_column {
	struct monitor_line name;
	enum records_kind kind;
};

struct records {
	const struct answer *reply;
	const char *request;
	bool (*is_row)(const struct monitor_line *line);
	bool is_of_entries, is_of_words;
	size_t columns; /* 0: the reply has no rows */
	struct records_column column[RECORDS_COLUMNS];
	size_t rows;
};

/* Looks through the reply to `request`, whose first word is the command. */
void records_find(struct records *t, const char *request, const struct answer *reply);

/* Where a walk through the rows has come to. Zeroed at first. */
struct records_walk {
	size_t line;
	struct monitor_line rest; /* of words */
};

/* The cells of the next row, one for each column, as they came, \xNN included; NULL texts where the
 * row has none. False at the end. */
bool records_next(const struct records *t, struct records_walk *w,
	struct monitor_line cells[RECORDS_COLUMNS]);

/* Is this line of the reply "some name:value", and no row? */
bool records_is_value(const struct records *t, const struct monitor_line *line);

#endif
