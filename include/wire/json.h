/* json: a monitor's reply as one JSON object on one line, in the shape that its command has. Pure.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdio.h>

#include "wire/answer.h"

/* `request` is what was asked: its first word is the command. */
void json_print(FILE *out, const char *request, const struct answer *reply);

/* The same without the end of the line, as a value within another object. */
void json_put(FILE *out, const char *request, const struct answer *reply);

/* The text as a string, without the \xNN of the protocol. */
void json_put_text(FILE *out, const struct monitor_line *text);

/* One line of "key:value" as an object on a line. */
void json_print_line(FILE *out, const struct monitor_line *line);

#endif
