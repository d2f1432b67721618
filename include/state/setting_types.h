/* setting_types: what a setting is, what its type does, a struct of operations on its values, and
 * what can be done with any setting through it. No state, no lock. */
#ifndef STATE_SETTING_TYPES_H
#define STATE_SETTING_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/nearest.h"

#define SETTING_ERROR_MAX 768

/* ---- what a setting is ---- */

/* A word that stands for a value. */
struct setting_word {
	const char *word;
	int64_t value;
};

/* A row of a table of settings. */
struct setting {
	const char *name; /* in the file; as a flag with - for _ */
	char flag; /* the short flag, or 0 */
	const char *flag_name; /* the long one, where that is another than the name; else NULL */
	const struct setting_type *type;
	size_t offset; /* of the value in the struct that holds those of the whole table */
	const char *initial; /* the default, as it would be written */
	int64_t least, most; /* of numbers and durations; the most addresses */
	const struct setting_word
		*words; /* up to a NULL; those of a choice, others beside numbers */
	bool (*valid)(const char *text); /* of texts: NULL = anything is */
	const char *legal; /* of texts with `valid`: what is, in words */
	bool reloadable; /* a change takes effect while running */
	bool is_files; /* it names a file, which only the configuration file may do while running:
			  who may use the monitor is not to have the server write anywhere */
	unsigned effects; /* what a change has to do then beside: bits that are the table's */
	const char *value_name; /* for the help: ADDR, FILE */
	const char *help; /* one sentence or two, without the default */
};

/* Where something was written. */
struct setting_place {
	const char
		*file; /* NULL: in none, but as a flag or a command; lives as long as the value */
	unsigned line;
};

#define SETTING_PLACE_MAX 560

/* Writes "FILE:LINE: ", or "" where it was written in none: how many bytes. `size` is
 * SETTING_PLACE_MAX at least. */
size_t setting_place_put(const struct setting_place *place, char *out, size_t size);

/* One value as it was written. Of a list it may be a line among thousands, so to add one must not
 * cost a copy of those before it. */
struct setting_input {
	const char *text;
	bool adds; /* to a list that began before; else it takes the place of what there was */
	struct setting_place place;
};

/* What is done with the values of a type. A value is `size` bytes somewhere; all of them zero is a
 * value, too, an empty one, which owns no memory. */
struct setting_type {
	size_t size;
	bool is_list; /* a second value is added to the first */
	/* Reads `in`. False when it is not legal or memory is out, and nothing changed; then `why`,
	 * which was "", may say what is wrong, where legal() does not. */
	bool (*parse)(const struct setting *setting, void *value, const struct setting_input *in,
		char why[SETTING_ERROR_MAX]);
	/* Writes the value as parse() would take it. */
	void (*format)(const struct setting *setting, const void *value, FILE *out);
	bool (*equal)(const void *a, const void *b);
	/* Gives the value `to` what `from` has. -1 without memory, and nothing changed. NULL: the
	 * value owns no memory, its bytes are copied. */
	int (*copy)(void *to, const void *from);
	/* Frees what the value owns. NULL: nothing. */
	void (*free)(void *value);
	/* Writes what parse() takes, in words: "a number from 1 to 65535". */
	void (*legal)(const struct setting *setting, FILE *out);
	/* Writes a question for the end of the complaint about `text`, which parse() refused, when
	 * there is something near that it takes: "; did you mean auto?". NULL: never. */
	void (*ask)(const struct setting *setting, const char *text, FILE *out);
	/* Writes what may be shown of a text that parse() refused, where there may be a secret in
	 * it. NULL: all of it may. */
	void (*mask)(const char *text, FILE *out);
};

/* ---- what is done with a setting; `values` is the struct that its table is about ---- */

/* The row called `name`, with _ or - alike; NULL when there is none. */
const struct setting *setting_find(const struct setting *table, size_t count, const char *name);

/* "; did you mean NAME?" for the end of a complaint that no row is called `name`, or "" when none
 * has a name like that. Returns `out`. */
const char *setting_name_hint(
	const struct setting *table, size_t count, const char *name, char out[NEAREST_HINT_MAX]);

/* Sets the value. False when `in` is not legal or memory is out; then nothing changed, and `why`
 * tells: "x": legal is a number from 1 to 65535. What may have been meant is asked behind it. */
bool setting_set(const struct setting *setting, void *values, const struct setting_input *in,
	char why[SETTING_ERROR_MAX]) __attribute__((warn_unused_result));

/* What setting_set() takes, in words. To be freed; NULL without memory. */
char *setting_legal(const struct setting *setting);

/* Writes the value as setting_set() would take it. */
void setting_put(const struct setting *setting, const void *values, FILE *out);

/* The same as a string. To be freed; NULL without memory. */
char *setting_format(const struct setting *setting, const void *values);

bool setting_equal(const struct setting *setting, const void *a, const void *b);

/* Makes `to` have the value that `from` has. -1 without memory, and nothing changed. */
int setting_copy(const struct setting *setting, void *to, const void *from)
	__attribute__((warn_unused_result));

/* Frees what the value owns, and makes it an empty one. */
void setting_free(const struct setting *setting, void *values);

/* The flag of a setting: "--max-sessions". Returns `out`. */
const char *setting_flag(const struct setting *setting, char out[64]);

/* ---- for types whose values are written as words ---- */

/* Does a value take this word? */
typedef bool setting_taker(void *state, const char *word, size_t len);

/* The first word of `text` that `takes` refuses, which ask() is to ask about; false when there is
 * none. */
bool setting_find_refused(
	const char *text, setting_taker *takes, void *state, const char **word, size_t *len);

/* ---- rows ---- */

/* In a row of a table: its type, and that the value is `member` of the struct `values`. What that
 * member is in C is checked by the compiler. */
#define SETTING_AT(of_type, c_type, values, member)                                                \
	.type = &(of_type), .offset = offsetof(values, member) * SETTING_IS(c_type, values, member)
/* 1; there are no parentheses around such a type. NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define SETTING_IS(c_type, values, member) _Generic(((values *)0)->member, c_type : 1)

#endif
