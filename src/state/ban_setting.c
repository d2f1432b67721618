/*
 * A rule is a small sentence, of which every word has its place. Who is exempt is a list of
 * networks, as the type of such lists reads it, with a word more.
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

/* ---- ban_exempt ---- */

#define LOOPBACK "loopback"
#define NOBODY "none"

static bool add_exempt(void *to, const char *word, size_t len)
{
	struct ban_exempt *exempt = to;
	char why[SETTING_ERROR_MAX], text[WORD_MAX];
	struct setting_input in = {.text = text, .adds = true};

	if (len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (strcmp(text, LOOPBACK) == 0)
		exempt->loopback = true;
	else
		return setting_networks.parse(NULL, &exempt->networks, &in, why);
	return true;
}

static bool read_exempt(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct ban_exempt exempt = {.loopback = false};
	const char *text = in->text, *word;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		exempt = *(const struct ban_exempt *)value;
	if (strcmp(in->text, NOBODY) != 0) {
		while (parse_next_word(&text, &word, &len)) {
			if (!add_exempt(&exempt, word, len))
				return false;
		}
	}
	*(struct ban_exempt *)value = exempt;
	return true;
}

static void write_exempt(const struct setting *setting, const void *value, FILE *out)
{
	const struct ban_exempt *exempt = value;

	if (!exempt->loopback && exempt->networks.count == 0)
		fputs(NOBODY, out);
	if (exempt->loopback)
		fputs(exempt->networks.count > 0 ? LOOPBACK ", " : LOOPBACK, out);
	setting_networks.format(setting, &exempt->networks, out);
}

static bool equal_exempts(const void *a, const void *b)
{
	const struct ban_exempt *e = a, *f = b;

	return e->loopback == f->loopback && setting_networks.equal(&e->networks, &f->networks);
}

static void put_legal_exempt(const struct setting *setting, FILE *out)
{
	(void)setting;
	fprintf(out,
		LOOPBACK " and networks such as 203.0.113.0/24 (no bits set behind the prefix; at "
			 "most %d), or " NOBODY,
		SETTINGS_MAX_NETWORKS);
}

static void ask_exempt(const struct setting *setting, const char *text, FILE *out)
{
	struct ban_exempt exempt = {.loopback = false};
	char hint[NEAREST_HINT_MAX];
	const char *word;
	size_t len;

	if (!setting_find_refused(text, add_exempt, &exempt, &word, &len))
		return;
	fputs(nearest_among(word, len, (const char *const[]){LOOPBACK, NOBODY}, 2, hint), out);
	if (*hint == '\0')
		setting_networks.ask(setting, word, out);
}

const struct setting_type setting_ban_exempt = {
	.size = sizeof(struct ban_exempt),
	.is_list = true,
	.parse = read_exempt,
	.format = write_exempt,
	.equal = equal_exempts,
	.legal = put_legal_exempt,
	.ask = ask_exempt,
};

bool ban_exempt_has(const struct ban_exempt *exempt, const struct addr *a)
{
	return (exempt->loopback && addr_is_loopback(a)) ||
		network_list_contains(&exempt->networks, a);
}
