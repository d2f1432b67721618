/*
 * Everything that people write is read whole or refused: no sign, no blank, nothing behind the
 * number, no overflow that wraps. What is formatted is what would be read as the same value.
 */
#include "base/parse.h"

#include <stdio.h>
#include <string.h>

struct unit {
	const char *word;
	int64_t ms;
};

/* Largest first, which parse_format_duration() relies on. */
static const struct unit units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* The digits at the front of `text`; returns what follows them, NULL without digits or on
 * overflow. */
static const char *leading_number(const char *text, int64_t *out)
{
	const char *p = text;
	int64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		int digit = *p - '0';

		if (value > (INT64_MAX - digit) / 10)
			return NULL;
		value = value * 10 + digit;
	}
	*out = value;
	return p == text ? NULL : p;
}

bool parse_number(const char *text, int64_t *out)
{
	int64_t value;
	const char *rest = leading_number(text, &value);

	if (rest == NULL || *rest != '\0')
		return false;
	*out = value;
	return true;
}

bool parse_duration(const char *text, int64_t *out_ms)
{
	int64_t value;
	const char *rest = leading_number(text, &value);

	if (rest == NULL)
		return false;
	if (*rest == '\0')
		rest = "s";
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strcmp(rest, units[i].word) != 0)
			continue;
		if (value > INT64_MAX / units[i].ms)
			return false;
		*out_ms = value * units[i].ms;
		return true;
	}
	return false;
}

const char *parse_format_duration(int64_t ms, char out[32])
{
	size_t i = 0;

	if (ms == 0)
		return strcpy(out, "0s");
	while (ms % units[i].ms != 0)
		i++;
	snprintf(out, 32, "%lld%s", (long long)(ms / units[i].ms), units[i].word);
	return out;
}

bool parse_next_word(const char **cursor, const char **word, size_t *len)
{
	static const char separators[] = ", \t";

	*word = *cursor + strspn(*cursor, separators);
	*len = strcspn(*word, separators);
	*cursor = *word + *len;
	return *len > 0;
}

void parse_to_lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}
