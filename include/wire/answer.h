/* answer: the server's answer as status, message, lines and fields. Pure; no lock: a value. */
#ifndef WIRE_ANSWER_H
#define WIRE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "wire/monitor.h"

/* Texts point into `bytes`, which the reply owns, and may hold any byte but LF. */
struct answer {
	char *bytes;
	bool ok;
	struct monitor_line status; /* "OK Welcome alice" */
	struct monitor_line message; /* "Welcome alice"; may be empty */
	struct monitor_line *lines;
	size_t count;
};

/* Looks for the empty line that ends a reply in the `n` bytes at `p`, of which those in front of
 * `from` were looked at before. How many bytes the reply takes with it, 0 when it is not there. */
size_t answer_find_end(const char *p, size_t n, size_t from);

/* Takes a whole reply apart, with or without its empty line; copies the bytes. -1 when its status
 * is neither OK nor ERR, or without memory. */
int answer_parse(const char *p, size_t n, struct answer *out) __attribute__((warn_unused_result));

/* Also for a struct that is all zeros. */
void answer_free(struct answer *r);

/* Prints it as it came, status line first, without the empty line. Control bytes, which could
 * command a terminal, are printed as \xNN. */
void answer_print(FILE *out, const struct answer *r);

/* One of its lines, likewise. */
void answer_print_line(FILE *out, const struct monitor_line *line);

/* "name:value", divided at the first colon. False without one. */
struct answer_field {
	struct monitor_line name;
	struct monitor_line value;
};
bool answer_split(const struct monitor_line *line, struct answer_field *out);

/* Is what follows a key of this name sentences, which may hold blanks and run to the end of the
 * line? */
bool answer_is_sentence(const struct monitor_line *name);

/* Is the value of a key of this name text, whatever it looks like? A name may be 123, or 5m. */
bool answer_is_name(const struct monitor_line *name);

/* Is the line a record: two words at least, and each of them "key:value", but for those of a
 * sentence? */
bool answer_is_record(const struct monitor_line *line);

/* Takes the next "key:value" off a line of several; words without a colon are skipped. False at
 * the end. */
bool answer_next_field(struct monitor_line *rest, struct answer_field *out);

/* The value of `name` among the "key:value" of the line; false when it is not there. */
bool answer_find(const struct monitor_line *line, const char *name, struct monitor_line *value);

/* Is it this text, byte for byte? */
bool answer_is(const struct monitor_line *text, const char *expected);

/* Are both the same text? */
bool answer_is_same(const struct monitor_line *a, const struct monitor_line *b);

/* The whole of `text` as a number without sign and with at most 15 digits, which every program
 * that reads it can hold. False when it is anything else. */
bool answer_number(const struct monitor_line *text, long long *out);

#endif
