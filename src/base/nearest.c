/*
 * The distance is that of Damerau and Levenshtein in its plain form (optimal string alignment),
 * computed row by row: a row needs the two before it. Words are short and tables small, so this is
 * done where somebody made a mistake, and never where speed counts.
 */
#include "base/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHORTEST_BEGINNING 3 /* letters that say enough of a word */
#define FAR ((size_t)-1)

struct nearest nearest_to(const char *typed, size_t len)
{
	return (struct nearest){.typed = typed, .len = len, .distance = FAR};
}

static char folded(char c)
{
	if (c == '-')
		return '_';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Have the letters in front of these two places changed places? */
static bool is_swapped(const char *a, size_t i, const char *b, size_t j)
{
	return i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
		folded(a[i - 2]) == folded(b[j - 1]);
}

/* Both at most NEAREST_WORD_MAX long. */
static size_t distance_of(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NEAREST_WORD_MAX + 1];
	size_t *older = rows[0], *last = rows[1], *row = rows[2], *unused;

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		unused = older;
		older = last;
		last = row;
		row = unused;
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least_of(last[j], row[j - 1]) + 1;
			row[j] = least_of(
				row[j], last[j - 1] + (folded(a[i - 1]) != folded(b[j - 1])));
			if (is_swapped(a, i, b, j))
				row[j] = least_of(row[j], older[j - 2] + 1);
		}
	}
	return row[b_len];
}

static bool is_beginning(const char *typed, size_t len, const char *word, size_t word_len)
{
	return len >= SHORTEST_BEGINNING && len < word_len &&
		distance_of(typed, len, word, len) == 0;
}

void nearest_try(struct nearest *n, const char *word)
{
	size_t len = strlen(word), distance;

	if (n->len > NEAREST_WORD_MAX || len > NEAREST_WORD_MAX)
		return;
	if (is_beginning(n->typed, n->len, word, len))
		distance = 1;
	else
		distance = distance_of(n->typed, n->len, word, len);
	/* Of a word of two letters nothing would be left. */
	if (distance > len / 3 || distance >= n->distance)
		return;
	n->word = word;
	n->distance = distance;
}

const char *nearest_hint(const struct nearest *n, const char *prefix, char out[NEAREST_HINT_MAX])
{
	out[0] = '\0';
	if (n->word != NULL)
		snprintf(out, NEAREST_HINT_MAX, "; did you mean %s%s?", prefix, n->word);
	return out;
}

const char *nearest_among(const char *typed, size_t len, const char *const *words, size_t count,
	char out[NEAREST_HINT_MAX])
{
	struct nearest nearest = nearest_to(typed, len);

	for (size_t i = 0; i < count; i++)
		nearest_try(&nearest, words[i]);
	return nearest_hint(&nearest, "", out);
}
