/* metric_sources: where the figures of each family (metric_families.h) come from: the functions
 * that the monitor's answers are made by. No lock. */
#ifndef WEB_METRIC_SOURCES_H
#define WEB_METRIC_SOURCES_H

#include "base/process.h"
#include "web/metric_families.h"

/* What an account has moved, and has now. */
struct metric_account {
	const char *name; /* one word */
	uint64_t sent, received, sessions;
};

struct metrics {
	struct services *services;
	enum exposition syntax;
	struct config *config; /* that was in force when it began */
	size_t family; /* its index */
	size_t at; /* how far that one has come; 0: nothing of it is there yet */
	struct metric_account *accounts; /* once they were asked for; in one block with the names */
	size_t account_count;
	bool has_process;
	struct process_figures process;
};

typedef bool metric_source(struct metrics *m, struct reply *r);

metric_source metrics_build, metrics_sessions_active, metrics_sessions, metrics_session_times,
	metrics_connect_times, metrics_lookup_times, metrics_refused, metrics_saturated,
	metrics_accept_failures, metrics_logins, metrics_bytes, metrics_datagrams,
	metrics_accept_failures, metrics_helper_answers, metrics_bytes, metrics_datagrams,
	metrics_datagrams_dropped, metrics_workers, metrics_descriptors, metrics_pipes,
	metrics_cache_hits, metrics_cache_misses, metrics_cache_entries, metrics_bans,
	metrics_rule_hits, metrics_users, metrics_upstreams_up, metrics_upstream_sessions,
	metrics_upstream_failures, metrics_shared_up, metrics_shared_lag, metrics_shared_commands,
	metrics_shared_failures, metrics_nodes, metrics_access_log_lost, metrics_log_lost,
	metrics_account_bytes, metrics_account_sessions, metrics_cpu, metrics_open_fds,
	metrics_max_fds, metrics_virtual, metrics_virtual_max, metrics_resident, metrics_started,
	metrics_threads;

#endif
