/*
 * One function a family. Nothing is counted here: each asks who shows the same to the monitor, so
 * that a figure is one wherever it is read. Labels are words that the log and the monitor use, too.
 */
#include "web/metric_sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "server/statistics.h"
#include "state/cluster.h"
#include "state/rules.h"
#include "state/upstreams.h"
#include "wire/request.h"

/* ---- samples of the family whose turn it is ---- */

static const struct metric *metric_of(const struct metrics *m)
{
	return &metric_families[m->family].metric;
}

/* Without a label; always false: that was all of the family. */
static bool put_one(const struct metrics *m, struct reply *r, uint64_t number)
{
	exposition_number(r, metric_of(m), NULL, number);
	return false;
}

static void put_with(const struct metrics *m, struct reply *r, const char *value, uint64_t number)
{
	exposition_number(r, metric_of(m), &value, number);
}

static void put_with_two(const struct metrics *m, struct reply *r, const char *first,
	const char *second, uint64_t number)
{
	exposition_number(r, metric_of(m), (const char *const[]){first, second}, number);
}

static bool put_histogram(const struct metrics *m, struct reply *r, const struct histogram *h)
{
	exposition_histogram(r, metric_of(m), h);
	return false;
}

static bool put_counter(const struct metrics *m, struct reply *r, const _Atomic(uint64_t) *counter)
{
	return put_one(m, r, stats_get(counter));
}

/* ---- sessions ---- */

bool metrics_build(struct metrics *m, struct reply *r)
{
	put_with(m, r, SOCKS5D_VERSION, 1);
	return false;
}

bool metrics_sessions_active(struct metrics *m, struct reply *r)
{
	size_t counts[REQUEST_COMMANDS];
	char text[16];

	registry_count_commands(m->services->registry, counts);
	for (enum request_command i = REQUEST_CONNECT; i < REQUEST_UNKNOWN; i++)
		put_with(m, r, request_command_word(&(struct request){.command = i}, text),
			counts[i]);
	put_with(m, r, "none", counts[REQUEST_NONE]);
	put_with(m, r, "other", counts[REQUEST_UNKNOWN]);
	return false;
}

bool metrics_sessions(struct metrics *m, struct reply *r)
{
	const struct stats *s = &m->services->stats;

	for (enum session_outcome i = 0; i < SESSION_OUTCOMES; i++) {
		for (enum end_reason k = 0; k < END_REASONS; k++)
			put_with_two(m, r, session_outcome_word(i), end_reason_word(k),
				stats_get(&s->ended[i][k]));
	}
	return false;
}

bool metrics_session_times(struct metrics *m, struct reply *r)
{
	return put_histogram(m, r, &m->services->stats.session_times);
}

bool metrics_connect_times(struct metrics *m, struct reply *r)
{
	return put_histogram(m, r, &m->services->stats.connect_times);
}

bool metrics_lookup_times(struct metrics *m, struct reply *r)
{
	return put_histogram(m, r, &m->services->stats.lookup_times);
}

bool metrics_refused(struct metrics *m, struct reply *r)
{
	const struct stats *s = &m->services->stats;

	put_with(m, r, end_reason_word(END_BANNED), stats_get(&s->clients_banned));
	put_with(m, r, end_reason_word(END_CLIENT_REFUSED), stats_get(&s->clients_refused));
	put_with(m, r, end_reason_word(END_CLIENT_OVER_SHARE), stats_get(&s->clients_over_share));
	return false;
}

bool metrics_saturated(struct metrics *m, struct reply *r)
{
	return put_counter(m, r, &m->services->stats.saturated);
}

bool metrics_accept_failures(struct metrics *m, struct reply *r)
{
	return put_counter(m, r, &m->services->stats.accept_exhausted);
}

bool metrics_logins(struct metrics *m, struct reply *r)
{
	const struct login_counts *c = &m->services->stats.logins;

	for (enum login_door i = 0; i < LOGIN_DOORS; i++) {
		for (unsigned k = 0; k < LOGIN_RESULTS; k++)
			put_with_two(m, r, login_door_word(i), login_result_word(k),
				login_counts_get(c, i, k));
	}
	return false;
}

bool metrics_helper_answers(struct metrics *m, struct reply *r)
{
	struct login_helper_figures f = login_helper_read(m->services->login_helper);

	put_with(m, r, "right", f.right);
	put_with(m, r, "wrong", f.wrong);
	put_with(m, r, "failed", f.failed);
	put_with(m, r, "recalled", f.recalled);
	return false;
}

/* ---- what was moved ---- */

#define SENT "sent"
#define RECEIVED "received"

bool metrics_bytes(struct metrics *m, struct reply *r)
{
	uint64_t sent, received;

	registry_totals(m->services->registry, &sent, &received);
	put_with(m, r, SENT, sent);
	put_with(m, r, RECEIVED, received);
	return false;
}

bool metrics_datagrams(struct metrics *m, struct reply *r)
{
	const struct stats *s = &m->services->stats;

	put_with(m, r, SENT, stats_get(&s->datagrams_sent));
	put_with(m, r, RECEIVED, stats_get(&s->datagrams_received));
	return false;
}

bool metrics_datagrams_dropped(struct metrics *m, struct reply *r)
{
	char word[32];

	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++) {
		snprintf(word, sizeof(word), "%s", datagram_drop_words(i));
		for (char *p = word; (p = strchr(p, ' ')) != NULL;)
			*p = '_';
		put_with(m, r, word, stats_get(&m->services->stats.datagrams_dropped[i]));
	}
	return false;
}

/* ---- what there is a bound on ---- */

/* Each by itself is of another moment: more may be used than there are. */
static bool put_resource(const struct metrics *m, struct reply *r, const char *used,
	const char *unused, struct statistics_resource of)
{
	put_with(m, r, used, of.used);
	put_with(m, r, unused, of.used < of.total ? of.total - of.used : 0);
	return false;
}

bool metrics_workers(struct metrics *m, struct reply *r)
{
	return put_resource(m, r, "busy", "idle", statistics_resources(m->services).workers);
}

bool metrics_descriptors(struct metrics *m, struct reply *r)
{
	return put_resource(m, r, "used", "free", statistics_resources(m->services).descriptors);
}

bool metrics_pipes(struct metrics *m, struct reply *r)
{
	return put_resource(m, r, "used", "free", statistics_resources(m->services).pipes);
}

bool metrics_cache_hits(struct metrics *m, struct reply *r)
{
	uint64_t hits, misses;

	resolver_counts(m->services->resolver, &hits, &misses);
	return put_one(m, r, hits);
}

bool metrics_cache_misses(struct metrics *m, struct reply *r)
{
	uint64_t hits, misses;

	resolver_counts(m->services->resolver, &hits, &misses);
	return put_one(m, r, misses);
}

bool metrics_cache_entries(struct metrics *m, struct reply *r)
{
	return put_one(m, r, resolver_cached(m->services->resolver));
}

bool metrics_access_log_lost(struct metrics *m, struct reply *r)
{
	return put_one(m, r, access_log_lost(m->services->access_log));
}

bool metrics_log_lost(struct metrics *m, struct reply *r)
{
	return put_one(m, r, log_lost());
}

/* ---- bans, rules, users, upstreams ---- */

bool metrics_bans(struct metrics *m, struct reply *r)
{
	size_t count = 0;
	struct ban_info *bans = bans_list(m->services->bans, bans_now(), &count);

	r->failed |= bans == NULL;
	free(bans);
	return put_one(m, r, count);
}

bool metrics_rule_hits(struct metrics *m, struct reply *r)
{
	int64_t now = time(NULL);
	struct rule_tally rule;

	do {
		if (!rules_next_tally(m->config, &m->at, now, &rule))
			return false;
		put_with(m, r, rule.word, rule.hits);
	} while (r->len < REPLY_CHUNK);
	return true;
}

bool metrics_users(struct metrics *m, struct reply *r)
{
	static const char *const words[] = {[USER_ACTIVE] = "active",
		[USER_IDLE] = "idle",
		[USER_DISABLED] = "disabled",
		[USER_EXPIRED] = "expired"};
	size_t counts[USER_STATES];

	users_count_states(m->services->users, time(NULL), counts);
	for (enum user_state i = 0; i < USER_STATES; i++)
		put_with(m, r, words[i], counts[i]);
	return false;
}

/* Was there one of that name and address before? They share their figures. */
static bool is_repeated(const struct upstreams *all, size_t index)
{
	const struct upstream *u = &all->servers[index];

	for (size_t i = 0; i < index; i++) {
		if (strcmp(all->servers[i].name, u->name) == 0 &&
			strcmp(all->servers[i].shown, u->shown) == 0)
			return true;
	}
	return false;
}

static bool put_upstreams(
	struct metrics *m, struct reply *r, uint64_t (*read)(const struct upstream_figures *f))
{
	const struct upstreams *all = m->config->upstreams;

	for (size_t i = 0; all != NULL && i < all->count; i++) {
		const struct upstream *u = &all->servers[i];
		struct upstream_figures f = upstream_figures(u, clock_ms());

		if (!is_repeated(all, i))
			put_with_two(m, r, u->name, u->shown, read(&f));
	}
	return false;
}

static uint64_t read_up(const struct upstream_figures *f)
{
	return strcmp(f->state, "up") == 0;
}

static uint64_t read_sessions(const struct upstream_figures *f)
{
	return f->sessions;
}

static uint64_t read_failures(const struct upstream_figures *f)
{
	return f->failures;
}

bool metrics_upstreams_up(struct metrics *m, struct reply *r)
{
	return put_upstreams(m, r, read_up);
}

bool metrics_upstream_sessions(struct metrics *m, struct reply *r)
{
	return put_upstreams(m, r, read_sessions);
}

bool metrics_upstream_failures(struct metrics *m, struct reply *r)
{
	return put_upstreams(m, r, read_failures);
}

/* ---- other nodes ---- */

static struct cluster_status look_at_cluster(const struct metrics *m)
{
	struct cluster_status s;

	cluster_look(m->services->cluster, clock_ms(), &s);
	return s;
}

bool metrics_shared_up(struct metrics *m, struct reply *r)
{
	return put_one(m, r, look_at_cluster(m).is_up);
}

/* Before the engine has answered for the first time there is none. */
bool metrics_shared_lag(struct metrics *m, struct reply *r)
{
	int64_t lag = look_at_cluster(m).lag_ms;

	if (lag >= 0)
		exposition_time(r, metric_of(m), NULL, (uint64_t)lag);
	return false;
}

bool metrics_shared_commands(struct metrics *m, struct reply *r)
{
	return put_one(m, r, look_at_cluster(m).commands);
}

bool metrics_shared_failures(struct metrics *m, struct reply *r)
{
	return put_one(m, r, look_at_cluster(m).failures);
}

bool metrics_nodes(struct metrics *m, struct reply *r)
{
	return put_one(m, r, look_at_cluster(m).nodes);
}

/* ---- the process ---- */

/* Read once for an answer; NULL where the kernel does not tell, and then nothing is told. */
static const struct process_figures *read_process(struct metrics *m)
{
	if (!m->has_process)
		m->has_process = process_read(&m->process);
	return m->has_process ? &m->process : NULL;
}

bool metrics_cpu(struct metrics *m, struct reply *r)
{
	const struct process_figures *f = read_process(m);

	if (f != NULL)
		exposition_time(r, metric_of(m), NULL, f->cpu_ms);
	return false;
}

bool metrics_open_fds(struct metrics *m, struct reply *r)
{
	return put_one(m, r, fdbudget_count_open());
}

static bool put_limit(const struct metrics *m, struct reply *r, __rlimit_resource_t resource)
{
	struct rlimit limit = {.rlim_cur = 0};

	(void)getrlimit(resource, &limit);
	return put_one(m, r, limit.rlim_cur);
}

bool metrics_max_fds(struct metrics *m, struct reply *r)
{
	return put_limit(m, r, RLIMIT_NOFILE);
}

bool metrics_virtual(struct metrics *m, struct reply *r)
{
	const struct process_figures *f = read_process(m);

	return f != NULL && put_one(m, r, f->virtual_bytes);
}

bool metrics_virtual_max(struct metrics *m, struct reply *r)
{
	return put_limit(m, r, RLIMIT_AS);
}

bool metrics_resident(struct metrics *m, struct reply *r)
{
	const struct process_figures *f = read_process(m);

	return f != NULL && put_one(m, r, f->resident_bytes);
}

bool metrics_started(struct metrics *m, struct reply *r)
{
	return put_one(m, r, (uint64_t)m->services->stats.started_at);
}

bool metrics_threads(struct metrics *m, struct reply *r)
{
	const struct process_figures *f = read_process(m);

	return f != NULL && put_one(m, r, f->threads);
}
