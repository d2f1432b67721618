/*
 * A rule is read when its setting is, so that what is wrong with it is said with its file and line;
 * what is kept is its text. Which groups and files there are is looked at when the set is compiled:
 * they may stand further down.
 */
#include "state/rule_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/parse.h"
#include "state/rule.h"

/* ---- rules ---- */

#define BETWEEN_RULES " \t;"

static void empty_lines(struct rule_lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->lines[i].text);
	free(l->lines);
	*l = (struct rule_lines){.count = 0};
}

/* Takes the text over, which may be NULL. -1 without memory. */
static int add_rule_line(struct rule_lines *l, char *text, const struct setting_place *place)
{
	struct rule_line *lines = grow_by_one(l->lines, l->count, &l->size, sizeof(*lines));

	if (lines != NULL)
		l->lines = lines;
	if (lines == NULL || text == NULL) {
		free(text);
		return -1;
	}
	lines[l->count++] = (struct rule_line){.text = text, .place = *place};
	return 0;
}

/* Reads one rule. */
static bool take_rule(struct rule_lines *l, const char *text, size_t len,
	const struct setting_place *place, char *why)
{
	struct rule *rule = rule_parse(text, len, NULL, why);
	bool is_added;

	if (rule == NULL)
		return false;
	is_added = add_rule_line(l, strdup(rule->text), place) == 0;
	rule_release(rule);
	if (!is_added)
		strcpy(why, "out of memory");
	return is_added;
}

static void cut_lines(struct rule_lines *l, size_t count)
{
	while (l->count > count)
		free(l->lines[--l->count].text);
}

static bool take_rules(struct rule_lines *l, const struct setting_input *in, char *why)
{
	const char *text = in->text + strspn(in->text, BETWEEN_RULES);

	while (*text != '\0') {
		size_t len = strcspn(text, ";");

		if (!take_rule(l, text, len, &in->place, why))
			return false;
		text += len;
		text += strspn(text, BETWEEN_RULES);
	}
	return true;
}

static bool read_rules(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct rule_lines *l = value, new = {.count = 0};
	size_t before = l->count;

	(void)setting;
	if (in->adds) {
		if (take_rules(l, in, why))
			return true;
		cut_lines(l, before);
		return false;
	}
	if (!take_rules(&new, in, why)) {
		empty_lines(&new);
		return false;
	}
	empty_lines(l);
	*l = new;
	return true;
}

static void write_rules(const struct setting *setting, const void *value, FILE *out)
{
	const struct rule_lines *l = value;

	(void)setting;
	for (size_t i = 0; i < l->count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : "; ", l->lines[i].text);
}

static bool equal_rule_lines(const void *a, const void *b)
{
	const struct rule_lines *l = a, *m = b;

	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->lines[i].text, m->lines[i].text) != 0)
			return false;
	}
	return true;
}

static int copy_rule_lines(void *to, const void *from)
{
	const struct rule_lines *old = from;
	struct rule_lines new = {.count = 0};

	for (size_t i = 0; i < old->count; i++) {
		if (add_rule_line(&new, strdup(old->lines[i].text), &old->lines[i].place) < 0) {
			empty_lines(&new);
			return -1;
		}
	}
	empty_lines(to);
	*(struct rule_lines *)to = new;
	return 0;
}

static void free_rule_lines(void *value)
{
	empty_lines(value);
}

static void put_legal_rules(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("allow or deny, and then from, user, to, port, command and time, each with its "
	      "values; several rules in one value are separated by ;",
		out);
}

const struct setting_type setting_rules = {
	.size = sizeof(struct rule_lines),
	.is_list = true,
	.parse = read_rules,
	.format = write_rules,
	.equal = equal_rule_lines,
	.copy = copy_rule_lines,
	.free = free_rule_lines,
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
