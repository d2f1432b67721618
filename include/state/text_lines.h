/* text_lines: values of settings that are lines, each kept as its text with where it was written,
 * and read again by whoever makes something of it. A value; no lock. */
#ifndef STATE_TEXT_LINES_H
#define STATE_TEXT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "state/setting_types.h"

struct text_line {
	char *text;
	struct setting_place place;
};

/* Owns its texts. All zeros: none. */
struct text_lines {
	size_t count, size;
	struct text_line *lines;
};

/* Takes one line of `len` bytes: adds what it comes to by text_lines_add(). False with `why`. */
typedef bool text_lines_taker(struct text_lines *l, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX]);

/* Reads lines that are separated by semicolons, as the `parse` of a setting's type does. */
bool text_lines_read(struct text_lines *l, const struct setting_input *in, text_lines_taker *take,
	char why[SETTING_ERROR_MAX]) __attribute__((warn_unused_result));

/* Adds a copy of the `len` bytes of text. False with `why`: memory is out. */
bool text_lines_add(struct text_lines *l, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
	__attribute__((warn_unused_result));

/* The other operations of such a type, on struct text_lines. */
bool text_lines_equal(const void *a, const void *b);
int text_lines_copy(void *to, const void *from);
void text_lines_free(void *value);

#endif
