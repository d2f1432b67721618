/*
 * This node comes first, with how it stands with the engine; the others are as they have told of
 * themselves, and as long ago as this node's clock says; but where their monitors are is told of
 * such addresses only as this node's own settings say that nodes have.
 */
#include "monitor/node_commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "base/version.h"
#include "state/cluster.h"

/* What others tell comes from the engine, and an administrator's login is sent there: so whoever
 * may write to the engine must not be able to name any address. */
static bool is_place_of_nodes(const struct network_list *places, const char *monitor)
{
	struct addr at;
	bool has_port;

	return addr_parse_port(monitor, strlen(monitor), &at, &has_port) &&
		(addr_is_loopback(&at) || network_list_contains(places, &at));
}

static void hide_elsewhere(struct services *v, struct cluster_node *nodes, size_t count)
{
	struct config *c = config_get(v->config);

	for (size_t i = 0; i < count; i++) {
		char *monitor = nodes[i].beat.monitor;

		if (!is_place_of_nodes(&c->settings.shared_nodes, monitor))
			strcpy(monitor, "-");
	}
	config_release(c);
}

static void add_node(struct reply *r, const char *state, const struct cluster_node *n)
{
	const struct cluster_beat *b = &n->beat;
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];

	timestamp_format(b->started, date, zone);
	reply_add(r,
		"node:%s state:%s version:%s sessions:%" PRIu64 " max_sessions:%" PRIu64
		" started:%.*s lag:%lld monitor:%s",
		b->node, state, b->version, b->sessions, b->max_sessions, TIMESTAMP_DATE, date,
		(long long)(n->silent_ms / 1000), b->monitor);
	if (n->namesakes > 0)
		reply_add(r, " namesakes:%zu", n->namesakes);
	reply_add(r, "\n");
}

static void add_own(struct services *v, struct reply *r)
{
	struct cluster_status status;
	struct cluster_node own = {.beat = {.version = SOCKS5D_VERSION,
					   .started = v->stats.started_at,
					   .sessions = stats_get(&v->stats.current),
					   .max_sessions = v->places.total}};

	cluster_look(v->cluster, clock_ms(), &status);
	memcpy(own.beat.node, status.node, sizeof(own.beat.node));
	memcpy(own.beat.monitor, status.monitor, sizeof(own.beat.monitor));
	own.silent_ms = status.lag_ms < 0 ? 0 : status.lag_ms;
	own.namesakes = status.namesakes;
	add_node(r, status.is_up ? "here" : "apart", &own);
}

void node_commands_list(const struct monitor_request *q, struct reply *r)
{
	struct services *v = q->services;
	struct cluster_node *nodes;
	size_t count;

	if (v->cluster == NULL) {
		reply_error(
			r, "This server shares nothing with others: the setting shared is empty");
		return;
	}
	nodes = cluster_nodes(v->cluster, clock_ms(), &count);
	if (nodes == NULL) {
		reply_error(r, "Out of memory");
		return;
	}
	hide_elsewhere(v, nodes, count);
	reply_add(r, "OK\n");
	add_own(v, r);
	for (size_t i = 0; i < count; i++)
		add_node(r, nodes[i].is_online ? "online" : "offline", &nodes[i]);
	free(nodes);
}
