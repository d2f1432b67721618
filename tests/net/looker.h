/* looker: a session as the resolver knows it: a lookup, and a lease of descriptors. */
#ifndef TESTS_NET_LOOKER_H
#define TESTS_NET_LOOKER_H

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "dns.h"
#include "net/resolver.h"
#include "net/socket.h"
#include "suite.h"

struct looker {
	struct lookup lookup;
	struct fd_lease lease;
};

static inline void looker_begin(
	struct looker *l, struct resolver *r, struct fdbudget *budget, const char *name)
{
	l->lease = (struct fd_lease){.budget = budget};
	lookup_begin(&l->lookup, r, name, strlen(name), &l->lease);
}

/* One round of poll(2) that does not wait for long. */
static inline void looker_poll(struct looker *l)
{
	struct pollfd fds[RESOLVER_MAX_FDS];
	size_t count = lookup_fds(&l->lookup, fds);

	poll(fds, count, 2);
	lookup_process(&l->lookup, fds, count);
}

/* Goes on until the server was asked so many times. */
static inline void looker_wait_questions(
	struct looker *l, struct dns *dns, const char *name, unsigned at_least)
{
	for (unsigned rounds = 0; dns_questions(dns, name) < at_least; rounds++) {
		assert_true(rounds < NET_PATIENCE_S * 500);
		looker_poll(l);
	}
}

/* One round of poll(2), as a worker does it. */
static inline void looker_wait_once(struct looker *l)
{
	struct pollfd fds[RESOLVER_MAX_FDS];
	size_t count = lookup_fds(&l->lookup, fds);

	socket_wait(fds, count, lookup_deadline(&l->lookup));
	lookup_process(&l->lookup, fds, count);
}

/* Gives back what it holds. */
static inline void looker_end(struct looker *l)
{
	lookup_end(&l->lookup, false);
	assert_int_equal(l->lease.held, 0);
}

static inline void looker_finish(struct looker *l)
{
	while (lookup_pending(&l->lookup))
		looker_wait_once(l);
	looker_end(l);
}

/* The addresses of one family, with blanks between them. */
static inline void looker_expect(
	struct looker *l, enum lookup_family family, enum lookup_state state, const char *addrs)
{
	const struct lookup_answer *a = &l->lookup.answers[family];
	char text[1024] = "", one[ADDR_TEXT_MAX];

	assert_int_equal(a->state, state);
	for (size_t i = 0; i < a->count; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, addr_format_host(&a->addrs[i], one));
	}
	assert_string_equal(text, addrs);
}

static inline void looker_look_up(
	struct looker *l, struct resolver *r, struct fdbudget *budget, const char *name)
{
	looker_begin(l, r, budget, name);
	looker_finish(l);
}

#endif
