/*
 * A set is written in the order of the row's words, in whichever order it was read; so two that are
 * equal look so, too.
 */
#include "state/word_types.h"

#include <string.h>

#include "base/parse.h"

static const struct setting_word *find_in_set(
	const struct setting *setting, const char *word, size_t len)
{
	for (const struct setting_word *w = setting->words; w->word != NULL; w++) {
		if (strlen(w->word) == len && memcmp(w->word, word, len) == 0)
			return w;
	}
	return NULL;
}

static bool read_word_set(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	int64_t set = in->adds ? *(const int64_t *)value : 0;
	const char *text = in->text, *word;
	bool is_empty = true;
	size_t len;

	(void)why;
	for (; parse_next_word(&text, &word, &len); is_empty = false) {
		const struct setting_word *found = find_in_set(setting, word, len);

		if (found == NULL)
			return false;
		set |= found->value;
	}
	if (is_empty)
		return false;
	*(int64_t *)value = set;
	return true;
}

static void put_words_of(const struct setting *setting, int64_t set, FILE *out)
{
	const char *separator = "";

	for (const struct setting_word *w = setting->words; w->word != NULL; w++) {
		if ((set & w->value) == 0)
			continue;
		fprintf(out, "%s%s", separator, w->word);
		separator = ", ";
	}
}

static void write_word_set(const struct setting *setting, const void *value, FILE *out)
{
	put_words_of(setting, *(const int64_t *)value, out);
}

static bool equal_word_sets(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

static void put_legal_word_set(const struct setting *setting, FILE *out)
{
	put_words_of(setting, ~INT64_C(0), out);
	fputs(", or several of these", out);
}

static bool is_in_set(void *setting, const char *word, size_t len)
{
	return find_in_set(setting, word, len) != NULL;
}

/* About the first word that is none of them. */
static void ask_word_set(const struct setting *setting, const char *text, FILE *out)
{
	char hint[NEAREST_HINT_MAX];
	struct nearest nearest;
	const char *word;
	size_t len;

	if (!setting_find_refused(text, is_in_set, (void *)(uintptr_t)setting, &word, &len))
		return;
	nearest = nearest_to(word, len);
	for (const struct setting_word *w = setting->words; w->word != NULL; w++)
		nearest_try(&nearest, w->word);
	fputs(nearest_hint(&nearest, "", hint), out);
}

const struct setting_type setting_word_set = {
	.size = sizeof(int64_t),
	.is_list = true,
	.parse = read_word_set,
	.format = write_word_set,
	.equal = equal_word_sets,
	.legal = put_legal_word_set,
	.ask = ask_word_set,
};
