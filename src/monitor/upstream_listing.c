/*
 * There are a few dozen at most, so that all are written at once. What upstreams are rests on
 * requests as clients send them; the commands' file has those of administrators.
 */
#include "monitor/upstream_listing.h"

#include <string.h>

#include "base/clock.h"
#include "state/upstreams.h"

void upstream_listing(struct services *v, struct reply *r)
{
	struct config *c = config_get(v->config);
	const struct upstreams *all = c->upstreams;
	int64_t now = clock_ms();

	reply_add(r, "OK\n");
	for (size_t i = 0; all != NULL && i < all->count; i++) {
		const struct upstream *u = &all->servers[i];
		struct upstream_figures f = upstream_figures(u, now);

		reply_add(r,
			"upstream:%s url:%s state:%s rest:%lld sessions:%llu total:%llu failures:%llu "
			"fault:%s\n",
			u->name, u->shown, f.state, (long long)(f.rest_ms + 999) / 1000,
			(unsigned long long)f.sessions, (unsigned long long)f.total,
			(unsigned long long)f.failures, f.fault);
	}
	config_release(c);
}

static void add_upstream_figures(
	struct reply *r, const struct upstream *u, unsigned number, int64_t now)
{
	struct upstream_figures f = upstream_figures(u, now);

	reply_add(r, "upstream %s %u url:%s\n", u->name, number, u->shown);
	reply_add(r, "upstream %s %u state:%s\n", u->name, number, f.state);
	reply_add(r, "upstream %s %u sessions:%llu\n", u->name, number,
		(unsigned long long)f.sessions);
	reply_add(r, "upstream %s %u failures:%llu\n", u->name, number,
		(unsigned long long)f.failures);
	reply_add(r, "upstream %s %u fault:%s\n", u->name, number, f.fault);
}

void upstream_listing_add_figures(struct services *v, struct reply *r)
{
	struct config *c = config_get(v->config);
	const struct upstreams *all = c->upstreams;
	int64_t now = clock_ms();
	unsigned number = 0;

	for (size_t i = 0; all != NULL && i < all->count; i++) {
		bool is_next = i > 0 && all->servers[i].name == all->servers[i - 1].name;

		number = is_next ? number + 1 : 1;
		add_upstream_figures(r, &all->servers[i], number, now);
	}
	config_release(c);
}
