/* table: the lines of a reply that are records, "key:value key:value", as a table for people. Pure,
 * but for the locale; no lock. */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "wire/answer.h"

/* Does the reply have records? */
bool table_fits(const struct answer *reply);

/* Prints the reply: its other lines as they came, then the records on at most `width` columns, with
 * units and without the \xNN of what can be shown. Columns for which there is no room are named
 * below. False without memory, and then nothing was printed. */
bool table_print(FILE *out, const struct answer *reply, int width)
	__attribute__((warn_unused_result));

#endif
