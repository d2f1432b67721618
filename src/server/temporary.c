/*
 * The set of rules in force has them, each with the second at which it is over; from then on it is
 * passed over, and it goes when the next one comes or goes. A clock that is set changes nothing of
 * how long it lasts. What stands beside, by the rule's
 * number, is that second and the rule's text, of which the set is made again at the next start.
 */
#include "server/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/parse.h"
#include "server/helper_groups.h"
#include "state/rule.h"
#include "state/rules.h"

/* Those that are to be, the newest first. */
struct temporary_list {
	size_t count;
	struct temporary_rule rules[TEMPORARY_MOST];
};

static void key_of(unsigned number, char key[16])
{
	snprintf(key, 16, "%u", number);
}

/* ---- what stands ---- */

static int put_standing(struct services *v, const struct temporary_rule *rule)
{
	char key[16], *value = NULL;
	int result;

	key_of(rule->number, key);
	if (asprintf(&value, "%lld %s", (long long)rule->until, rule->text) < 0)
		return -1;
	result = standing_put(v->standing, STANDING_RULE, key, value);
	free(value);
	return result;
}

/* What stays without memory goes at the next start: it is over by then, or comes back. */
static void drop_key(struct services *v, const char *key)
{
	if (standing_put(v->standing, STANDING_RULE, key, NULL) < 0)
		log_message(LOG_ERROR, "temporary rule t%s still stands: out of memory", key);
}

static void drop_standing(struct services *v, unsigned number)
{
	char key[16];

	key_of(number, key);
	drop_key(v, key);
}

/* ---- what is in force ---- */

/* Those that are not over, but for the one of that number; what they point to lives as long as `r`.
 */
static void list_rules(
	const struct rules *r, int64_t now, unsigned without, struct temporary_list *list)
{
	size_t count = rules_count(r);

	list->count = 0;
	for (size_t i = 0; i < count && list->count < TEMPORARY_MOST; i++) {
		const struct rule *rule = rules_get(r, i).rule;

		if (rule->number == 0 || rule->number == without || rules_end(rule) <= now)
			continue;
		list->rules[list->count++] = (struct temporary_rule){
			.text = rule->text, .number = rule->number, .until = rules_end(rule)};
	}
}

/* What is in the set and not in the list stands no more. */
static void forget_others(
	struct services *v, const struct rules *r, const struct temporary_list *list)
{
	size_t count = rules_count(r), kept = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned number = rules_get(r, i).rule->number;

		if (number == 0)
			continue;
		kept = 0;
		while (kept < list->count && list->rules[kept].number != number)
			kept++;
		if (kept == list->count)
			drop_standing(v, number);
	}
}

/* Lets those of the list be in force. -1 with `error`. */
static int put_in_force(struct services *v, const struct config *c,
	const struct temporary_list *list, char error[CONFIG_ERROR_MAX])
{
	struct rules *rules =
		rules_with_temporary(c->rules, &c->settings, list->rules, list->count, error);
	struct config *next = rules == NULL ? NULL : config_clone(c);

	if (next == NULL) {
		if (rules != NULL)
			snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		rules_release(rules);
		return -1;
	}
	config_set_rules(next, rules);
	helper_groups_follow(v, next);
	config_publish(v->config, next);
	return 0;
}

/* ---- one more ---- */

static unsigned next_number(const struct rules *r)
{
	size_t count = rules_count(r);
	unsigned last = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned number = rules_get(r, i).rule->number;

		if (number > last)
			last = number;
	}
	return last + 1;
}

/* `list` has the others. */
static int add_to(struct services *v, const struct config *c, struct temporary_list *list,
	const struct temporary_rule *rule, char *error)
{
	if (list->count == TEMPORARY_MOST) {
		snprintf(error, CONFIG_ERROR_MAX, "There are %d temporary rules already",
			TEMPORARY_MOST);
		return -1;
	}
	memmove(list->rules + 1, list->rules, list->count * sizeof(list->rules[0]));
	list->rules[0] = *rule;
	list->count++;
	if (put_standing(v, rule) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	if (put_in_force(v, c, list, error) == 0)
		return 0;
	drop_standing(v, rule->number);
	return -1;
}

static void log_rule(const char *message, const struct temporary_rule *rule)
{
	struct log_line line;
	char word[RULE_WORD_MAX];

	snprintf(word, sizeof(word), "t%u", rule->number);
	log_begin(&line, LOG_INFO, message);
	log_text(&line, "rule", word);
	log_text(&line, "text", rule->text);
	log_number(&line, "seconds", rule->until - (int64_t)time(NULL));
	log_end(&line);
}

int temporary_add(struct services *v, const char *text, int64_t lasts, unsigned *number,
	char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_get(v->config);
	struct temporary_list *list = malloc(sizeof(*list));
	int64_t now = time(NULL);
	struct temporary_rule rule = {
		.text = text, .number = next_number(c->rules), .until = now + lasts};
	int result = -1;

	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	if (list != NULL) {
		list_rules(c->rules, now, 0, list);
		result = add_to(v, c, list, &rule, error);
	}
	if (result == 0) {
		forget_others(v, c->rules, list);
		log_rule("temporary rule begins", &rule);
		*number = rule.number;
	}
	free(list);
	config_release(c);
	return result;
}

/* ---- fewer ---- */

int temporary_drop(struct services *v, unsigned number, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_get(v->config);
	struct temporary_list *list = malloc(sizeof(*list));
	int64_t now = time(NULL);
	size_t before;
	int result = -1;

	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	if (list != NULL) {
		list_rules(c->rules, now, 0, list);
		before = list->count;
		list_rules(c->rules, number == 0 ? INT64_MAX : now, number, list);
		result = (int)(before - list->count);
		if (result > 0 && put_in_force(v, c, list, error) < 0)
			result = -1;
		if (result > 0)
			forget_others(v, c->rules, list);
	}
	free(list);
	config_release(c);
	return result;
}

/* ---- at start ---- */

/* "UNTIL TEXT". False: it is over, or no such thing. */
static bool read_standing(
	const struct standing_fact *fact, int64_t now, struct temporary_rule *rule)
{
	const char *blank = strchr(fact->value, ' ');
	char until[24];
	int64_t number;

	if (blank == NULL || (size_t)(blank - fact->value) >= sizeof(until))
		return false;
	memcpy(until, fact->value, (size_t)(blank - fact->value));
	until[blank - fact->value] = '\0';
	if (!parse_number(until, &rule->until) || !parse_number(fact->key, &number) || number < 1 ||
		number > INT32_MAX)
		return false;
	rule->number = (unsigned)number;
	rule->text = blank + 1;
	return rule->until > now;
}

static int compare_rules(const void *a, const void *b)
{
	const struct temporary_rule *x = a, *y = b;

	return (y->number > x->number) - (y->number < x->number);
}

/* May it stand in this configuration? Groups may be gone since. */
static bool is_understood(const struct config *c, const struct temporary_rule *rule)
{
	char why[RULE_ERROR_MAX];
	struct rule *parsed =
		rule_parse(rule->text, strlen(rule->text), &c->settings.client_groups, why);

	if (parsed == NULL)
		log_message(LOG_WARN, "temporary rule t%u is left out: %s", rule->number, why);
	rule_release(parsed);
	return parsed != NULL;
}

static void take_standing(struct services *v, const struct config *c,
	const struct standing_fact *facts, size_t count, struct temporary_list *list)
{
	int64_t now = time(NULL);

	list->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct temporary_rule rule;

		if (list->count < TEMPORARY_MOST && read_standing(&facts[i], now, &rule) &&
			is_understood(c, &rule))
			list->rules[list->count++] = rule;
		else
			drop_key(v, facts[i].key);
	}
	qsort(list->rules, list->count, sizeof(list->rules[0]), compare_rules);
}

void temporary_restore(struct services *v)
{
	size_t count = 0;
	struct standing_fact *facts = standing_list(v->standing, STANDING_RULE, &count);
	struct temporary_list *list = malloc(sizeof(*list));
	struct config *c = config_get(v->config);
	char error[CONFIG_ERROR_MAX];

	if (facts == NULL || list == NULL) {
		log_message(LOG_ERROR, "temporary rules: out of memory");
	} else if (count > 0) {
		take_standing(v, c, facts, count, list);
		if (put_in_force(v, c, list, error) < 0)
			log_message(LOG_ERROR, "temporary rules: %s", error);
	}
	config_release(c);
	free(list);
	free(facts);
}
