/*
 * Whoever goes somewhere for a client asks here, and nowhere else, with all that is known of the
 * session. The answers of the lookup are the queue of candidates, per family in the server's order;
 * an address literal is the one answer of a lookup that is over already.
 *
 * Addresses to go out from, families and times are those of the session's beginning. What is denied
 * is denied by the rules that are in force when it is asked for: a client that has sent its
 * greeting and then waits must not reach a monitor that has been opened since.
 */
#include "proxy/target.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "net/socket.h"
#include "state/ledger_limits.h"
#include "state/outgoing.h"

#define RESOLUTION_DELAY_MS 50 /* RFC 8305 section 3: for the preferred family to answer */

/* ---- the gate ---- */

/* Would what is sent to `addr` arrive at this host? Only asked where it matters. The addresses of
 * the interfaces are in memory; local routes to others are known to the kernel alone. */
static enum socket_answer is_here(
	const struct asker *a, const struct config *rules, const struct addr *addr, bool has_place)
{
	enum socket_answer here;

	if (addr == NULL || !rules_ask_where(rules, addr))
		return SOCKET_NO;
	if (own_has_address(a->own, addr))
		return SOCKET_YES;
	if (!has_place && !fd_lease_take(a->lease))
		return SOCKET_UNKNOWN;
	here = socket_is_own_address(addr);
	if (!has_place)
		fd_lease_give(a->lease);
	return here;
}

/* The one in force where it is not the session's own any more, to be released; else NULL. */
static struct config *newer_config(const struct asker *a)
{
	if (a->configs == NULL || config_generation(a->configs) == a->config->generation)
		return NULL;
	return config_get(a->configs);
}

static struct verdict put_to_rules(
	const struct config *rules, const struct asker *a, const struct subject *subject)
{
	return a->is_unruled ? rules_judge_unruled(rules, subject) : rules_judge(rules, subject);
}

/* A name that is sent on might be this host's where hosts(5) says so; that is looked at only then.
 * What is not known counts as if it were here: the safe answer, but a guess. */
static struct verdict judge_as(const char *groups, const struct config *rules,
	const struct asker *a, const struct destination *dst, const struct addr *addr,
	bool has_place)
{
	enum socket_answer here = is_here(a, rules, addr, has_place);
	struct verdict verdict;
	struct subject subject = {.user = a->user,
		.user_len = a->user_len,
		.groups = groups,
		.client = a->client,
		.command = a->command,
		.dst = dst,
		.addr = addr,
		.is_here = here != SOCKET_NO,
		.own = a->own,
		.time = time(NULL)};

	verdict = put_to_rules(rules, a, &subject);
	if (verdict.is_by_name && resolver_names_this_host(a->resolver, dst->name, dst->name_len)) {
		subject.names_this_host = true;
		verdict = put_to_rules(rules, a, &subject);
	}
	verdict.is_guess = !verdict.allowed && here == SOCKET_UNKNOWN;
	return verdict;
}

/* With the groups of the user as they are now. Not inline: where no rule asks for them a worker
 * need not have room for them on its stack. */
__attribute__((noinline)) static struct verdict judge_with_groups(const struct config *rules,
	const struct asker *a, const struct destination *dst, const struct addr *addr,
	bool has_place)
{
	char groups[LEDGER_GROUPS_MAX];

	(void)ledger_groups(a->user_entry, groups);
	return judge_as(groups, rules, a, dst, addr, has_place);
}

static struct verdict judge_by(const struct config *rules, const struct asker *a,
	const struct destination *dst, const struct addr *addr, bool has_place)
{
	if (a->groups == NULL && a->user_entry != NULL && rules_ask_groups(rules))
		return judge_with_groups(rules, a, dst, addr, has_place);
	return judge_as(a->groups != NULL ? a->groups : "", rules, a, dst, addr, has_place);
}

struct verdict target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place)
{
	struct config *newer = newer_config(a);
	struct verdict verdict;

	verdict = judge_by(newer != NULL ? newer : a->config, a, dst, addr, has_place);
	config_release(newer);
	return verdict;
}

bool target_has_become_own(const struct asker *a, const struct addr *addr)
{
	struct config *newer = newer_config(a);
	struct destination dst = destination_of_addr(addr);
	struct verdict verdict = {.allowed = true};

	if (newer != NULL)
		verdict = judge_by(newer, a, &dst, addr, false);
	config_release(newer);
	return !verdict.allowed && strcmp(verdict.rule, RULES_OWN) == 0;
}

void target_count_hit(const struct asker *a, const struct verdict *verdict)
{
	struct config *newer = newer_config(a);

	rules_count_hit(newer != NULL ? newer : a->config, verdict);
	config_release(newer);
}

int64_t target_next_border(const struct asker *a)
{
	struct config *newer = newer_config(a);
	int64_t border = rules_next_border((newer != NULL ? newer : a->config)->rules, time(NULL));

	config_release(newer);
	return border;
}

struct verdict target_way(const struct asker *a, const struct destination *dst,
	const struct addr *addr, struct upstream_way *way)
{
	struct config *newer = newer_config(a);
	const struct config *c = newer != NULL ? newer : a->config;
	struct verdict verdict = judge_by(c, a, dst, addr, false);

	upstreams_way(c, &verdict, way);
	config_release(newer);
	return verdict;
}

/* ---- candidates ---- */

bool target_begin(struct target *t, const struct asker *a, const struct destination *dst)
{
	t->verdict = target_judge(a, dst, NULL, false);
	if (!t->verdict.allowed || t->verdict.is_by_name)
		return false;
	target_look_up(t, a, dst);
	return true;
}

void target_look_up(struct target *t, const struct asker *a, const struct destination *dst)
{
	t->asker = a;
	t->dst = *dst;
	t->taken[LOOKUP_IPV6] = t->taken[LOOKUP_IPV4] = 0;
	t->next_family = outgoing_first(a->config);
	t->wait_for_first = 0;
	if (dst->kind == DESTINATION_ADDR)
		lookup_literal(&t->lookup, &dst->addr);
	else
		lookup_begin(&t->lookup, a->resolver, dst->name, dst->name_len, a->lease);
}

void target_end(struct target *t, bool sufficed)
{
	lookup_end(&t->lookup, sufficed);
}

static bool family_has_next(const struct target *t, enum lookup_family family)
{
	return outgoing_uses(t->asker->config, family) &&
		t->taken[family] < t->lookup.answers[family].count;
}

bool target_has_next(const struct target *t)
{
	return family_has_next(t, LOOKUP_IPV6) || family_has_next(t, LOOKUP_IPV4);
}

static enum lookup_family other_family(enum lookup_family family)
{
	return family == LOOKUP_IPV6 ? LOOKUP_IPV4 : LOOKUP_IPV6;
}

struct candidate target_next(struct target *t, bool has_place)
{
	enum lookup_family family = t->next_family;
	struct candidate c;

	if (!family_has_next(t, family))
		family = other_family(family);
	c.addr = t->lookup.answers[family].addrs[t->taken[family]++];
	addr_set_port(&c.addr, t->dst.port);
	c.verdict = target_judge(t->asker, &t->dst, &c.addr, has_place);
	t->next_family = other_family(family);
	return c;
}

void target_put_back(struct target *t, const struct candidate *c)
{
	enum lookup_family family = outgoing_family_of(&c->addr);

	t->taken[family]--;
	t->next_family = family;
}

int64_t target_due(struct target *t)
{
	enum lookup_family first = outgoing_first(t->asker->config);

	if (!target_has_next(t))
		return CLOCK_NEVER;
	if (t->lookup.answers[first].state != LOOKUP_PENDING)
		return 0;
	if (t->wait_for_first == 0)
		t->wait_for_first = clock_deadline(RESOLUTION_DELAY_MS);
	return t->wait_for_first;
}

bool target_includes(const struct target *t, const struct addr *addr)
{
	const struct lookup_answer *answer = &t->lookup.answers[outgoing_family_of(addr)];

	for (size_t i = 0; i < answer->count; i++) {
		if (addr_same_host(&answer->addrs[i], addr))
			return true;
	}
	return false;
}

enum end_reason target_failure_of(const struct lookup_answer answers[LOOKUP_FAMILIES])
{
	if (answers[LOOKUP_IPV6].count + answers[LOOKUP_IPV4].count > 0)
		return END_NETWORK_UNREACHABLE;
	return answers[LOOKUP_IPV6].state == LOOKUP_NOT_FOUND &&
			answers[LOOKUP_IPV4].state == LOOKUP_NOT_FOUND
		? END_NAME_NOT_FOUND
		: END_NAME_FAILED;
}

enum end_reason target_failure(const struct target *t)
{
	return target_failure_of(t->lookup.answers);
}

/* ---- waiting ---- */

bool target_pending(const struct target *t)
{
	return lookup_pending(&t->lookup);
}

size_t target_fds(struct target *t, struct pollfd *fds)
{
	return lookup_fds(&t->lookup, fds);
}

int64_t target_deadline(struct target *t)
{
	return lookup_deadline(&t->lookup);
}

void target_process(struct target *t, const struct pollfd *fds, size_t count)
{
	lookup_process(&t->lookup, fds, count);
}
