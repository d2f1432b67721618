/* helper_line: the lines of squid's helper programs, those that check logins and those that say who
 * is in a group. Pure; no state, no lock. */
#ifndef WIRE_HELPER_LINE_H
#define WIRE_HELPER_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/auth_line.h"

/*	[CHANNEL ]NAME PASSWORD			is that login right?
 *	[CHANNEL ]NAME GROUP			is he in that group?
 *	[CHANNEL ]OK|ERR|BH[ KEY=VALUE]...[ TEXT]
 *
 * What is asked is %XX but for RFC 3986's unreserved bytes. A value is a word that may be %XX, or
 * stands in double quotes with a \ in front of special bytes. Programs that know channels may be
 * asked several questions at once, and answer in any order.
 */

#define HELPER_LINE_MAX 8192 /* bytes of any line, its LF included */

#define HELPER_LINE_MORE 0
#define HELPER_LINE_MALFORMED (-1)

#define HELPER_NO_CHANNEL (-1)

struct helper_answer {
	int channel; /* HELPER_NO_CHANNEL: none was to be told */
	enum auth_verdict verdict;
	char user[AUTH_LINE_FIELD_MAX + 1]; /* what he is called; "": as was asked */
	char message[AUTH_LINE_FIELD_MAX + 1]; /* without control bytes, cut perhaps */
};

/* Writes a question for that channel, or HELPER_NO_CHANNEL. How many bytes; 0 when it does not fit
 * into HELPER_LINE_MAX, or a word is empty or has control bytes. */
size_t helper_line_put(
	int channel, const char *name, const char *behind, char out[HELPER_LINE_MAX]);

/* Looks for an answer in the `n` bytes at `p`: how many bytes it takes with its LF (> 0),
 * HELPER_LINE_MORE when it is not complete yet, or HELPER_LINE_MALFORMED: it has no verdict, no
 * channel where it is to have one, a quotation without end, a user that cannot be, or no end. */
int helper_line_parse(const char *p, size_t n, bool has_channel, struct helper_answer *out);

#endif
