/*
 * One list for all who show figures, so that STATS and the log say the same by the same names. The
 * first six and their order are promised to programs; behind them, a figure that is one counter is
 * one row.
 */
#include "server/statistics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/cluster.h"

/* A figure that is one counter, or that a function reads. */
struct counter {
	const char *name;
	size_t offset; /* in struct stats */
	const char *unit;
	uint64_t (*read)(const struct stats *s); /* NULL: a counter */
};

static uint64_t logins_refused(const struct stats *s)
{
	return login_counts_refused(&s->logins, LOGIN_AT_SOCKS5) +
		login_counts_refused(&s->logins, LOGIN_AT_HTTP);
}

static uint64_t logins_ignored(const struct stats *s)
{
	return login_counts_get(&s->logins, LOGIN_AT_SOCKS5, LOGIN_IGNORED) +
		login_counts_get(&s->logins, LOGIN_AT_HTTP, LOGIN_IGNORED);
}

static uint64_t monitor_logins_refused(const struct stats *s)
{
	return login_counts_refused(&s->logins, LOGIN_AT_MONITOR);
}

#define AT(field) offsetof(struct stats, field)

static const struct counter counters[] = {
	{"sessions succeeded", AT(succeeded), "", NULL},
	{"sessions failed", AT(failed), "", NULL},
	{"clients refused", AT(clients_refused), "", NULL},
	{"logins refused", 0, "", logins_refused},
	{"logins served as Anonymous", 0, "", logins_ignored},
	{"monitor logins refused", 0, "", monitor_logins_refused},
	{"longest session time", AT(longest_session_ms), "ms", NULL},
	{"times saturated", AT(saturated), "", NULL},
	{"accept exhausted", AT(accept_exhausted), "", NULL},
	{"bind peers refused", AT(peers_refused), "", NULL},
	{"datagrams sent", AT(datagrams_sent), "", NULL},
	{"datagrams received", AT(datagrams_received), "", NULL},
};

static uint64_t counter_value(const struct stats *s, const struct counter *c)
{
	return c->read != NULL
		? c->read(s)
		: stats_get((const _Atomic(uint64_t) *)((const char *)s + c->offset));
}

static uint64_t average(const struct histogram *h)
{
	struct histogram_figures f = histogram_read(h);

	return f.count == 0 ? 0 : f.total_ms / f.count;
}

static uint64_t active_users(struct ledger *l)
{
	size_t count;

	free(ledger_active_users(l, &count));
	return count;
}

/* The first six, by the contract. */
static void give_contract(struct services *v, uint64_t bytes, statistics_taker *take, void *context)
{
	struct stats *s = &v->stats;

	take(context, "all time connections", stats_get(&s->sessions), "");
	take(context, "bytes transferred", bytes, "");
	take(context, "active users", active_users(v->ledger), "");
	take(context, "current connections", stats_get(&s->current), "");
	take(context, "max concurrent connections", stats_get(&s->most), "");
	take(context, "server uptime", (uint64_t)(clock_ms() - s->started) / 1000, "s");
}

static void give_averages(struct stats *s, statistics_taker *take, void *context)
{
	take(context, "average session time", average(&s->session_times), "ms");
	take(context, "average lookup time", average(&s->lookup_times), "ms");
	take(context, "average connect time", average(&s->connect_times), "ms");
}

struct statistics_resources statistics_resources(struct services *v)
{
	const struct fdbudget *b = &v->budget;
	uint64_t busy = stats_get(&v->stats.current);

	return (struct statistics_resources){.workers = {.used = busy, .total = b->sessions},
		.descriptors = {.used = b->reserved + busy * FDBUDGET_PER_SESSION +
				atomic_load(&b->spare_used),
			.total = b->limit},
		.pipes = {.used = atomic_load(&v->pipes.used), .total = v->pipes.total}};
}

static void give_resources(struct services *v, statistics_taker *take, void *context)
{
	struct statistics_resources r = statistics_resources(v);
	const struct fdbudget *b = &v->budget;
	uint64_t hits, misses;

	resolver_counts(v->resolver, &hits, &misses);
	take(context, "name cache hits", hits, "");
	take(context, "name cache misses", misses, "");
	take(context, "workers busy", r.workers.used, "");
	take(context, "workers total", r.workers.total, "");
	take(context, "descriptors used", r.descriptors.used, "");
	take(context, "descriptors total", r.descriptors.total, "");
	take(context, "spare descriptors used", atomic_load(&b->spare_used), "");
	take(context, "spare descriptors total", b->spare, "");
	take(context, "splice pipes used", r.pipes.used, "");
	take(context, "splice pipes total", r.pipes.total, "");
	take(context, "access log lines lost", access_log_lost(v->access_log), "");
	take(context, "log lines lost", log_lost(), "");
}

static void give_helper(struct services *v, statistics_taker *take, void *context)
{
	struct login_helper_figures f = login_helper_read(v->login_helper);

	take(context, "helper answers right", f.right, "");
	take(context, "helper answers wrong", f.wrong, "");
	take(context, "helper answers failed", f.failed, "");
	take(context, "helper answers recalled", f.recalled, "");
}

static void give_sharing(struct services *v, statistics_taker *take, void *context)
{
	struct cluster_status s;

	if (v->cluster == NULL)
		return;
	cluster_look(v->cluster, clock_ms(), &s);
	take(context, "nodes online", s.nodes, "");
	take(context, "shared up", s.is_up, "");
	take(context, "shared commands", s.commands, "");
	take(context, "shared failures", s.failures, "");
	if (s.lag_ms >= 0)
		take(context, "shared lag", (uint64_t)s.lag_ms, "ms");
}

void statistics_each(struct services *v, statistics_taker *take, void *context)
{
	struct stats *s = &v->stats;
	uint64_t sent, received;
	char name[64];

	registry_totals(v->registry, &sent, &received);
	give_contract(v, sent + received, take, context);
	take(context, "bytes sent", sent, "");
	take(context, "bytes received", received, "");
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		take(context, counters[i].name, counter_value(s, &counters[i]), counters[i].unit);
	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++) {
		snprintf(name, sizeof(name), "datagrams dropped %s", datagram_drop_words(i));
		take(context, name, stats_get(&s->datagrams_dropped[i]), "");
	}
	give_averages(s, take, context);
	give_resources(v, take, context);
	for (enum end_reason i = 0; i < END_REASONS; i++) {
		snprintf(name, sizeof(name), "ended %s", end_reason_word(i));
		take(context, name, stats_ended(s, i), "");
	}
	take(context, "clients refused for sessions", stats_get(&s->clients_over_share), "");
	take(context, "clients refused for bans", stats_get(&s->clients_banned), "");
	take(context, "web logins refused", login_counts_refused(&s->logins, LOGIN_AT_WEB), "");
	give_helper(v, take, context);
	give_sharing(v, take, context);
}

/* "server uptime" in "s" is server_uptime_s in the log. */
static void log_figure(void *context, const char *name, uint64_t value, const char *unit)
{
	char key[64];

	snprintf(key, sizeof(key), "%s%s%s", name, *unit != '\0' ? "_" : "", unit);
	for (char *p = key; *p != '\0'; p++) {
		if (*p == ' ')
			*p = '_';
	}
	log_number(context, key, (int64_t)value);
}

void statistics_log(struct services *v)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "statistics");
	statistics_each(v, log_figure, &line);
	log_end(&line);
}
