/*
 * A session is judged again by the gate that it came through (target.h), with what the registry has
 * of it: who asked for what, as it was asked for, and which address that came to. Whose request is
 * not known yet will be judged by the rules there are then. Of associations the command is judged;
 * they judge their datagrams' targets themselves. Whoever is about to end is left alone: the rules
 * may have refused him already, and a reset would overtake what he is told. So is whoever has not
 * connected yet: his own verdict refuses him in a moment, with an answer.
 *
 * Or that verdict is of before: an address that was judged and is being connected to is nobody's to
 * see yet. So as long as such sessions are there from before a border they are looked at again each
 * second.
 */
#include "server/recheck.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/plural.h"
#include "proxy/target.h"
#include "server/user_groups.h"
#include "state/rule_time.h"

#define AGAIN_MS 1000 /* between two looks at sessions that connect */
#define LOOK_MS 60000 /* between two looks at the clock on the wall, which may be set */

/* What one look at all sessions is about, and what it found. */
struct sweep {
	struct services *services;
	struct config *config;
	struct group_source groups;
	unsigned rule; /* whose refusals count, as for recheck_sessions() */
	uint64_t last; /* the newest session that is looked at */
	bool ends;
	size_t refused;
	bool is_undecided; /* there was one that connects */
};

/* ---- one session ---- */

static const char *user_name(const struct session_info *info, char out[USERS_NAME_MAX + 1])
{
	memcpy(out, info->user, info->user_len);
	out[info->user_len] = '\0';
	return out;
}

static struct verdict judge_session(const struct sweep *s, const struct session_info *info)
{
	char name[DESTINATION_NAME_MAX], user[USERS_NAME_MAX + 1];
	char groups[GROUP_SOURCE_TEXT_MAX];
	struct fd_lease lease = {.budget = &s->services->budget, .held = 1};
	struct destination dst;
	struct asker asker = {.config = s->config,
		.resolver = s->services->resolver,
		.own = s->services->own,
		.lease = &lease,
		.client = &info->client,
		.user = info->user,
		.user_len = info->user_len,
		.groups = group_source_of(&s->groups, user_name(info, user), groups),
		.command = request_command_parse(info->command)};
	bool has_target = asker.command != REQUEST_UDP_ASSOCIATE &&
		destination_parse(info->target, name, &dst);
	bool has_addr = has_target && info->address.sa.sa_family != AF_UNSPEC;
	struct verdict v = target_judge(&asker, has_target ? &dst : NULL, NULL, false);

	return v.is_by_name || !has_addr ? v : target_judge(&asker, &dst, &info->address, false);
}

/* May a verdict of before still lead to a connection? Where an upstream got a name no address is
 * known of it, then or later. */
static bool is_connecting(const struct session_info *info)
{
	return info->address.sa.sa_family == AF_UNSPEC && info->phase < PHASE_RELAY;
}

/* Is it to hear from its own verdict what the rules say? What listens for a peer had that one
 * before, and may go on to for long. */
static bool is_answered_itself(const struct session_info *info)
{
	if (request_command_parse(info->command) == REQUEST_BIND)
		return info->phase < PHASE_CONNECT;
	return is_connecting(info);
}

/* Has it asked for something that it may still get? */
static bool can_be_judged(const struct session_info *info)
{
	return info->command != NULL && info->phase != PHASE_CLOSING &&
		request_command_parse(info->command) != REQUEST_UNKNOWN;
}

/* Is it the word of a temporary rule that came with that one or behind it? */
static bool is_of_rule(const char *word, unsigned first)
{
	int64_t number;

	return word[0] == 't' && parse_number(word + 1, &number) && number >= first;
}

static bool counts(const struct sweep *s, const struct verdict *v)
{
	return !v->allowed && !v->is_guess &&
		(s->rule == RECHECK_ANY_RULE || is_of_rule(v->rule, s->rule));
}

static void log_ended(const struct session_info *info, const struct verdict *v)
{
	struct log_line line;

	log_begin(&line, LOG_DEBUG, "the rules refuse a live session");
	log_number(&line, "id", (int64_t)info->id);
	log_text(&line, "rule", v->rule);
	log_end(&line);
}

static void look_at_session(struct sweep *s, const struct session_ref *ref)
{
	struct session_info info;
	struct verdict v;

	if (ref->id > s->last || !registry_get(s->services->registry, ref, &info) ||
		!can_be_judged(&info))
		return;
	v = judge_session(s, &info);
	if (!counts(s, &v)) {
		s->is_undecided |= is_connecting(&info);
		return;
	}
	if (!s->ends) {
		s->refused++;
	} else if (is_answered_itself(&info)) {
		s->is_undecided = true;
	} else if (registry_end_by_rule(s->services->registry, ref, v.rule)) {
		s->refused++;
		log_ended(&info, &v);
	}
}

/* ---- all of them ---- */

static void sweep_sessions(struct sweep *s, struct services *v)
{
	struct session_ref *refs;
	size_t count;

	s->services = v;
	s->groups = user_groups(v->users);
	refs = registry_list(v->registry, &count);
	s->is_undecided = refs == NULL;
	if (refs == NULL)
		return;
	s->config = config_get(v->config);
	for (size_t i = 0; i < count; i++)
		look_at_session(s, &refs[i]);
	config_release(s->config);
	free(refs);
}

size_t recheck_sessions(struct services *v, unsigned rule, bool ends)
{
	struct sweep s = {.rule = rule, .ends = ends, .last = UINT64_MAX};

	sweep_sessions(&s, v);
	return s.refused;
}

/* ---- the job ---- */

/* Two at once come to the one whose refusals are among both's: any rule, or the older one. */
static unsigned wider(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void recheck_follow(struct recheck *r, unsigned rule)
{
	unsigned before = atomic_load(&r->asked), asked;

	do
		asked = before == 0 ? rule + 1 : wider(before, rule + 1);
	while (!atomic_compare_exchange_weak(&r->asked, &before, asked));
}

/* The sessions that there are now are to be looked at, beside those that still are. */
static void begin_looking(struct recheck *r, unsigned rule)
{
	struct recheck_look *l = rule == RECHECK_ANY_RULE ? &r->by_any : &r->by_one;

	l->rule = l->last > 0 ? wider(l->rule, rule) : rule;
	l->last = registry_last_id(r->services->registry);
}

static void look_at_sessions(struct recheck *r, struct recheck_look *l)
{
	struct sweep s = {.rule = l->rule, .ends = true, .last = l->last};

	if (l->last == 0)
		return;
	sweep_sessions(&s, r->services);
	if (s.refused > 0)
		log_message(LOG_INFO, "%zu session%s ended that the rules refuse by now", s.refused,
			plural(s.refused));
	if (!s.is_undecided)
		l->last = 0;
}

/* Has a rule begun or ended to hold since this was asked last? It may have, too, where the clock
 * was set back. */
static bool passes_border(struct recheck *r, const struct config *c, int64_t wall)
{
	bool passes = r->border != 0 && (wall >= r->border || wall < r->looked);

	r->looked = wall;
	r->border = rules_next_border(c->rules, wall);
	return passes;
}

static int64_t next_look(const struct recheck *r, int64_t wall, int64_t now)
{
	if (r->by_any.last > 0 || r->by_one.last > 0)
		return now + AGAIN_MS;
	if (r->border == RULE_TIME_NEVER)
		return CLOCK_NEVER;
	return r->border - wall < LOOK_MS / 1000 ? now + (r->border - wall) * 1000 : now + LOOK_MS;
}

static int64_t run_recheck(void *context, int64_t now)
{
	struct recheck *r = context;
	struct config *c = config_get(r->services->config);
	int64_t wall = time(NULL);
	unsigned asked = atomic_exchange(&r->asked, 0);
	bool passes = passes_border(r, c, wall);

	if (passes && c->settings.recheck != RECHECK_NO)
		begin_looking(r, RECHECK_ANY_RULE);
	else if (asked > 0)
		begin_looking(r, asked - 1);
	config_release(c);
	look_at_sessions(r, &r->by_any);
	look_at_sessions(r, &r->by_one);
	return next_look(r, wall, now);
}

void recheck_init(struct recheck *r, struct services *v)
{
	*r = (struct recheck){
		.services = v, .job = {.name = "recheck", .run = run_recheck, .context = r}};
}
