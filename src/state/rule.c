/*
 * Keywords are asked one after the other, those first that cost least, and the first that does not
 * match is the answer. What costs something is found out for a question once, whichever rule is the
 * first to ask: the hashes of a name, which minute it is on the wall.
 *
 * A list that could not be read must not open what it was to close: a rule that denies takes it for
 * all there is, one that allows for nothing.
 */
#include "state/rule.h"

#include <stdlib.h>
#include <string.h>

#include "state/rules.h"
#include "state/upstream_line.h"

/* ---- its life ---- */

struct rule *rule_hold(struct rule *rule)
{
	atomic_fetch_add(&rule->references, 1);
	return rule;
}

static void free_area(struct rule_area *area)
{
	rule_list_release(area->values);
	for (size_t i = 0; i < area->file_count; i++) {
		free(area->files[i].path);
		rule_list_release(area->files[i].list);
	}
	free(area->files);
}

void rule_release(struct rule *rule)
{
	if (rule == NULL || atomic_fetch_sub(&rule->references, 1) > 1)
		return;
	free_area(&rule->from);
	free_area(&rule->to);
	for (size_t i = 0; i < rule->user_count; i++)
		free(rule->users[i].name);
	free(rule->users);
	for (size_t i = 0; i < rule->via_count; i++)
		free(rule->via[i]);
	free(rule->via);
	free(rule->ports);
	free(rule->times);
	free(rule->text);
	rule_hits_release(rule->hits);
	free(rule);
}

struct rule_hits *rule_hits_new(void)
{
	struct rule_hits *hits = calloc(1, sizeof(*hits));

	if (hits != NULL)
		atomic_init(&hits->references, 1);
	return hits;
}

struct rule_hits *rule_hits_hold(struct rule_hits *hits)
{
	atomic_fetch_add(&hits->references, 1);
	return hits;
}

void rule_hits_release(struct rule_hits *hits)
{
	if (hits != NULL && atomic_fetch_sub(&hits->references, 1) == 1)
		free(hits);
}

/* ---- networks and names ---- */

static bool lacks_file(const struct rule_area *area)
{
	for (size_t i = 0; i < area->file_count; i++) {
		if (area->files[i].list == NULL)
			return true;
	}
	return false;
}

/* The longest prefix of all networks that `a` is in; -1: of none. */
static int longest_prefix(const struct rule_area *area, const struct addr *a)
{
	int longest = rule_list_prefix_of(area->values, a);

	for (size_t i = 0; i < area->file_count; i++) {
		int prefix = area->files[i].list == NULL
			? -1
			: rule_list_prefix_of(area->files[i].list, a);

		longest = prefix > longest ? prefix : longest;
	}
	return longest;
}

/* The name that was asked for; NULL: it was none that a list can hold. */
static const struct rule_name *name_of_question(struct rule_question *q)
{
	const struct destination *dst = q->subject->dst;

	if (!q->knows_name) {
		q->has_name = dst != NULL && dst->kind == DESTINATION_NAME &&
			rule_name_set(q->name, dst->name, dst->name_len);
		q->knows_name = true;
	}
	return q->has_name ? q->name : NULL;
}

size_t rule_area_names(const struct rule_area *area)
{
	size_t names = rule_list_names(area->values);

	for (size_t i = 0; i < area->file_count; i++)
		names += area->files[i].list == NULL ? 0 : rule_list_names(area->files[i].list);
	return names;
}

static bool has_the_name(const struct rule_area *area, struct rule_question *q)
{
	const struct rule_name *name = rule_area_names(area) > 0 ? name_of_question(q) : NULL;

	if (name == NULL)
		return false;
	if (rule_list_has_name(area->values, name))
		return true;
	for (size_t i = 0; i < area->file_count; i++) {
		if (area->files[i].list != NULL && rule_list_has_name(area->files[i].list, name))
			return true;
	}
	return false;
}

/* ---- the keywords ---- */

void rule_question_about(struct rule_question *question, const struct addr *addr)
{
	question->addr = addr;
	question->places = 0;
	if (addr == NULL)
		return;
	question->places = rule_places_of(addr);
	if (addr_is_private(addr))
		question->places |= PLACE_BIT(PLACE_PRIVATE);
}

static bool is_of_place(unsigned places, enum rule_place place)
{
	return (places & PLACE_BIT(place)) != 0;
}

static enum rule_answer answer_of(bool matches)
{
	return matches ? RULE_YES : RULE_NO;
}

static enum rule_answer ask_from(const struct rule *rule, struct rule_question *q)
{
	const struct rule_area *area = &rule->from;
	const struct addr *client = q->subject->client;

	if (lacks_file(area))
		return answer_of(rule->action == RULE_DENY);
	return answer_of((is_of_place(area->places, PLACE_LOOPBACK) && addr_is_loopback(client)) ||
		(is_of_place(area->places, PLACE_PRIVATE) && addr_is_private(client)) ||
		(is_of_place(area->places, PLACE_LOCAL) && q->subject->own != NULL &&
			own_has_network_of(q->subject->own, client)) ||
		longest_prefix(area, client) >= 0);
}

/* Is `name` one of the words between the commas? */
static bool is_among(const char *groups, const char *name, size_t len)
{
	for (; groups != NULL && *groups != '\0'; groups += *groups == ',') {
		size_t next = strcspn(groups, ",");

		if (next == len && memcmp(groups, name, len) == 0)
			return true;
		groups += next;
	}
	return false;
}

static enum rule_answer ask_user(const struct rule *rule, struct rule_question *q)
{
	const struct subject *s = q->subject;

	if (s->user_len == 0)
		return answer_of(rule->is_anonymous);
	if (rule->is_known)
		return RULE_YES;
	for (size_t i = 0; i < rule->user_count; i++) {
		const struct rule_user *user = &rule->users[i];

		if (user->is_group ? is_among(s->groups, user->name, user->len)
				   : user->len == s->user_len &&
					memcmp(user->name, s->user, user->len) == 0)
			return RULE_YES;
	}
	return RULE_NO;
}

static enum rule_answer ask_command(const struct rule *rule, struct rule_question *q)
{
	return answer_of((rule->commands & (1U << q->subject->command)) != 0);
}

/* What the client has named; NULL: nothing that counts. Whom BIND waits for may be anybody. */
static const struct destination *destination_of(const struct subject *s)
{
	bool is_anybody = s->command == REQUEST_BIND && s->addr == NULL && s->dst != NULL &&
		s->dst->kind == DESTINATION_ADDR && addr_is_unspecified(&s->dst->addr);

	return is_anybody ? NULL : s->dst;
}

/* 0: not known yet. */
static uint16_t port_of_question(const struct rule_question *q)
{
	const struct destination *dst = destination_of(q->subject);

	if (q->subject->addr != NULL)
		return addr_port(q->subject->addr);
	return dst == NULL ? 0 : dst->port;
}

static enum rule_answer ask_port(const struct rule *rule, struct rule_question *q)
{
	uint16_t port = port_of_question(q);

	for (size_t i = 0; i < rule->port_count && port != 0; i++) {
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return RULE_YES;
	}
	return port == 0 ? RULE_DEPENDS : RULE_NO;
}

static bool is_own_address(const struct rule_question *q)
{
	const struct subject *s = q->subject;

	return s->is_here || (s->own != NULL && own_has_address(s->own, q->addr));
}

static bool is_address_of(const struct rule_area *area, const struct rule_question *q)
{
	return (area->places & q->places) != 0 ||
		(is_of_place(area->places, PLACE_OWN) && is_own_address(q)) ||
		longest_prefix(area, q->addr) >= 0;
}

static enum rule_answer ask_to(const struct rule *rule, struct rule_question *q)
{
	const struct rule_area *area = &rule->to;
	const struct destination *dst = destination_of(q->subject);
	bool is_literal = dst != NULL && dst->kind == DESTINATION_ADDR;

	if (lacks_file(area))
		return answer_of(rule->action == RULE_DENY);
	if ((is_literal && is_of_place(area->places, PLACE_LITERAL)) || has_the_name(area, q))
		return RULE_YES;
	if (q->addr != NULL)
		return answer_of(is_address_of(area, q));
	return dst == NULL || rule_has_addresses(rule) ? RULE_DEPENDS : RULE_NO;
}

size_t rule_area_networks(const struct rule_area *area)
{
	size_t networks = rule_list_networks(area->values);

	for (size_t i = 0; i < area->file_count; i++)
		networks +=
			area->files[i].list == NULL ? 0 : rule_list_networks(area->files[i].list);
	return networks;
}

bool rule_has_addresses(const struct rule *rule)
{
	return rule_area_networks(&rule->to) > 0 ||
		(rule->to.places & ~PLACE_BIT(PLACE_LITERAL)) != 0;
}

static enum rule_answer ask_time(const struct rule *rule, struct rule_question *q)
{
	if (!q->knows_time) {
		q->now = rule_now_of(q->subject->time);
		q->knows_time = true;
	}
	for (size_t i = 0; i < rule->time_count; i++) {
		if (rule_time_holds(&rule->times[i], &q->now))
			return RULE_YES;
	}
	return RULE_NO;
}

/* In the order in which they are asked. */
static const struct {
	enum rule_keyword keyword;
	enum rule_answer (*ask)(const struct rule *rule, struct rule_question *q);
} questions[RULE_KEYWORDS] = {
	{RULE_COMMAND, ask_command},
	{RULE_PORT, ask_port},
	{RULE_USER, ask_user},
	{RULE_FROM, ask_from},
	{RULE_TO, ask_to},
	{RULE_TIME, ask_time},
};

enum rule_answer rule_ask(
	const struct rule *rule, struct rule_question *question, enum rule_keyword *by)
{
	enum rule_answer answer = RULE_YES;

	for (size_t i = 0; i < RULE_KEYWORDS; i++) {
		enum rule_answer one;

		if ((rule->keywords & (1U << questions[i].keyword)) == 0)
			continue;
		one = questions[i].ask(rule, question);
		if (one != RULE_YES)
			*by = questions[i].keyword;
		if (one == RULE_NO)
			return RULE_NO;
		if (one == RULE_DEPENDS)
			answer = RULE_DEPENDS;
	}
	return answer;
}

void rule_put_via(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->via_count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ",", rule->via[i]);
	if (rule->goes_straight)
		fputs("," UPSTREAM_DIRECT, out);
}

/* ---- protected places ---- */

/* The shortest prefix with which a network lies within the protected range that `a` is in. */
static int prefix_inside(enum rule_place place, const struct addr *a)
{
	unsigned places = rule_places_of(a);

	if (place == PLACE_OWN)
		return a->sa.sa_family == AF_INET ? 32 : 128;
	if (place != PLACE_REBINDING)
		return (int)rule_place_prefix(place, a);
	for (enum rule_place p = PLACE_LOOPBACK; p <= PLACE_PRIVATE; p++) {
		if (is_of_place(places, p) && p != PLACE_METADATA)
			return (int)rule_place_prefix(p, a);
	}
	return 129;
}

bool rule_names_place(
	const struct rule *rule, struct rule_question *question, enum rule_place place)
{
	if (is_of_place(rule->to.places, place) ||
		(place == PLACE_REBINDING && has_the_name(&rule->to, question)))
		return true;
	return (rule->keywords & (1U << RULE_TO)) != 0 &&
		longest_prefix(&rule->to, question->addr) >= prefix_inside(place, question->addr);
}
