/*
 * The rows are in the order in which they are told, and read. A row says what its samples mean and
 * which function reads them. An answer is a source of a reply that goes through the rows: each
 * family is put together when those before it went out, so that the parts of a histogram, say, are
 * of one moment, and many rules or accounts hold up nobody.
 */
#include "web/metric_families.h"

#include <stdlib.h>

#include "web/metric_sources.h"

#define COUNTER .type = METRIC_COUNTER
#define GAUGE .type = METRIC_GAUGE
#define HISTOGRAM .type = METRIC_HISTOGRAM
#define SECONDS .unit = "seconds"
#define BYTES .unit = "bytes"

const struct metric_family metric_families[] = {
	{{.name = "socks5d_build_info",
		 .type = METRIC_INFO,
		 .labels = {"version"},
		 .help = "Always 1, with the version that runs."},
		.put = metrics_build},
	{{.name = "socks5d_sessions_active",
		 GAUGE,
		 .labels = {"command"},
		 .help = "Sessions that run now, by what was asked for; none: nothing yet."},
		.put = metrics_sessions_active},
	{{.name = "socks5d_sessions_total",
		 COUNTER,
		 .labels = {"outcome", "reason"},
		 .help = "Sessions that ended: success is what was granted, and the reason is the "
			 "word of the log, which socks5d(8) explains."},
		.put = metrics_sessions},
	{{.name = "socks5d_session_duration_seconds",
		 HISTOGRAM,
		 SECONDS,
		 .help = "How long sessions lasted, from accept to their end."},
		.put = metrics_session_times},
	{{.name = "socks5d_connect_duration_seconds",
		 HISTOGRAM,
		 SECONDS,
		 .help = "How long connections to targets took to come about, once there was an "
			 "address."},
		.put = metrics_connect_times},
	{{.name = "socks5d_lookup_duration_seconds",
		 HISTOGRAM,
		 SECONDS,
		 .help = "How long names of targets took until there was an address to try, or "
			 "none."},
		.put = metrics_lookup_times},
	{{.name = "socks5d_refused_total",
		 COUNTER,
		 .labels = {"reason"},
		 .help = "Clients that were turned away as they came: banned, by the setting clients "
			 "(client_refused), or by max_sessions_per_client (client_over_share)."},
		.put = metrics_refused},
	{{.name = "socks5d_saturated_total",
		 COUNTER,
		 .help = "How often the last idle worker got a client, so that the next one had to "
			 "wait."},
		.put = metrics_saturated},
	{{.name = "socks5d_accept_failures_total",
		 COUNTER,
		 .help = "How often clients could not be accepted for want of descriptors or "
			 "memory."},
		.put = metrics_accept_failures},
	{{.name = "socks5d_logins_total",
		 COUNTER,
		 .labels = {"door", "result"},
		 .help = "Checks of a name and a password at each door: ok, wrong, held_off (too many "
			 "from there were wrong), busy and no_memory (not checked), disabled, "
			 "expired, not_from_here (the user may not log in, from there at least), "
			 "no_helper and unanswered (not checked: auth_socket is not set, or could not "
			 "say), ignored (served as Anonymous all the same)."},
		.put = metrics_logins},
	{{.name = "socks5d_helper_answers_total",
		 COUNTER,
		 .labels = {"result"},
		 .help = "What auth_socket said of logins: right, wrong, failed (it could not be "
			 "reached, or could not say); and what was recalled of that without asking "
			 "(recalled)."},
		.put = metrics_helper_answers},
	{{.name = "socks5d_bytes_total",
		 COUNTER,
		 BYTES,
		 .labels = {"direction"},
		 .help = "Payload that sessions moved, to targets (sent) and from them (received)."},
		.put = metrics_bytes},
	{{.name = "socks5d_datagrams_total",
		 COUNTER,
		 .labels = {"direction"},
		 .help = "Datagrams of associations that got through, to targets (sent) and from "
			 "them (received)."},
		.put = metrics_datagrams},
	{{.name = "socks5d_datagrams_dropped_total",
		 COUNTER,
		 .labels = {"reason"},
		 .help = "Datagrams of associations that were dropped."},
		.put = metrics_datagrams_dropped},
	{{.name = "socks5d_workers",
		 GAUGE,
		 .labels = {"state"},
		 .help = "Workers that have a client (busy) and that have none (idle): both together "
			 "are max_sessions, as far as that fits."},
		.put = metrics_workers},
	{{.name = "socks5d_fd_budget",
		 GAUGE,
		 .labels = {"state"},
		 .help = "File descriptors that are given away (used) and that are left (free) of "
			 "what the process may have."},
		.put = metrics_descriptors},
	{{.name = "socks5d_pipes",
		 GAUGE,
		 .labels = {"state"},
		 .help = "Pipes between sockets for streams that move much: in use (used), and that "
			 "may be opened (free)."},
		.put = metrics_pipes},
	{{.name = "socks5d_dns_cache_hits_total",
		 COUNTER,
		 .help = "Lookups of names, by address family, that the cache answered."},
		.put = metrics_cache_hits},
	{{.name = "socks5d_dns_cache_misses_total",
		 COUNTER,
		 .help = "Lookups of names, by address family, that the cache could not answer."},
		.put = metrics_cache_misses},
	{{.name = "socks5d_dns_cache_entries",
		 GAUGE,
		 .help = "Records in the cache of names, expired ones that nothing has displaced yet "
			 "included."},
		.put = metrics_cache_entries},
	{{.name = "socks5d_bans",
		 GAUGE,
		 .help = "Client addresses and networks that are banned now."},
		.put = metrics_bans},
	{{.name = "socks5d_rule_hits_total",
		 COUNTER,
		 .labels = {"rule"},
		 .help = "Requests that each rule decided, by its number as RULES shows it; otherwise "
			 "and protect:WORD where no rule did."},
		.put = metrics_rule_hits},
	{{.name = "socks5d_users",
		 GAUGE,
		 .labels = {"state"},
		 .help = "Users: with a session now (active), without one (idle), and who may not log "
			 "in (disabled, expired)."},
		.put = metrics_users},
	{{.name = "socks5d_upstream_up",
		 GAUGE,
		 .labels = {"upstream", "url"},
		 .help = "1: the upstream is used; 0: it has failed and rests."},
		.put = metrics_upstreams_up},
	{{.name = "socks5d_upstream_sessions",
		 GAUGE,
		 .labels = {"upstream", "url"},
		 .help = "Sessions that go through the upstream now."},
		.put = metrics_upstream_sessions},
	{{.name = "socks5d_upstream_failures_total",
		 COUNTER,
		 .labels = {"upstream", "url"},
		 .help = "How often the upstream failed."},
		.put = metrics_upstream_failures},
	{{.name = "socks5d_shared_up",
		 GAUGE,
		 .help = "1: the engine of the setting shared works; 0: this node is apart from the "
			 "others."},
		.is_of_sharing = true, .put = metrics_shared_up},
	{{.name = "socks5d_shared_lag_seconds",
		 GAUGE,
		 SECONDS,
		 .help = "How long ago the engine answered last; it is asked four times a second."},
		.is_of_sharing = true, .put = metrics_shared_lag},
	{{.name = "socks5d_shared_commands_total",
		 COUNTER,
		 .help = "Commands that were sent to the engine."},
		.is_of_sharing = true, .put = metrics_shared_commands},
	{{.name = "socks5d_shared_failures_total",
		 COUNTER,
		 .help = "How often the engine failed: it could not be connected to, did not answer "
			 "in time, or refused."},
		.is_of_sharing = true, .put = metrics_shared_failures},
	{{.name = "socks5d_nodes", GAUGE, .help = "Nodes that are online, this one included."},
		.is_of_sharing = true, .put = metrics_nodes},
	{{.name = "socks5d_access_log_lost_total",
		 COUNTER,
		 .help = "Lines that could not be written to access_log_file."},
		.put = metrics_access_log_lost},
	{{.name = "socks5d_log_lost_total",
		 COUNTER,
		 .help = "Lines that could not be written to the log."},
		.put = metrics_log_lost},
	{{.name = "socks5d_account_bytes_total",
		 COUNTER,
		 BYTES,
		 .labels = {"account", "direction"},
		 .help = "Payload that a user's or a client address's sessions moved, to targets "
			 "(sent) and from them (received)."},
		.is_of_accounts = true, .put = metrics_account_bytes},
	{{.name = "socks5d_account_sessions",
		 GAUGE,
		 .labels = {"account"},
		 .help = "Sessions that a user or a client address has now."},
		.is_of_accounts = true, .put = metrics_account_sessions},
	{{.name = "process_cpu_seconds_total",
		 COUNTER,
		 SECONDS,
		 .help = "Time that the process has spent on processors, user and system."},
		.put = metrics_cpu},
	{{.name = "process_open_fds", GAUGE, .help = "File descriptors that the process has open."},
		.put = metrics_open_fds},
	{{.name = "process_max_fds",
		 GAUGE,
		 .help = "File descriptors that the process may have open."},
		.put = metrics_max_fds},
	{{.name = "process_virtual_memory_bytes",
		 GAUGE,
		 BYTES,
		 .help = "Address space that the process has taken."},
		.put = metrics_virtual},
	{{.name = "process_virtual_memory_max_bytes",
		 GAUGE,
		 BYTES,
		 .help = "Address space that the process may take."},
		.put = metrics_virtual_max},
	{{.name = "process_resident_memory_bytes",
		 GAUGE,
		 BYTES,
		 .help = "Memory that the process has."},
		.put = metrics_resident},
	{{.name = "process_start_time_seconds",
		 GAUGE,
		 SECONDS,
		 .help = "When the process started, since 1970."},
		.put = metrics_started},
	{{.name = "process_threads", GAUGE, .help = "Threads of the process."},
		.put = metrics_threads},
};

const size_t metric_families_count = sizeof(metric_families) / sizeof(metric_families[0]);

/* ---- the answer ---- */

static void free_metrics(void *state)
{
	struct metrics *m = state;

	config_release(m->config);
	free(m->accounts);
	free(m);
}

static bool is_wanted(const struct metrics *m, const struct metric_family *f)
{
	return (!f->is_of_accounts || m->config->settings.metrics_accounts != 0) &&
		(!f->is_of_sharing || m->services->cluster != NULL);
}

/* Has the family more? */
static bool put_family(struct metrics *m, const struct metric_family *f, struct reply *r)
{
	if (!is_wanted(m, f))
		return false;
	if (m->at == 0)
		exposition_begin(r, m->syntax, &f->metric);
	return f->put(m, r);
}

static bool more_metrics(void *state, struct reply *r)
{
	struct metrics *m = state;

	while (m->family < metric_families_count && r->len < REPLY_CHUNK) {
		if (put_family(m, &metric_families[m->family], r))
			continue;
		m->family++;
		m->at = 0;
	}
	if (m->family < metric_families_count)
		return true;
	exposition_end(r, m->syntax);
	return false;
}

void metric_families_begin(struct services *v, enum exposition syntax, struct reply *r)
{
	struct metrics *m = calloc(1, sizeof(*m));

	r->closes = true;
	r->failed |= m == NULL;
	if (m == NULL)
		return;
	m->services = v;
	m->syntax = syntax;
	m->config = config_get(v->config);
	reply_continue(r, more_metrics, free_metrics, m);
}
