/*
 * The gates stand in a table, in the order in which a session passes them. Each writes a line, also
 * behind one that denies: who looks for the reason finds all of them at once. The rules come last.
 * They are asked as target.h asks them: with the name alone, which may be enough, and then with
 * each address; of these only the rules are shown that the name alone could not settle.
 */
#include "server/explain.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/timestamp.h"
#include "base/writing.h"
#include "net/socket.h"
#include "proxy/target.h"
#include "server/explain_gates.h"
#include "server/user_groups.h"
#include "state/end_reason.h"
#include "state/outgoing.h"
#include "state/rule_origin.h"
#include "state/rule_time.h"
#include "state/rules.h"

#define HORIZON (INT64_C(8) * 24 * 3600) /* seconds in which it is looked for a change */
#define BORDERS_MOST 20000
#define ADDRESSES_MOST ((size_t)LOOKUP_FAMILIES * RESOLVER_MAX_ADDRS)
#define TEXT_MAX 1024

struct explaining {
	struct services *services;
	struct config *config;
	const struct question *question;
	struct question asked; /* the same, by the user as whom the session would go on */
	char groups[GROUP_SOURCE_TEXT_MAX];
	int64_t time;
	bool knows_addresses; /* what it comes to is known, if only that there is nothing */
	bool was_looked_up;
	size_t count;
	struct addr addresses[ADDRESSES_MOST]; /* in the order in which they are tried */
	enum end_reason failure; /* of the lookup; END_REASONS: none */
	bool *open_rules; /* by index: the name alone did not settle it */
	FILE *out;
};

static void put_line_end(const char *text, FILE *out)
{
	char line[TEXT_MAX];

	fprintf(out, " text:%s\n", escape_line(text, strlen(text), line, sizeof(line)));
}

static void put_time(const char *key, int64_t when, FILE *out)
{
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];

	if (when == 0 || when == RULE_TIME_NEVER) {
		fprintf(out, " %s:-", key);
		return;
	}
	timestamp_format(when, date, zone);
	fprintf(out, " %s:%.*s", key, TIMESTAMP_DATE, date);
}

/* ---- rules ---- */

/* One question to the rules: of which the verdict is wanted, or the way to it shown. */
struct asking_rules {
	struct explaining *e;
	const char *about; /* one word */
	bool is_first; /* nothing was known of an address yet */
	struct subject subject;
	struct destination dst;
};

static void prepare_question(
	struct asking_rules *a, struct explaining *e, const struct addr *addr, int64_t time)
{
	a->e = e;
	a->is_first = addr == NULL;
	question_set_subject(&e->asked, &a->dst, &a->subject);
	a->subject.addr = addr;
	a->subject.groups = e->groups;
	a->subject.own = e->services->own;
	a->subject.names_this_host = e->asked.name_len > 0 && e->services->resolver != NULL &&
		resolver_names_this_host(e->services->resolver, e->asked.name, e->asked.name_len);
	a->subject.time = time;
	if (addr != NULL && rules_ask_where(e->config, addr))
		a->subject.is_here = own_has_address(e->services->own, addr) ||
			socket_is_own_address(addr) == SOCKET_YES;
}

static const char *const outcome_words[] = {
	[RULE_DECIDES] = "decides",
	[RULE_MISSES] = "misses",
	[RULE_MAY_MATCH] = "depends",
	[RULE_NAMES_NOT] = "passed_over",
	[RULE_IS_OVER] = "over",
};

static const char *by_what(const struct rule_step *step)
{
	if (step->outcome == RULE_MISSES || step->outcome == RULE_MAY_MATCH)
		return rule_keyword_word(step->keyword);
	return step->outcome == RULE_NAMES_NOT ? rule_place_word(step->protection) : "-";
}

static void show_step(void *context, const struct rule_step *step)
{
	const struct asking_rules *a = context;
	struct explaining *e = a->e;
	struct rule_info info = rules_get(e->config->rules, step->index);

	if (a->is_first && e->open_rules != NULL)
		e->open_rules[step->index] |= step->outcome == RULE_MAY_MATCH;
	if (!a->is_first && step->outcome == RULE_MISSES && e->asked.name_len > 0 &&
		e->open_rules != NULL && !e->open_rules[step->index])
		return;
	fprintf(e->out, "gate:rules about:%s rule:%s result:%s by:%s", a->about, info.word,
		outcome_words[step->outcome], by_what(step));
	put_line_end(info.rule->text, e->out);
}

static void put_rule_text(const struct config *c, const char *word, FILE *out)
{
	struct writing w;

	if (writing_begin(&w) != NULL)
		rule_origin_put_text(c, word, w.out);
	if (writing_end(&w))
		put_line_end(w.text, out);
	else
		fputc('\n', out);
	free(w.text);
}

/* Through which it goes. */
static void put_upstreams(const struct config *c, const struct verdict *v, FILE *out)
{
	const struct rule *rule = v->is_via ? rules_that_decided(c, v) : NULL;

	if (rule == NULL)
		return;
	fputs(" upstream:", out);
	rule_put_via(rule, out);
}

static void show_verdict(const struct asking_rules *a, const struct verdict *v)
{
	FILE *out = a->e->out;

	fprintf(out, "gate:rules about:%s result:%s rule:%s", a->about,
		!v->allowed          ? "deny"
			: v->is_open ? "depends"
				     : "allow",
		v->rule);
	if (!v->is_open)
		put_upstreams(a->e->config, v, out);
	put_rule_text(a->e->config, v->rule, out);
}

static struct verdict ask_rules(struct asking_rules *a, bool shows)
{
	struct verdict v;

	if (!shows)
		return rules_judge(a->e->config, &a->subject);
	v = rules_trace(a->e->config, &a->subject, show_step, a);
	show_verdict(a, &v);
	return v;
}

/* An association as such: nothing that it names counts. */
static struct verdict judge_command(struct explaining *e, int64_t time, bool shows)
{
	struct asking_rules a = {.about = "-"};

	prepare_question(&a, e, NULL, time);
	a.subject.dst = NULL;
	a.about = question_command_word(e->asked.command);
	return ask_rules(&a, shows);
}

static struct verdict judge_name(struct explaining *e, int64_t time, bool shows)
{
	char text[TEXT_MAX];
	struct asking_rules a;

	prepare_question(&a, e, NULL, time);
	a.about = destination_format(&a.dst, text, sizeof(text));
	return ask_rules(&a, shows);
}

static struct verdict judge_address(
	struct explaining *e, const struct addr *addr, int64_t time, bool shows)
{
	char text[ADDR_TEXT_MAX];
	struct asking_rules a;

	prepare_question(&a, e, addr, time);
	a.about = addr_format(addr, text);
	return ask_rules(&a, shows);
}

/* The first address that is allowed decides, or else the first of all. */
static struct verdict judge_addresses(struct explaining *e, int64_t time, bool shows)
{
	struct verdict best = {.allowed = false};

	for (size_t i = 0; i < e->count && (shows || !best.allowed); i++) {
		struct verdict v = judge_address(e, &e->addresses[i], time, shows);

		if (i == 0 || (v.allowed && !best.allowed))
			best = v;
	}
	return best;
}

static void put_addresses(const struct explaining *e)
{
	char text[ADDR_TEXT_MAX];

	fprintf(e->out, "gate:names about:%s result:%s", e->asked.name,
		e->failure == END_REASONS ? "found" : end_reason_word(e->failure));
	for (size_t i = 0; i < e->count; i++)
		fprintf(e->out, "%s%s", i == 0 ? " addresses:" : ",",
			addr_format_host(&e->addresses[i], text));
	fputc('\n', e->out);
}

/* All that the rules say of the request. */
static struct verdict judge_request(struct explaining *e, int64_t time, bool shows)
{
	struct verdict v = {.allowed = true};

	if (e->asked.command == REQUEST_UDP_ASSOCIATE)
		v = judge_command(e, time, shows);
	if (!v.allowed || (!e->asked.has_target && e->asked.command == REQUEST_UDP_ASSOCIATE))
		return v;
	if (e->asked.name_len > 0 || !e->asked.has_target)
		v = judge_name(e, time, shows);
	if (v.is_by_name)
		return v;
	if (shows && e->was_looked_up)
		put_addresses(e);
	return v.allowed && e->count > 0 ? judge_addresses(e, time, shows) : v;
}

/* ---- addresses ---- */

static void add_address(struct explaining *e, const struct addr *addr)
{
	e->addresses[e->count] = *addr;
	addr_set_port(&e->addresses[e->count++], e->asked.port);
}

static void add_family(
	struct explaining *e, const struct lookup_answer *answers, enum lookup_family family)
{
	for (size_t i = 0; outgoing_uses(e->config, family) && i < answers[family].count; i++)
		add_address(e, &answers[family].addrs[i]);
}

static enum end_reason failure_of(const struct explaining *e, const struct lookup_answer *answers)
{
	if (e->count > 0)
		return END_REASONS;
	return target_failure_of(answers);
}

static void look_up(struct explaining *e)
{
	struct fd_lease lease = {.budget = &e->services->budget, .held = 1};
	enum lookup_family first = outgoing_first(e->config);
	struct lookup l = {.resolver = NULL};

	lookup_begin(&l, e->services->resolver, e->asked.name, e->asked.name_len, &lease);
	lookup_await(&l, clock_deadline(e->config->settings.connect_timeout));
	add_family(e, l.answers, first);
	add_family(e, l.answers, first == LOOKUP_IPV6 ? LOOKUP_IPV4 : LOOKUP_IPV6);
	e->failure = failure_of(e, l.answers);
	e->was_looked_up = e->knows_addresses = true;
}

/* Those that the request comes to, as far as that is known or may be asked. */
static void find_addresses(struct explaining *e, bool asks_names)
{
	if (e->asked.addr.sa.sa_family != AF_UNSPEC) {
		add_address(e, &e->asked.addr);
		e->knows_addresses = true;
	} else if (asks_names) {
		look_up(e);
	}
}

/* As a session would: not where the name alone is refused, or sent on. */
static bool may_be_looked_up(struct explaining *e)
{
	struct verdict v = {.allowed = false};

	if (e->asked.name_len > 0)
		v = judge_request(e, e->time, false);
	return v.allowed && !v.is_by_name;
}

/* ---- when that would change ---- */

static bool allows_at(struct explaining *e, int64_t time)
{
	return judge_request(e, time, false).allowed;
}

/* The first time from which on the rules say something else; RULE_TIME_NEVER: not in a week. */
static int64_t change_of_rules(struct explaining *e)
{
	bool allowed = allows_at(e, e->time);
	int64_t time = e->time;

	for (size_t i = 0; i < BORDERS_MOST; i++) {
		time = rules_next_border(e->config->rules, time);
		if (time >= e->time + HORIZON)
			break;
		if (allows_at(e, time) != allowed)
			return time;
	}
	return RULE_TIME_NEVER;
}

/* ---- the whole of it ---- */

static void put_gate(const char *name, const struct explain_gate *g, FILE *out)
{
	fprintf(out, "gate:%s result:%s", name, g->result);
	if (g->reason[0] != '\0')
		fprintf(out, " reason:%s", g->reason);
	if (g->until != 0)
		put_time("until", g->until, out);
	if (g->text[0] != '\0')
		put_line_end(g->text, out);
	else
		fputc('\n', out);
}

/* The first gate that denies is left in `denial`. */
static bool pass_gates(struct explaining *e, struct explain_gate *denial)
{
	bool passes = true;

	for (size_t i = 0; i < explain_gates_count; i++) {
		struct explain_gate g = {.result = "pass"};
		struct explain_gates_question q = {.services = e->services,
			.config = e->config,
			.question = e->question,
			.time = e->time};

		explain_gates_table[i].ask(&q, &g);
		put_gate(explain_gates_table[i].name, &g, e->out);
		if (passes && g.denies)
			*denial = g;
		passes &= !g.denies;
	}
	return passes;
}

static enum explain_verdict put_denial(
	const char *rule, const char *reason, int64_t changes, FILE *out)
{
	fprintf(out, "verdict:deny rule:%s reason:%s", rule, *reason == '\0' ? "-" : reason);
	put_time("changes", changes, out);
	fputc('\n', out);
	return EXPLAIN_DENY;
}

static enum explain_verdict put_verdict(struct explaining *e, const struct verdict *v)
{
	if (!v->allowed)
		return put_denial(
			v->rule, end_reason_word(END_TARGET_DENIED), change_of_rules(e), e->out);
	if (e->failure != END_REASONS)
		return put_denial("-", end_reason_word(e->failure), 0, e->out);
	if (v->is_open && !e->knows_addresses && e->asked.name_len > 0) {
		fprintf(e->out,
			"verdict:unknown text:it depends on the addresses that %s comes to\n",
			e->asked.name);
		return EXPLAIN_UNKNOWN;
	}
	fprintf(e->out, "verdict:allow rule:%s", v->rule);
	put_upstreams(e->config, v, e->out);
	put_time("changes", change_of_rules(e), e->out);
	fputc('\n', e->out);
	return EXPLAIN_ALLOW;
}

static void begin(struct explaining *e, struct services *v, const struct question *q, FILE *out)
{
	struct group_source groups = user_groups(v->users);

	*e = (struct explaining){.services = v,
		.config = config_get(v->config),
		.question = q,
		.asked = *q,
		.time = question_time(q, time(NULL)),
		.failure = END_REASONS,
		.out = out};
	if (!explain_gates_keeps_user(e->config, v->users, q)) {
		e->asked.user_len = 0;
		e->asked.user[0] = '\0';
	}
	(void)group_source_of(&groups, e->asked.user, e->groups);
	e->open_rules = calloc(rules_count(e->config->rules) + 1, sizeof(bool));
}

static void end(struct explaining *e)
{
	free(e->open_rules);
	config_release(e->config);
}

enum explain_verdict explain(
	struct services *v, const struct question *q, bool asks_names, FILE *out)
{
	struct explain_gate denial = {.denies = false};
	enum explain_verdict result;
	struct explaining e;
	struct verdict said;
	bool passes;

	begin(&e, v, q, out);
	passes = pass_gates(&e, &denial);
	find_addresses(&e, asks_names && v->resolver != NULL && may_be_looked_up(&e));
	said = judge_request(&e, e.time, true);
	result =
		passes ? put_verdict(&e, &said) : put_denial("-", denial.reason, denial.until, out);
	end(&e);
	return result;
}
