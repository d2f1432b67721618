/* nearest: which word of a table somebody may have meant who wrote another one. Pure; no lock. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_WORD_MAX 64 /* longer words are never looked for, nor found */
#define NEAREST_HINT_MAX (NEAREST_WORD_MAX + 32)

struct nearest {
	const char *typed; /* not ended by a NUL */
	size_t len;
	const char *word; /* the nearest so far; NULL: none is near */
	size_t distance; /* of it */
};

/* Begins the search for what `len` bytes at `typed` may have been meant to be. They and all words
 * tried are to live as long as the search. */
struct nearest nearest_to(const char *typed, size_t len);

/* Looks at one word of the table. It is near when at most a third of its letters are too many,
 * missing, others, or have changed places with their neighbour, or when what was typed (three
 * letters or more) is its beginning. Upper and lower case are alike, and so are _ and -. Of words
 * that are equally near the first one stays. */
void nearest_try(struct nearest *n, const char *word);

/* "; did you mean WORD?" for the end of a message, with `prefix` in front of the word, or "" when
 * none is near. Returns `out`. */
const char *nearest_hint(const struct nearest *n, const char *prefix, char out[NEAREST_HINT_MAX]);

/* All of it for the words of one array. Returns `out`. */
const char *nearest_among(const char *typed, size_t len, const char *const *words, size_t count,
	char out[NEAREST_HINT_MAX]);

#endif
