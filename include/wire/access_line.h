/* access_line: a line of the answer to ACCESS_LOG, taken apart. Pure; no lock. */
#ifndef WIRE_ACCESS_LINE_H
#define WIRE_ACCESS_LINE_H

#include "wire/answer.h"

struct access_line {
	struct monitor_line user, target, time, outcome;
	struct monitor_line reason, client; /* of a failure; empty: not said */
};

/* "alice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS", the user only where all were asked
 * for (`request` is what was asked); reason and client stand behind FAIL. False when it is no such
 * line. */
bool access_line_split(const char *request, const struct monitor_line *line, struct access_line *e);

#endif
