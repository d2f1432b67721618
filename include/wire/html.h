/* html: a monitor's reply as a piece of an HTML page: a table, a list of values, lines. Pure. */
#ifndef WIRE_HTML_H
#define WIRE_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "wire/answer.h"

/* How it is shown. */
struct html_view {
	const char *id; /* of the table and the list, and what their rows are asked for by */
	const char *caption; /* of the table; NULL: none, and an empty table is not shown */
	size_t from; /* rows that are left out at the beginning */
	size_t most; /* rows that are shown */
	bool is_newest_first; /* the rows are shown from the last one on */
	const char *link; /* to the page, up to the number of the first row, for a reply with
			     more rows */
};

/* `request` is what was asked: its first word is the command. All that the reply has is escaped,
 * and units are told. */
void html_print(
	FILE *out, const char *request, const struct answer *reply, const struct html_view *view);

#endif
