/*
 * Three things are asked in this order. Built-in rules: what is nowhere cannot be a target, and the
 * proxy itself must not be one, since a client that reaches it comes from this host then. The rules
 * that were written, of which the first that matches decides; one that would allow is passed over
 * where the address is protected and the rule does not name that place. And what is left when none
 * does: protection, or `otherwise`.
 *
 * BIND names whom it waits for, who may be anybody, from any port; so of the built-in rules only
 * the last one speaks of its request and its peer.
 *
 * A rule that sends what has a name through upstreams has the last word at once, since the name is
 * theirs to look up: no address of it is known here, then or later. Names of this very host, and
 * addresses, are judged as always.
 *
 * A question without an address is one about all addresses that may come. A rule that needs one may
 * match or not, so the answer is no only if every way ends there; and whoever is told yes asks
 * again with each address. An IPv6 address with an IPv4 one within is two, and both must be
 * allowed: which of them the packets go to in the end is for others to decide.
 */
#include "state/rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <strings.h>

#include "base/wall.h"
#include "state/rule_set.h"

/* ---- nowhere ---- */

static bool lacks_port(const struct config *c, const struct subject *s)
{
	(void)c;
	if (s->command == REQUEST_BIND || s->dst == NULL)
		return false;
	return (s->addr != NULL ? addr_port(s->addr) : s->dst->port) == 0;
}

static bool is_unspecified(const struct config *c, const struct subject *s)
{
	(void)c;
	return s->command != REQUEST_BIND && s->addr != NULL && addr_is_unspecified(s->addr);
}

/* ---- the proxy itself ---- */

static bool listens_at(const struct addr *listener, const struct addr *addr)
{
	return addr_same_host(listener, addr) && addr_port(listener) == addr_port(addr);
}

/* Is the listener at `addr` too, if that is an address of this host? */
static bool is_at_all_of_this_host(const struct addr *listener, const struct addr *addr)
{
	return addr_is_unspecified(listener) && listener->sa.sa_family == addr->sa.sa_family &&
		addr_port(listener) == addr_port(addr);
}

static bool is_listener_at(const struct config *c, const struct addr *addr, bool is_here)
{
	for (size_t i = 0; i < c->own_count; i++) {
		if (listens_at(&c->own[i], addr) ||
			(is_here && is_at_all_of_this_host(&c->own[i], addr)))
			return true;
	}
	return false;
}

/* What is within an IPv6 address is taken for one of this host where it might be. */
static bool is_own(struct own *own, const struct addr *addr)
{
	return own != NULL && own_has_address(own, addr);
}

static bool is_listener(const struct config *c, const struct subject *s)
{
	struct addr within;

	if (s->addr == NULL)
		return false;
	return is_listener_at(c, s->addr, s->is_here) ||
		(rule_places_ipv4_within(s->addr, &within) &&
			is_listener_at(c, &within, s->is_here || is_own(s->own, &within)));
}

bool rules_is_listener(const struct config *c, const struct addr *addr, struct own *own)
{
	const struct subject s = {.addr = addr, .is_here = is_own(own, addr), .own = own};

	return is_listener(c, &s);
}

bool rules_ask_where(const struct config *c, const struct addr *addr)
{
	for (size_t i = 0; i < c->own_count; i++) {
		if (is_at_all_of_this_host(&c->own[i], addr))
			return true;
	}
	return c->rules != NULL && c->rules->asks_own;
}

bool rules_ask_groups(const struct config *c)
{
	return c->rules != NULL && c->rules->asks_groups;
}

bool rules_ask_users(const struct config *c)
{
	return c->rules != NULL && c->rules->asks_users;
}

static const struct built_in {
	const char *word;
	bool (*denies)(const struct config *c, const struct subject *s);
} built_ins[] = {
	{"no_port", lacks_port},
	{"unspecified", is_unspecified},
	{RULES_OWN, is_listener},
};

/* ---- verdicts ---- */

#define NO_SET 0 /* whose hits nobody counts */

static struct verdict verdict_of(bool allowed, const char *word)
{
	struct verdict v = {.allowed = allowed, .set = NO_SET};

	strcpy(v.rule, word);
	return v;
}

static const char *word_of_rule(const struct rules *r, size_t index, char out[RULE_WORD_MAX])
{
	const struct rule *rule = r->rules[index];

	if (rule->number > 0)
		snprintf(out, RULE_WORD_MAX, "t%u", rule->number);
	else
		snprintf(out, RULE_WORD_MAX, "%zu", index - r->temporary + 1);
	return out;
}

static struct verdict verdict_of_rule(const struct rules *r, size_t index)
{
	struct verdict v = {.allowed = r->rules[index]->action != RULE_DENY,
		.is_via = r->rules[index]->action == RULE_VIA,
		.set = r->id,
		.step = (uint32_t)index};

	word_of_rule(r, index, v.rule);
	return v;
}

static struct verdict verdict_of_otherwise(const struct rules *r)
{
	struct verdict v = verdict_of(r->otherwise_allows, "otherwise");

	v.step = rule_set_otherwise(r);
	v.set = r->count > 0 || !v.allowed ? r->id : NO_SET;
	return v;
}

static struct verdict verdict_of_protection(const struct rules *r, enum rule_place place)
{
	struct verdict v = {.set = r->id, .step = rule_set_protection(r, place)};

	snprintf(v.rule, sizeof(v.rule), "protect:%s", rule_place_word(place));
	return v;
}

/* ---- what is protected ---- */

/* The protected places that the address of the question is in. */
static unsigned protected_places(const struct rules *r, const struct rule_question *q)
{
	const struct subject *s = q->subject;
	unsigned places;

	if (q->addr == NULL || r->is_protected == 0)
		return 0;
	places = rule_places_of(q->addr);
	if (s->is_here || (r->asks_own && s->own != NULL && own_has_address(s->own, q->addr)))
		places |= PLACE_BIT(PLACE_OWN);
	if ((r->is_protected & PLACE_BIT(PLACE_REBINDING)) != 0 && addr_is_private(q->addr) &&
		s->dst != NULL && s->dst->kind == DESTINATION_NAME &&
		rule_name_looks_public(s->dst->name, s->dst->name_len))
		places |= PLACE_BIT(PLACE_REBINDING);
	if (addr_is_loopback(s->client))
		places &= ~PLACE_BIT(PLACE_LOOPBACK);
	return places & r->is_protected;
}

/* The one of these that says most: metadata are at link-local addresses, too. */
static enum rule_place place_to_tell(unsigned places)
{
	enum rule_place place = PLACE_LOOPBACK;

	if ((places & PLACE_BIT(PLACE_METADATA)) != 0)
		return PLACE_METADATA;
	while ((places & PLACE_BIT(place)) == 0)
		place++;
	return place;
}

/* Those of the places that the rule does not name. */
static unsigned places_not_named(const struct rule *rule, struct rule_question *q, unsigned places)
{
	unsigned left = places;

	for (enum rule_place place = 0; place < PLACE_PROTECTED && left != 0; place++) {
		if ((places & PLACE_BIT(place)) != 0 && rule_names_place(rule, q, place))
			left &= ~PLACE_BIT(place);
	}
	return left;
}

/* ---- judging ---- */

struct judging {
	const struct rules *rules;
	struct rule_question question;
	void (*see)(void *context, const struct rule_step *step); /* NULL: nobody does */
	void *context;
	unsigned places; /* that are protected */
	unsigned lacking; /* of those, what the last rule that was passed over did not name */
	bool may_be_allowed; /* by a rule that needs to know more */
};

static void show(struct judging *j, struct rule_step step)
{
	if (j->see == NULL)
		return;
	step.addr = j->question.addr;
	j->see(j->context, &step);
}

static bool is_over(const struct rule *rule, const struct subject *s)
{
	return rule->until != 0 && s->time >= wall_from_steady(rule->until);
}

/* Would it allow what it may not? */
static bool is_passed_over(struct judging *j, const struct rule *rule)
{
	unsigned lacking = rule->action != RULE_DENY && j->places != 0
		? places_not_named(rule, &j->question, j->places)
		: 0;

	if (lacking == 0)
		return false;
	j->lacking = lacking;
	return true;
}

/* Does this rule decide? */
static bool ask_rule(struct judging *j, size_t index)
{
	const struct rule *rule = j->rules->rules[index];
	struct rule_step step = {.index = index, .outcome = RULE_IS_OVER};
	enum rule_answer answer;

	if (is_over(rule, j->question.subject)) {
		show(j, step);
		return false;
	}
	answer = rule_ask(rule, &j->question, &step.keyword);
	step.outcome = RULE_DECIDES;
	if (answer == RULE_NO) {
		step.outcome = RULE_MISSES;
	} else if (answer == RULE_DEPENDS) {
		step.outcome = RULE_MAY_MATCH;
		j->may_be_allowed |= rule->action != RULE_DENY;
	} else if (is_passed_over(j, rule)) {
		step.outcome = RULE_NAMES_NOT;
		step.protection = place_to_tell(j->lacking);
	}
	show(j, step);
	return step.outcome == RULE_DECIDES;
}

/* localhost, or what ends in it: this host, whoever looks it up (RFC 6761 section 6.3). */
static bool is_localhost(const struct destination *dst)
{
	static const char localhost[] = "localhost";
	size_t len = dst->name_len, end = sizeof(localhost) - 1;

	len -= len > 0 && dst->name[len - 1] == '.';
	return len >= end && strncasecmp(dst->name + len - end, localhost, end) == 0 &&
		(len == end || dst->name[len - end - 1] == '.');
}

/* Is it such as hosts have? What is not, as [::1], ::1%lo or 127.0.0.%31, might be read as an
 * address by who gets it. */
static bool is_hostname(const struct destination *dst)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";
	char before = '.';

	for (size_t i = 0; i < dst->name_len; i++) {
		char c = dst->name[i];

		if (memchr(legal, c, sizeof(legal) - 1) == NULL || (c == '.' && before == '.'))
			return false;
		before = c;
	}
	return true;
}

/* Does the rule, which matches, send it on by its name? */
static bool sends_name(const struct rule *rule, const struct rule_question *q)
{
	const struct destination *dst = q->subject->dst;

	return rule->action == RULE_VIA && !rule->resolves_here && q->addr == NULL && dst != NULL &&
		dst->kind == DESTINATION_NAME && is_hostname(dst) && !is_localhost(dst) &&
		!q->subject->names_this_host;
}

static struct verdict judge_by_rules(struct judging *j)
{
	const struct rules *r = j->rules;
	struct verdict v;
	size_t i = 0;

	j->places = protected_places(r, &j->question);
	while (i < r->count && !ask_rule(j, i))
		i++;
	if (i < r->count) {
		v = verdict_of_rule(r, i);
		v.is_by_name = sends_name(r->rules[i], &j->question);
	} else if (j->places != 0) {
		v = verdict_of_protection(
			r, place_to_tell(j->lacking != 0 ? j->lacking : j->places));
	} else {
		v = verdict_of_otherwise(r);
	}
	v.allowed |= j->may_be_allowed;
	return v;
}

/* As one address; NULL: as none yet. */
static struct verdict judge_as(struct judging *j, const struct subject *s, const struct addr *addr)
{
	j->question.subject = s;
	rule_question_about(&j->question, addr);
	j->lacking = 0;
	j->may_be_allowed = false;
	return judge_by_rules(j);
}

static struct verdict judge_written(struct judging *j, const struct subject *s)
{
	struct verdict v = judge_as(j, s, s->addr), of_within;
	struct addr within;

	if (s->addr == NULL || !v.allowed || !rule_places_ipv4_within(s->addr, &within))
		return v;
	of_within = judge_as(j, s, &within);
	return of_within.allowed ? v : of_within;
}

/* Is the address, or the port of BIND's peer, yet to come? */
static bool awaits_more(const struct subject *s)
{
	return s->addr == NULL || (s->command == REQUEST_BIND && addr_port(s->addr) == 0);
}

/* Not inline: a worker has room for the name on its stack only where there are rules. */
__attribute__((noinline)) static struct verdict judge_named(
	struct judging *j, const struct subject *s)
{
	struct rule_name name; /* is set when it is needed */

	j->question.name = &name;
	return judge_written(j, s);
}

static struct verdict judge_compiled(struct judging *j, const struct subject *s)
{
	j->question.knows_name = j->question.knows_time = false;
	j->question.name = NULL;
	return j->rules->count > 0 ? judge_named(j, s) : judge_written(j, s);
}

struct verdict rules_judge_unruled(const struct config *c, const struct subject *s)
{
	for (size_t i = 0; i < sizeof(built_ins) / sizeof(built_ins[0]); i++) {
		if (built_ins[i].denies(c, s))
			return verdict_of(false, built_ins[i].word);
	}
	return verdict_of(true, "");
}

struct verdict rules_trace(const struct config *c, const struct subject *s,
	void (*see)(void *context, const struct rule_step *step), void *context)
{
	struct verdict v = rules_judge_unruled(c, s);
	struct judging j;

	if (!v.allowed)
		return v;
	if (c->rules == NULL) {
		v = verdict_of(true, "otherwise");
	} else {
		j.rules = c->rules;
		j.see = see;
		j.context = context;
		v = judge_compiled(&j, s);
	}
	v.is_open = v.allowed && !v.is_by_name && awaits_more(s);
	return v;
}

struct verdict rules_judge(const struct config *c, const struct subject *s)
{
	return rules_trace(c, s, NULL, NULL);
}

/* ---- hits ---- */

static struct rule_hits *hits_of_step(const struct rules *r, uint32_t step)
{
	if (step < r->count)
		return r->rules[step]->hits;
	return step == rule_set_otherwise(r) ? r->otherwise_hits
					     : r->protection_hits[step - r->count - 1];
}

void rules_count_hit(const struct config *c, const struct verdict *v)
{
	struct rule_hits *hits;
	int64_t now;

	if (c->rules == NULL || v->set == NO_SET || v->set != c->rules->id)
		return;
	hits = hits_of_step(c->rules, v->step);
	now = time(NULL);
	atomic_fetch_add_explicit(&hits->count, 1, memory_order_relaxed);
	atomic_store_explicit(&hits->last, now, memory_order_relaxed);
}

const struct rule *rules_that_decided(const struct config *c, const struct verdict *v)
{
	const struct rules *r = c->rules;

	return r != NULL && v->set == r->id && v->step < r->count ? r->rules[v->step] : NULL;
}

uint64_t rules_otherwise_hits(const struct rules *r)
{
	return r == NULL ? 0 : atomic_load(&r->otherwise_hits->count);
}

uint64_t rules_protection_hits(const struct rules *r, enum rule_place place)
{
	return r == NULL ? 0 : atomic_load(&r->protection_hits[place]->count);
}

/* ---- what there is ---- */

size_t rules_count(const struct rules *r)
{
	return r == NULL ? 0 : r->count;
}

struct rule_info rules_get(const struct rules *r, size_t index)
{
	struct rule_info info = {
		.rule = r->rules[index], .hits = atomic_load(&r->rules[index]->hits->count)};

	word_of_rule(r, index, info.word);
	return info;
}

int64_t rules_end(const struct rule *rule)
{
	return rule->until == 0 ? 0 : wall_from_steady(rule->until);
}

static bool tally_rule(const struct rules *r, size_t index, int64_t now, struct rule_tally *out)
{
	struct rule_info info = rules_get(r, index);

	memcpy(out->word, info.word, sizeof(out->word));
	out->hits = info.hits;
	out->last = atomic_load(&info.rule->hits->last);
	out->until = rules_end(info.rule);
	return out->until == 0 || out->until > now;
}

static bool tally_protection(const struct config *c, enum rule_place place, struct rule_tally *out)
{
	*out = (struct rule_tally){.hits = rules_protection_hits(c->rules, place),
		.last = c->rules == NULL ? 0
					 : atomic_load(&c->rules->protection_hits[place]->last)};
	snprintf(out->word, sizeof(out->word), "protect:%s", rule_place_word(place));
	return ((uint64_t)c->settings.protect & PLACE_BIT(place)) != 0;
}

/* What is at `at`; false when that is not to be told of. */
static bool tally_at(const struct config *c, size_t at, int64_t now, struct rule_tally *out)
{
	size_t count = rules_count(c->rules);

	if (at < count)
		return tally_rule(c->rules, at, now, out);
	if (at > count)
		return tally_protection(c, (enum rule_place)(at - count - 1), out);
	*out = (struct rule_tally){.word = "otherwise",
		.hits = rules_otherwise_hits(c->rules),
		.last = c->rules == NULL ? 0 : atomic_load(&c->rules->otherwise_hits->last)};
	return true;
}

bool rules_next_tally(const struct config *c, size_t *at, int64_t now, struct rule_tally *out)
{
	while (*at < rules_count(c->rules) + 1 + PLACE_PROTECTED) {
		if (tally_at(c, (*at)++, now, out))
			return true;
	}
	return false;
}

int64_t rules_next_border(const struct rules *r, int64_t after)
{
	int64_t border = RULE_TIME_NEVER;

	if (r == NULL)
		return border;
	border = rule_time_next_border(r->times, r->time_count, after);
	for (size_t i = 0; i < r->temporary; i++) {
		int64_t until = rules_end(r->rules[i]);

		if (until > after && until < border)
			border = until;
	}
	return border;
}

const char *rules_warning(const struct rules *r, size_t index)
{
	return r == NULL || index >= r->warning_count ? NULL : r->warnings[index];
}

/* ---- files ---- */

static void tell_of_files(const struct rule_area *area, rule_file_taker *take, void *context)
{
	for (size_t i = 0; i < area->file_count; i++) {
		if (area->files[i].list != NULL && !area->files[i].is_copy)
			take(context, area->files[i].path, area->files[i].list);
	}
}

void rules_each_file(const struct rules *r, rule_file_taker *take, void *context)
{
	for (size_t i = 0; r != NULL && i < r->count; i++) {
		tell_of_files(&r->rules[i]->from, take, context);
		tell_of_files(&r->rules[i]->to, take, context);
	}
}
