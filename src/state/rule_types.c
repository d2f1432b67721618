/*
 * A rule is read when its setting is, so that what is wrong with it is said with its file and line;
 * what is kept is its text. Which groups and files there are is looked at when the set is compiled:
 * they may stand further down.
 */
#include "state/rule_types.h"

#include <string.h>

#include "base/parse.h"
#include "state/rule.h"

/* ---- rules ---- */

/* Reads one rule. */
static bool take_rule(struct text_lines *l, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
{
	struct rule *rule = rule_parse(text, len, NULL, why);
	bool is_added;

	if (rule == NULL)
		return false;
	is_added = text_lines_add(l, rule->text, strlen(rule->text), place, why);
	rule_release(rule);
	return is_added;
}

static bool read_rules(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)setting;
	return text_lines_read(value, in, take_rule, why);
}

static void write_rules(const struct setting *setting, const void *value, FILE *out)
{
	const struct text_lines *l = value;

	(void)setting;
	for (size_t i = 0; i < l->count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : "; ", l->lines[i].text);
}

static void put_legal_rules(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("allow, deny or via NAME, and then from, user, to, port, command and time, each with its "
	      "values; several rules in one value are separated by ;",
		out);
}

const struct setting_type setting_rules = {
	.size = sizeof(struct text_lines),
	.is_list = true,
	.parse = read_rules,
	.format = write_rules,
	.equal = text_lines_equal,
	.copy = text_lines_copy,
	.free = text_lines_free,
	.legal = put_legal_rules,
};

/* ---- what is protected ---- */

#define CAN_BE_PROTECTED (PLACE_BIT(PLACE_PROTECTED) - 1)

static bool is_none(const char *word, size_t len)
{
	return len == 4 && memcmp(word, "none", 4) == 0;
}

static bool read_protected(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	int64_t places = in->adds ? *(const int64_t *)value : 0;
	const char *text = in->text, *word;
	bool has_none = false, is_empty = true;
	size_t len;

	(void)setting;
	(void)why;
	for (; parse_next_word(&text, &word, &len); is_empty = false) {
		enum rule_place place;

		if (is_none(word, len))
			has_none = true;
		else if (rule_place_parse(word, len, CAN_BE_PROTECTED, &place))
			places |= PLACE_BIT(place);
		else
			return false;
	}
	if (is_empty || (has_none && places != 0))
		return false;
	*(int64_t *)value = places;
	return true;
}

static void write_protected(const struct setting *setting, const void *value, FILE *out)
{
	int64_t places = *(const int64_t *)value;
	const char *separator = "";

	(void)setting;
	if (places == 0)
		fputs("none", out);
	for (enum rule_place place = 0; place < PLACE_PROTECTED; place++) {
		if ((places & PLACE_BIT(place)) == 0)
			continue;
		fprintf(out, "%s%s", separator, rule_place_word(place));
		separator = ", ";
	}
}

static bool equal_protected(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

static void put_legal_protected(const struct setting *setting, FILE *out)
{
	int64_t all = CAN_BE_PROTECTED;

	write_protected(setting, &all, out);
	fputs(", several of these, or none", out);
}

static bool can_be_protected(void *state, const char *word, size_t len)
{
	enum rule_place place;

	(void)state;
	return is_none(word, len) || rule_place_parse(word, len, CAN_BE_PROTECTED, &place);
}

static void ask_protected(const struct setting *setting, const char *text, FILE *out)
{
	const char *words[PLACE_PROTECTED + 1] = {[PLACE_PROTECTED] = "none"}, *word;
	char hint[NEAREST_HINT_MAX];
	size_t len;

	(void)setting;
	for (enum rule_place place = 0; place < PLACE_PROTECTED; place++)
		words[place] = rule_place_word(place);
	if (setting_find_refused(text, can_be_protected, NULL, &word, &len))
		fputs(nearest_among(word, len, words, PLACE_PROTECTED + 1, hint), out);
}

const struct setting_type setting_protected = {
	.size = sizeof(int64_t),
	.is_list = true,
	.parse = read_protected,
	.format = write_protected,
	.equal = equal_protected,
	.legal = put_legal_protected,
	.ask = ask_protected,
};
