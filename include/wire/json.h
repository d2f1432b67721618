/* json: a monitor's reply as one JSON object on one line, in the shape that its command has. Pure.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdio.h>

#include "wire/answer.h"

/* `request` is what was asked: its first word is the command. */
void json_print(FILE *out, const char *request, const struct answer *reply);

/* One line of "key:value" as an object on a line. */
void json_print_line(FILE *out, const struct monitor_line *line);

#endif
