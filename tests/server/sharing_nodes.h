/* sharing_nodes: nodes that share their state by an engine in the test's memory (fake_engine.h), on
 * a clock that the test moves. The line WRAP_ in the Makefile names clock_ms and clock_deadline
 * besides, and time, where the clock of the day is the test's, too. */
#ifndef TESTS_SERVER_SHARING_NODES_H
#define TESTS_SERVER_SHARING_NODES_H

#include <time.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "base/log.h"
#include "fake_engine.h"
#include "server/sharing_parts.h"
#include "state/kept_use.h"
#include "state/ledger_limits.h"
#include "state/shared_users.h"

#define NODES 3
#define SLOTS 4 /* of sessions, of each */
#define NOON 1795694400 /* when a test begins: 2026-11-26 12:00 UTC */
#define MIDNIGHT (NOON - 12 * 3600)

static int64_t now_ms;
static time_t now_s;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
time_t __wrap_time(time_t *out);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : now_ms + ms;
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = now_s;
	return now_s;
}

struct node {
	struct services services;
	struct sharing *sharing;
	unsigned rings, user_rings;
	int64_t ahead; /* seconds that its clock of the day is */
};

static struct node nodes[NODES];
static struct standing *kept; /* for the next node that starts */
static bool nodes_share_users;

static inline void count_ring(void *context)
{
	((struct node *)context)->rings++;
}

static inline void count_user_ring(void *context)
{
	((struct node *)context)->user_rings++;
}

/* Each is called by its number, and keeps what it knows, or (false) does not. */
static inline void start_node(size_t i, bool keeps)
{
	char name[16], error[CONFIG_ERROR_MAX], kept_at[] = "/state";
	char *state_dir = keeps ? kept_at : kept_at + strlen(kept_at);
	struct node *n = &nodes[i];
	struct services *v = &n->services;
	struct settings settings = {.shared = {.host = "10.0.0.1", .port = 6379},
		.shared_password_file = (char[]){""},
		.shared_prefix = (char[]){"p"},
		.state_dir = state_dir,
		.node_name = name};
	const struct sharing_bell bell = {
		.ring = count_ring, .ring_users = count_user_ring, .context = n};
	const struct config_source source = {.path = NULL};
	struct users_backend backend;

	snprintf(name, sizeof(name), "n%zu", i);
	v->ledger = ledger_new(16, NULL);
	v->standing = kept == NULL ? standing_new() : kept;
	kept = NULL;
	standing_set_kept(v->standing, keeps);
	v->bans = bans_new(NULL, v->standing);
	bans_restore(v->bans, bans_now());
	v->registry = registry_new(SLOTS);
	v->hashing = hashing_new(1);
	if (nodes_share_users) {
		v->shared_users = shared_users_new(v->standing, name);
		backend = shared_users_backend(v->shared_users, NULL);
	}
	v->users = users_new(v->hashing, v->ledger, nodes_share_users ? &backend : NULL);
	if (nodes_share_users)
		assert_int_equal(users_load(v->users, error), 0);
	v->stats.started_at = now_s;
	v->places.total = 100;
	ledger_follow(v->ledger, NULL, v->standing);
	v->config = config_store_new(config_read(&source, error));
	assert_non_null(v->config);
	n->sharing = sharing_new(&settings, v, &bell, error);
	assert_non_null(n->sharing);
}

/* As kill -9 would. */
static inline void free_node(size_t i)
{
	struct services *v = &nodes[i].services;

	sharing_free(nodes[i].sharing);
	config_store_free(v->config);
	users_free(v->users);
	shared_users_free(v->shared_users);
	hashing_free(v->hashing);
	registry_free(v->registry);
	if (v->ledger != NULL)
		ledger_free(v->ledger);
	bans_free(v->bans);
	standing_free(v->standing);
	memset(&nodes[i], 0, sizeof(nodes[i]));
}

/* The same, but that what is on its disk is there for the next node that starts. */
static inline void stop_node(size_t i)
{
	kept = nodes[i].services.standing;
	nodes[i].services.standing = NULL;
	free_node(i);
}

static inline void restart_node(size_t i)
{
	stop_node(i);
	start_node(i, true);
}

static inline int start_all(void **state)
{
	if (scratch_enter(state) != 0 || log_open("log") < 0)
		return -1;
	now_ms = 1000000;
	now_s = NOON;
	fake_is_down = false;
	fake_error = NULL;
	if (fake_real != NULL)
		freeReplyObject(FAKE_ASK("FLUSHALL"));
	for (size_t i = 0; i < NODES; i++)
		start_node(i, true);
	return 0;
}

static inline int free_all(void **state)
{
	for (size_t i = 0; i < NODES; i++)
		free_node(i);
	fake_empty();
	log_close();
	return scratch_leave(state);
}

#define sharing_test(name) cmocka_unit_test_setup_teardown(name, start_all, free_all)

/* ---- what they do ---- */

/* As the main thread does. */
static inline void take_arrivals(size_t i)
{
	struct users_difference d;
	char error[USERS_ERROR_MAX], *name;

	while ((name = shared_users_next_arrived(nodes[i].services.shared_users)) != NULL) {
		assert_int_equal(
			users_take(nodes[i].services.users, name, NULL, NULL, &d, error), 0);
		free(name);
	}
	shared_users_settle(nodes[i].services.shared_users);
}

/* With the clock of the day that the node has. */
static inline void step(size_t i)
{
	if (nodes[i].sharing == NULL)
		return;
	fake_behind = nodes[i].ahead;
	now_s += fake_behind;
	sharing_step(nodes[i].sharing);
	now_s -= fake_behind;
	fake_behind = 0;
	if (nodes_share_users)
		take_arrivals(i);
}

/* Every node has turns until what each has told the others have heard. */
static inline void go_on(int64_t ms)
{
	size_t rounds = nodes_share_users ? 6 : 2;

	now_ms += ms;
	now_s += ms / 1000;
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < NODES; i++)
			step(i);
	}
}

static inline void go_apart(void)
{
	fake_is_down = true;
	go_on(SHARING_PERIOD_MS);
	fake_is_down = false;
}

static inline void use(size_t node, const char *account, uint64_t used)
{
	const struct quota_use u = {.begun = MIDNIGHT, .used = used};

	assert_int_equal(kept_use_put(nodes[node].services.standing, account, &u), 0);
}

static inline uint64_t used_elsewhere(size_t node, const char *account)
{
	return cluster_sum(nodes[node].services.cluster, account, MIDNIGHT).used;
}

static inline struct cluster_status status_of(size_t node)
{
	struct cluster_status s;

	cluster_look(nodes[node].services.cluster, now_ms, &s);
	return s;
}

static inline void assert_up(size_t node)
{
	struct cluster_status s = status_of(node);

	if (!s.is_up)
		fail_msg("node %zu is not up: %s", node, s.problem);
}

static inline bool is_logged(const char *text)
{
	char *log = scratch_read("log");
	bool is_there = strstr(log, text) != NULL;

	free(log);
	return is_there;
}

/* ---- bans ---- */

static inline struct network network(const char *text)
{
	struct network n;

	assert_true(network_parse(text, strlen(text), &n));
	return n;
}

static inline struct bans_time time_of(size_t node)
{
	return (struct bans_time){.ms = now_ms, .wall = now_s + nodes[node].ahead};
}

static inline void ban(size_t node, const char *client, int64_t lasts)
{
	const struct network who = network(client);
	struct ban_info begun;

	assert_int_equal(
		bans_put(nodes[node].services.bans, &who, lasts, time_of(node), &begun), 0);
}

static inline bool lift(size_t node, const char *client)
{
	const struct network who = network(client);
	struct ban_info lifted;

	return bans_lift(nodes[node].services.bans, &who, time_of(node), &lifted);
}

static inline bool find_ban(size_t node, const char *client, struct ban_info *info)
{
	const struct network who = network(client);

	return bans_find(nodes[node].services.bans, &who, time_of(node), info);
}

static inline bool is_banned(size_t node, const char *client)
{
	struct ban_info info;

	return find_ban(node, client, &info);
}

#endif
