/* csv: a monitor's reply as comma-separated values (RFC 4180), for spreadsheets. Pure. */
#ifndef WIRE_CSV_H
#define WIRE_CSV_H

#include <stdio.h>

#include "wire/answer.h"

/* A line of names, then one for each record, with numbers as they are; of a reply without records
 * one for each "name:value". `request` is what was asked: its first word is the command.
 *
 * Spreadsheets take a field that begins with = + - @, a tab or a line's end for a formula: those
 * get a ' in front. */
void csv_print(FILE *out, const char *request, const struct answer *reply);

#endif
