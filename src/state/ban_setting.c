/*
 * A rule is a small sentence, of which every word has its place.
 */
#include "state/ban_setting.h"

#include <string.h>

#include "base/parse.h"

/* Longer than any number, time or network in words. */
#define WORD_MAX 128

/* ---- ban ---- */

/* The next word of `*text`, which blanks part; "" at the end, and of one that is too long. */
static void next_of_rule(const char **text, char word[WORD_MAX])
{
	size_t len;

	*text += strspn(*text, " \t");
	len = strcspn(*text, " \t");
	snprintf(word, WORD_MAX, "%.*s", len < WORD_MAX ? (int)len : 0, *text);
	*text += len;
}

static bool take_word(const char **text, const char *expected)
{
	char word[WORD_MAX];

	next_of_rule(text, word);
	return strcmp(word, expected) == 0;
}

static bool take_number(const char **text, bool (*parse)(const char *text, int64_t *out),
	int64_t least, int64_t most, int64_t *out)
{
	char word[WORD_MAX];

	next_of_rule(text, word);
	return parse(word, out) && *out >= least && *out <= most;
}

static bool take_time(const char **text, int64_t *out)
{
	return take_number(text, parse_duration, BAN_LEAST_MS, BAN_LONGEST_MS, out);
}

static bool read_ban(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	const char *text = in->text;
	struct ban_rule rule = {0};

	(void)setting;
	if (strcmp(in->text, "off") == 0) {
		*(struct ban_rule *)value = rule;
		return true;
	}
	if (!take_number(&text, parse_number, 1, BAN_MOST_FAILURES, &rule.failures) ||
		!take_word(&text, "in") || !take_time(&text, &rule.within) ||
		!take_word(&text, "for") || !take_time(&text, &rule.first) ||
		!take_word(&text, "to") || !take_time(&text, &rule.longest) ||
		!take_word(&text, ""))
		return false;
	if (rule.longest < rule.first) {
		strcpy(why, "the longest ban is shorter than the first one");
		return false;
	}
	*(struct ban_rule *)value = rule;
	return true;
}

static void write_ban(const struct setting *setting, const void *value, FILE *out)
{
	const struct ban_rule *rule = value;
	char within[32], first[32], longest[32];

	(void)setting;
	if (rule->failures == 0)
		fputs("off", out);
	else
		fprintf(out, "%lld in %s for %s to %s", (long long)rule->failures,
			parse_format_duration(rule->within, within),
			parse_format_duration(rule->first, first),
			parse_format_duration(rule->longest, longest));
}

static bool equal_bans(const void *a, const void *b)
{
	const struct ban_rule *r = a, *s = b;

	return r->failures == s->failures && r->within == s->within && r->first == s->first &&
		r->longest == s->longest;
}

static void put_legal_ban(const struct setting *setting, FILE *out)
{
	char least[32], most[32];

	(void)setting;
	fprintf(out,
		"off, or NUMBER in TIME for TIME to TIME such as 10 in 10m for 1m to 1d (a number "
		"from 1 to %d, times from %s to %s)",
		BAN_MOST_FAILURES, parse_format_duration(BAN_LEAST_MS, least),
		parse_format_duration(BAN_LONGEST_MS, most));
}

const struct setting_type setting_ban = {
	.size = sizeof(struct ban_rule),
	.parse = read_ban,
	.format = write_ban,
	.equal = equal_bans,
	.legal = put_legal_ban,
};
