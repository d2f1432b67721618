/*
 * The types whose values are one thing: numbers, durations and choices are an int64_t, some of
 * whose values have a word; a text is a string of the value's own.
 */
#include "state/setting_scalars.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"

/* ---- numbers, durations and choices: an int64_t, some of whose values have a word ---- */

static bool value_of_word(const struct setting *setting, const char *text, int64_t *value)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++) {
		if (strcmp(w->word, text) == 0) {
			*value = w->value;
			return true;
		}
	}
	return false;
}

static bool put_word_of_value(const struct setting *setting, int64_t value, FILE *out)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++) {
		if (w->value == value) {
			fputs(w->word, out);
			return true;
		}
	}
	return false;
}

static void put_words(const struct setting *setting, FILE *out)
{
	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++)
		fprintf(out, "%s%s", w == setting->words ? "" : ", ", w->word);
}

static bool equal_int(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

/* `parse` reads what is none of the words. */
static bool parse_int(const struct setting *setting, int64_t *value, const char *text,
	bool (*parse)(const char *text, int64_t *out))
{
	int64_t n;

	if (value_of_word(setting, text, value))
		return true;
	if (!parse(text, &n) || n < setting->least || n > setting->most)
		return false;
	*value = n;
	return true;
}

static void put_words_or(const struct setting *setting, FILE *out)
{
	put_words(setting, out);
	if (setting->words != NULL)
		fputs(" or ", out);
}

static void ask_word(const struct setting *setting, const char *text, FILE *out)
{
	struct nearest nearest = nearest_to(text, strlen(text));
	char hint[NEAREST_HINT_MAX];

	for (const struct setting_word *w = setting->words; w != NULL && w->word != NULL; w++)
		nearest_try(&nearest, w->word);
	fputs(nearest_hint(&nearest, "", hint), out);
}

static bool read_number(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)why;
	return parse_int(setting, value, in->text, parse_number);
}

static void write_number(const struct setting *setting, const void *value, FILE *out)
{
	int64_t n = *(const int64_t *)value;

	if (!put_word_of_value(setting, n, out))
		fprintf(out, "%lld", (long long)n);
}

static void put_legal_numbers(const struct setting *setting, FILE *out)
{
	put_words_or(setting, out);
	fprintf(out, "a number from %lld to %lld", (long long)setting->least,
		(long long)setting->most);
}

const struct setting_type setting_number = {
	.size = sizeof(int64_t),
	.parse = read_number,
	.format = write_number,
	.equal = equal_int,
	.legal = put_legal_numbers,
	.ask = ask_word,
};

static bool read_duration(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)why;
	return parse_int(setting, value, in->text, parse_duration);
}

static void write_duration(const struct setting *setting, const void *value, FILE *out)
{
	int64_t ms = *(const int64_t *)value;
	char text[32];

	if (!put_word_of_value(setting, ms, out))
		fputs(parse_format_duration(ms, text), out);
}

static void put_legal_durations(const struct setting *setting, FILE *out)
{
	char least[32], most[32];

	put_words_or(setting, out);
	fprintf(out, "a time from %s to %s (500ms, 30s, 5m, 2h, 1d; without a unit: s)",
		parse_format_duration(setting->least, least),
		parse_format_duration(setting->most, most));
}

const struct setting_type setting_duration = {
	.size = sizeof(int64_t),
	.parse = read_duration,
	.format = write_duration,
	.equal = equal_int,
	.legal = put_legal_durations,
	.ask = ask_word,
};

static bool read_choice(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)why;
	return value_of_word(setting, in->text, value);
}

static void write_choice(const struct setting *setting, const void *value, FILE *out)
{
	(void)put_word_of_value(setting, *(const int64_t *)value, out);
}

const struct setting_type setting_choice = {
	.size = sizeof(int64_t),
	.parse = read_choice,
	.format = write_choice,
	.equal = equal_int,
	.legal = put_words,
	.ask = ask_word,
};

/* ---- texts: a string of the value's own ---- */

static const char *text_of(const void *value)
{
	const char *text = *(char *const *)value;

	return text == NULL ? "" : text;
}

static int set_text(void *value, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -1;
	free(*(char **)value);
	*(char **)value = copy;
	return 0;
}

static bool read_text(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	if (setting->valid != NULL && !setting->valid(in->text))
		return false;
	if (set_text(value, in->text) == 0)
		return true;
	strcpy(why, "out of memory");
	return false;
}

static void write_text(const struct setting *setting, const void *value, FILE *out)
{
	(void)setting;
	fputs(text_of(value), out);
}

static bool equal_texts(const void *a, const void *b)
{
	return strcmp(text_of(a), text_of(b)) == 0;
}

static int copy_text(void *to, const void *from)
{
	return set_text(to, text_of(from));
}

static void free_text(void *value)
{
	free(*(char **)value);
}

static void put_legal_texts(const struct setting *setting, FILE *out)
{
	fputs(setting->legal != NULL ? setting->legal : "any text", out);
}

const struct setting_type setting_text = {
	.size = sizeof(char *),
	.parse = read_text,
	.format = write_text,
	.equal = equal_texts,
	.copy = copy_text,
	.free = free_text,
	.legal = put_legal_texts,
};
