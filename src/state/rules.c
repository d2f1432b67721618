/*
 * There are built-in rules only: what is nowhere cannot be a target, and the proxy itself must not
 * be one, since a client that reaches it comes from this host then. BIND names whom it waits for,
 * who may be anybody, from any port; so of its request and of its peer only the latter rule speaks.
 *
 * A question without an address is one about all addresses that may come: a rule that needs one has
 * nothing to say of it yet.
 */
#include "state/rules.h"

#include <stdio.h>

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

static bool is_listener(const struct config *c, const struct subject *s)
{
	for (size_t i = 0; i < c->own_count && s->addr != NULL; i++) {
		if (listens_at(&c->own[i], s->addr) ||
			(s->is_here && is_at_all_of_this_host(&c->own[i], s->addr)))
			return true;
	}
	return false;
}

bool rules_ask_where(const struct config *c, const struct addr *addr)
{
	for (size_t i = 0; i < c->own_count; i++) {
		if (is_at_all_of_this_host(&c->own[i], addr))
			return true;
	}
	return false;
}

/* ---- judging ---- */

static const struct built_in {
	const char *word;
	bool (*denies)(const struct config *c, const struct subject *s);
} built_ins[] = {
	{"no_port", lacks_port},
	{"unspecified", is_unspecified},
	{"own", is_listener},
};

static struct verdict verdict_of(bool allowed, const char *word)
{
	struct verdict v = {.allowed = allowed};

	snprintf(v.rule, sizeof(v.rule), "%s", word);
	return v;
}

struct verdict rules_judge(const struct config *c, const struct subject *s)
{
	for (size_t i = 0; i < sizeof(built_ins) / sizeof(built_ins[0]); i++) {
		if (built_ins[i].denies(c, s))
			return verdict_of(false, built_ins[i].word);
	}
	return verdict_of(true, "otherwise");
}

struct rules *rules_hold(struct rules *r)
{
	return r;
}

void rules_release(struct rules *r)
{
	(void)r;
}
