/* sharing: what nodes tell and hear of each other by an engine in the test's memory, on a clock
 * that the test moves. */
#include "server/sharing_parts.h"

#include <time.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "base/log.h"
#include "fake_engine.h"
#include "state/kept_use.h"
#include "state/ledger_limits.h"

#define NODES 3
#define SLOTS 4 /* of sessions, of each */

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

struct network __wrap_own_client_of(struct own *o, const struct addr *a);
struct network __real_own_client_of(struct own *o, const struct addr *a);

/* Who is given addresses of its own is on the network of any client. */
struct network __wrap_own_client_of(struct own *o, const struct addr *a)
{
	struct network client = {.base = *a, .prefix = 128};

	return o != NULL && a->sa.sa_family == AF_INET6 ? client : __real_own_client_of(o, a);
}

struct node {
	struct services services;
	struct sharing *sharing;
	unsigned rings;
	int64_t ahead; /* seconds that its clock of the day is */
};

static struct node nodes[NODES];
static struct standing *kept; /* for the next node that starts */

static void count_ring(void *context)
{
	((struct node *)context)->rings++;
}

/* Each is called by its number, and keeps what it knows, or (false) does not. */
static void start_node(size_t i, bool keeps)
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
	const struct sharing_bell bell = {.ring = count_ring, .context = n};
	const struct config_source source = {.path = NULL};

	snprintf(name, sizeof(name), "n%zu", i);
	v->ledger = ledger_new(16, NULL);
	v->standing = kept == NULL ? standing_new() : kept;
	kept = NULL;
	standing_set_kept(v->standing, keeps);
	v->bans = bans_new(NULL, v->standing);
	bans_restore(v->bans, bans_now());
	v->registry = registry_new(SLOTS);
	v->hashing = hashing_new(1);
	v->users = users_new(v->hashing, v->ledger, NULL);
	v->stats.started_at = now_s;
	v->places.total = 100;
	ledger_follow(v->ledger, NULL, v->standing);
	v->config = config_store_new(config_read(&source, error));
	assert_non_null(v->config);
	n->sharing = sharing_new(&settings, v, &bell, error);
	assert_non_null(n->sharing);
}

static void free_node(size_t i)
{
	struct services *v = &nodes[i].services;

	sharing_free(nodes[i].sharing);
	config_store_free(v->config);
	users_free(v->users);
	hashing_free(v->hashing);
	registry_free(v->registry);
	if (v->ledger != NULL)
		ledger_free(v->ledger);
	bans_free(v->bans);
	standing_free(v->standing);
	memset(&nodes[i], 0, sizeof(nodes[i]));
}

/* As by kill -9, with what is on the disk. */
static void restart_node(size_t i)
{
	kept = nodes[i].services.standing;
	nodes[i].services.standing = NULL;
	free_node(i);
	start_node(i, true);
}

static int start_all(void **state)
{
	if (scratch_enter(state) != 0 || log_open("log") < 0)
		return -1;
	now_ms = 1000000;
	now_s = 1795694400; /* 2026-11-26 12:00 UTC */
	fake_is_down = false;
	fake_error = NULL;
	for (size_t i = 0; i < NODES; i++)
		start_node(i, true);
	return 0;
}

static int free_all(void **state)
{
	for (size_t i = 0; i < NODES; i++)
		free_node(i);
	fake_empty();
	log_close();
	return scratch_leave(state);
}

/* With the clock of the day that the node has. */
static void step(size_t i)
{
	if (nodes[i].sharing == NULL)
		return;
	fake_behind = nodes[i].ahead;
	now_s += fake_behind;
	sharing_step(nodes[i].sharing);
	now_s -= fake_behind;
	fake_behind = 0;
}

/* Every node has a turn, twice, so that what each has told the others have heard. */
static void go_on(int64_t ms)
{
	now_ms += ms;
	now_s += ms / 1000;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < NODES; i++) {
			step(i);
		}
	}
}

#define MIDNIGHT 1795651200

static void use(size_t node, const char *account, uint64_t used)
{
	const struct quota_use u = {.begun = MIDNIGHT, .used = used};

	assert_int_equal(kept_use_put(nodes[node].services.standing, account, &u), 0);
}

static uint64_t used_elsewhere(size_t node, const char *account)
{
	return cluster_sum(nodes[node].services.cluster, account, MIDNIGHT).used;
}

static struct cluster_status status_of(size_t node)
{
	struct cluster_status s;

	cluster_look(nodes[node].services.cluster, now_ms, &s);
	return s;
}

static void assert_up(size_t node)
{
	struct cluster_status s = status_of(node);

	if (!s.is_up)
		fail_msg("node %zu is not up: %s", node, s.problem);
}

static bool is_logged(const char *text)
{
	char *log = scratch_read("log");
	bool is_there = strstr(log, text) != NULL;

	free(log);
	return is_there;
}

/* ---- nodes ---- */

static void nodes_see_each_other_until_one_is_silent_or_stops(void **state)
{
	(void)state;
	go_on(0);
	for (size_t i = 0; i < NODES; i++)
		assert_up(i);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
	assert_true(status_of(0).commands > 0);
	assert_true(is_logged("joined the other nodes as n1"));
	free_node(2); /* as by kill -9 */
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 2);
	start_node(2, true);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
}

static void call_node(size_t i, const char *name)
{
	snprintf(nodes[i].sharing->node, sizeof(nodes[i].sharing->node), "%s", name);
	sharing_recall_part(nodes[i].sharing, nodes[i].sharing->keeps_part);
	cluster_introduce(nodes[i].services.cluster, name, "redis://10.0.0.1:6379/0");
}

/* Each has a part of its own, so the sum is right whatever they are called. */
static void nodes_of_one_name_count_each_for_itself_and_say_so(void **state)
{
	struct cluster_node *others;
	size_t count;

	(void)state;
	call_node(1, "n0");
	go_on(0);
	assert_string_equal(nodes[0].sharing->part, "n0");
	assert_string_not_equal(nodes[1].sharing->part, "n0");
	assert_int_equal(strncmp(nodes[1].sharing->part, "n0/", 3), 0);
	assert_int_equal(status_of(0).namesakes, 0); /* what has said so once may be long gone */
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_true(is_logged("node_name: another node calls itself n0, too"));
	assert_int_equal(status_of(0).namesakes, 1);
	assert_int_equal(status_of(1).namesakes, 1);
	assert_int_equal(status_of(2).namesakes, 0);
	assert_int_equal(status_of(2).nodes, 3);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	others = cluster_nodes(nodes[2].services.cluster, now_ms, &count);
	assert_int_equal(count, 2);
	assert_int_equal(others[0].namesakes, 1);
	assert_int_equal(others[1].namesakes, 1);
	free(others);
}

/* Numbers in a state_dir go on under the part that they began under. */
static void a_node_that_is_renamed_counts_once(void **state)
{
	struct services *v = &nodes[0].services;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	call_node(0, "renamed");
	nodes[0].sharing->is_joined = false;
	go_on(SHARING_BEAT_MS);
	assert_string_equal(nodes[0].sharing->part, "n0");
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(status_of(1).nodes, 3);
	/* A word that is none is no part. */
	assert_int_equal(standing_put(v->standing, STANDING_SHARED, "part", "garbage"), 0);
	sharing_recall_part(nodes[0].sharing, true);
	assert_string_equal(nodes[0].sharing->part, "renamed");
}

static void a_copied_state_dir_is_told_of(void **state)
{
	(void)state;
	fake_put("p:nodes", "n0", "before 1.0 5 1 10 7");
	go_on(0);
	assert_false(status_of(0).is_copied);
	fake_put("p:nodes", "n0", "another 1.0 5 1 10 7");
	go_on(SHARING_BEAT_MS);
	assert_true(is_logged("state_dir: another node has this one's, or a copy of it"));
	assert_true(status_of(0).is_copied);
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_copied);
}

/* As by kill -9: nobody but the next one takes it away. */
static void what_a_node_without_a_state_dir_leaves_behind_goes(void **state)
{
	char before[CLUSTER_NODE_MAX];
	struct cluster_node *others;
	size_t count;

	(void)state;
	free_node(2);
	start_node(2, false);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	snprintf(before, sizeof(before), "%s", nodes[2].sharing->part);
	assert_non_null(fake_get("p:nodes", before));
	free_node(2);
	start_node(2, false);
	for (int i = 0; i < 4; i++)
		go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:nodes", before));
	assert_int_equal(status_of(2).namesakes, 0);
	others = cluster_nodes(nodes[0].services.cluster, now_ms, &count);
	assert_int_equal(count, 2);
	assert_string_equal(others[1].beat.node, "n2");
	assert_true(others[1].is_online);
	assert_int_equal(others[1].namesakes, 0);
	free(others);
}

/* ---- what is left behind ---- */

static void let_pass_days(int64_t days)
{
	now_s += days * 86400;
	nodes[0].sharing->engine_sweep_due = now_ms;
	go_on(SHARING_BEAT_MS);
}

/* Until all know who is silent. */
static void let_silence_show(void)
{
	for (int i = 0; i < 5; i++)
		go_on(SHARING_BEAT_MS);
}

static void parts_of_nothing_are_swept_once_it_is_known_who_is_silent(void **state)
{
	char before[CLUSTER_NODE_MAX];

	(void)state;
	fake_put("p:parts", "gone", "");
	fake_put("p:parts", "gone/12", "");
	fake_put("p:owners", "gone", "1");
	fake_put("p:owners", "gone/12", "1");
	fake_put("p:parts", "used", "");
	fake_put("p:use:used", "alice", "1795651200 5 0 0");
	fake_put("p:parts", "later", "");
	fake_put("p:use:later", "alice", "words of a later version");
	fake_put("p:parts", "running", "");
	fake_put("p:live:running", "alice", "1");
	free_node(2);
	start_node(2, false);
	go_on(0);
	snprintf(before, sizeof(before), "%s", nodes[2].sharing->part);
	sharing_stop(nodes[2].sharing);
	free_node(2);
	start_node(2, false);
	go_on(SHARING_BEAT_MS);
	assert_non_null(fake_get("p:parts", "gone"));
	assert_non_null(fake_get("p:parts", before));
	let_silence_show();
	let_pass_days(0);
	assert_up(0);
	assert_null(fake_get("p:parts", "gone"));
	assert_null(fake_get("p:parts", "gone/12"));
	assert_null(fake_get("p:owners", "gone/12"));
	assert_non_null(fake_get("p:owners", "gone")); /* its name is anybody's */
	assert_null(fake_get("p:parts", before));
	assert_non_null(fake_get("p:parts", nodes[2].sharing->part));
	assert_non_null(fake_get("p:parts", "n0"));
	assert_non_null(fake_get("p:parts", "n1"));
	assert_non_null(fake_get("p:parts", "used"));
	assert_non_null(fake_get("p:parts", "later"));
	assert_non_null(fake_get("p:parts", "running"));
}

/* It was taken out while it started. */
static void a_part_is_there_again_with_the_next_beat(void **state)
{
	(void)state;
	go_on(0);
	fake_drop("p:parts", "n1");
	fake_drop("p:nodes", "n1");
	go_on(SHARING_BEAT_MS);
	assert_non_null(fake_get("p:parts", "n1"));
	assert_non_null(fake_get("p:nodes", "n1"));
}

static void nodes_that_are_silent_for_days_are_swept(void **state)
{
	(void)state;
	use(2, "alice", 7);
	fake_put("p:nodes", "odd", "half a line");
	fake_put("p:nodes", "endless", "x 1.0 5 1 10 9223372036854775807");
	go_on(0);
	free_node(2); /* as by kill -9 */
	let_silence_show();
	let_pass_days(2);
	assert_non_null(fake_get("p:nodes", "n2"));
	let_pass_days(2);
	assert_null(fake_get("p:nodes", "n2"));
	assert_non_null(fake_get("p:nodes", "n1"));
	assert_non_null(fake_get("p:nodes", "odd"));
	assert_non_null(fake_get("p:nodes", "endless"));
	assert_non_null(fake_get("p:parts", "n2")); /* of which something is used still */
}

static void what_was_used_by_who_has_gone_goes_when_its_period_is_over(void **state)
{
	(void)state;
	use(1, "bob", 9);
	use(2, "alice", 7);
	go_on(0);
	free_node(2);
	let_silence_show();
	let_pass_days(39);
	assert_non_null(fake_get("p:use:n2", "alice"));
	let_pass_days(2);
	assert_null(fake_get("p:use:n2", "alice"));
	assert_non_null(fake_get("p:use:n1", "bob")); /* which it takes away itself */
	assert_null(fake_get("p:parts", "n2"));
	assert_up(0);
}

static void an_engine_that_lets_nobody_sweep_is_told_of(void **state)
{
	static const char *const commands[] = {"HDEL", "SREM"};

	(void)state;
	go_on(0);
	for (size_t i = 0; i < COUNT(commands); i++) {
		let_silence_show();
		assert_up(0);
		fake_put("p:parts", "gone", "");
		fake_put("p:use:gone", "alice", "1700000000 5 0 0");
		fake_refused = commands[i];
		fake_error = "NOPERM";
		now_ms += SHARING_BEAT_MS;
		nodes[0].sharing->engine_sweep_due = now_ms;
		step(0);
		assert_false(status_of(0).is_up);
		assert_non_null(fake_get("p:parts", "gone"));
		fake_error = fake_refused = NULL;
		let_silence_show();
		let_pass_days(0);
		assert_null(fake_get("p:parts", "gone"));
	}
}

static void hear_monitor_at(const char *listens, const char *here)
{
	struct config *c = config_get(nodes[0].services.config);
	bool has_port;

	memset(&fake_here, 0, sizeof(fake_here));
	memset(&c->monitor_at, 0, sizeof(c->monitor_at));
	addr_parse(here, strlen(here), &fake_here);
	addr_parse_port(listens, strlen(listens), &c->monitor_at, &has_port);
	config_release(c);
	go_on(SHARING_BEAT_MS);
}

static void a_node_says_where_its_monitor_is(void **state)
{
	static const char *const rows[][3] = {
		/* where it listens, by which address it reaches the engine, what is told */
		{"", "10.0.0.2", "-"},
		{"127.0.0.1:1081", "10.0.0.2", "127.0.0.1:1081"},
		{"192.0.2.1:1081", "10.0.0.2", "192.0.2.1:1081"},
		{"0.0.0.0:1081", "10.0.0.2", "10.0.0.2:1081"},
		{"0.0.0.0:1081", "2001:db8::2", "127.0.0.1:1081"},
		{"[::]:1081", "2001:db8::2", "[2001:db8::2]:1081"},
		{"[::]:1081", "10.0.0.2", "10.0.0.2:1081"},
		{"0.0.0.0:1081", "", "127.0.0.1:1081"},
	};
	struct cluster_node *others;
	size_t count;

	(void)state;
	go_on(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hear_monitor_at(rows[i][0], rows[i][1]);
		assert_string_equal(status_of(0).monitor, rows[i][2]);
		others = cluster_nodes(nodes[1].services.cluster, now_ms, &count);
		assert_string_equal(others[0].beat.monitor, rows[i][2]);
		free(others);
	}
}

/* ---- what is used ---- */

static void what_is_used_is_summed_on_all_nodes(void **state)
{
	(void)state;
	go_on(0);
	use(0, "alice", 1000);
	use(1, "alice", 20);
	use(1, "10.0.0.7", 3);
	nodes[2].rings = 0;
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	assert_int_equal(used_elsewhere(2, "10.0.0.7"), 3);
	assert_true(nodes[2].rings > 0);
	use(0, "alice", 1500);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1520);
}

static const char *numbered(size_t n, char out[16])
{
	snprintf(out, 16, "u%zu", n);
	return out;
}

static void many_accounts_go_by_few_commands(void **state)
{
	enum { MANY = 250 };
	char name[16];
	size_t before;

	(void)state;
	go_on(0);
	for (size_t i = 0; i < MANY; i++)
		use(0, numbered(i, name), i + 1);
	now_ms += SHARING_BEAT_MS;
	before = fake_writes;
	sharing_step(nodes[0].sharing);
	/* a hash and an event for a hundred, and the four of each beat with the epoch's */
	assert_int_equal(fake_writes - before, 2 * 3 + 5);
	go_on(0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(used_elsewhere(1, numbered(i, name)), i + 1);
	for (size_t i = 0; i < MANY; i++)
		kept_use_drop(nodes[0].services.standing, numbered(i, name));
	go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:use:n0", "u0"));
	assert_int_equal(used_elsewhere(1, numbered(MANY - 1, name)), 0);
}

/* Names as long as they come. */
static void long_names_are_told(void **state)
{
	char name[256];

	(void)state;
	go_on(0);
	for (size_t i = 0; i < 100; i++) {
		memset(name, 'x', 255);
		name[255] = '\0';
		name[0] = (char)('A' + i % 26);
		name[1] = (char)('A' + i / 26);
		use(0, name, 7);
	}
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(1, name), 7);
	name[0] = 'A';
	assert_int_equal(used_elsewhere(1, name), 7);
}

static void what_has_stayed_is_not_told_when_the_engine_is_back(void **state)
{
	size_t events;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	fake_is_down = false;
	events = fake_event_count;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(fake_event_count, events);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
}

/* As by kill -9, in the middle of a session. */
static void a_quota_that_began_anew_stays_so_when_the_engine_is_back(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[0].services.cluster, "alice"), 0);
	go_on(SHARING_BEAT_MS);
	use(1, "alice", 7);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_int_equal(cluster_resets(nodes[i].services.cluster, "alice"), 1);
	assert_string_equal(fake_get("p:use:n1", "alice"), "1795651200 7 0 1");
	assert_int_equal(used_elsewhere(0, "alice"), 7);
}

static void what_stands_no_more_is_taken_away_by_the_next_process(void **state)
{
	(void)state;
	fake_put("p:parts", "n0", "");
	fake_put("p:use:n0", "alice", "1795651200 5 0 0");
	fake_put("p:live:n0", "bob", "2");
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 5);
	go_on(0);
	assert_null(fake_get("p:use:n0", "alice"));
	assert_null(fake_get("p:live:n0", "bob"));
	assert_int_equal(used_elsewhere(1, "alice"), 0);
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "bob", 0).sessions, 0);
}

/* More than the engine keeps, while a node did not look. */
static void events_that_were_missed_are_made_up_for(void **state)
{
	(void)state;
	go_on(0);
	for (uint64_t i = 1; i <= 300; i++) {
		use(0, "alice", i);
		now_ms += SHARING_BEAT_MS;
		sharing_step(nodes[0].sharing);
		nodes[1].sharing->heard = nodes[2].sharing->heard = now_ms;
	}
	use(0, "bob", 9);
	fake_put("p:use:n0", "bob", "1795651200 9 0 0"); /* which no event says any more */
	fake_trimmed = 50;
	sharing_step(nodes[1].sharing);
	assert_up(1);
	assert_int_equal(used_elsewhere(1, "bob"), 9);
	assert_int_equal(used_elsewhere(1, "alice"), 300);
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 300);
}

static void many_events_are_read_where_none_is_missed(void **state)
{
	(void)state;
	use(0, "carol", 1);
	sharing_step(nodes[0].sharing);
	go_on(0);
	for (uint64_t i = 1; i <= 450; i++) {
		use(0, "alice", i);
		now_ms += SHARING_BEAT_MS;
		sharing_step(nodes[0].sharing);
		nodes[1].sharing->heard = now_ms;
	}
	fake_put("p:use:n0", "bob", "1795651200 9 0 0");
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 450);
	assert_int_equal(used_elsewhere(1, "bob"), 0);
}

static void what_has_not_changed_is_not_told_again(void **state)
{
	size_t events;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	events = fake_event_count;
	go_on(SHARING_BEAT_MS);
	assert_int_equal(fake_event_count, events);
}

/* What was used before an outage, in it, and behind it: the sum is right to the byte, whatever the
 * engine has kept. */
static void after_an_outage_the_sums_are_right(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	assert_true(is_logged("redis://10.0.0.1:6379/0 does not work"));
	use(0, "alice", 1001);
	assert_int_equal(used_elsewhere(1, "alice"), 1000); /* what is known serves */
	fake_empty();
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1001);
	assert_int_equal(used_elsewhere(2, "alice"), 1021);
}

/* With the connection as it was. */
static void an_engine_that_was_emptied_is_told_everything_again(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:use:n0", "alice"), "1795651200 1000 0 0");
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
}

/* Another instance counts from nothing, and what the last one has told stays used. */
static void a_node_that_keeps_nothing_is_another_part_of_the_sum(void **state)
{
	(void)state;
	free_node(2);
	start_node(2, false);
	use(2, "alice", 500);
	go_on(0);
	assert_int_equal(used_elsewhere(0, "alice"), 500);
	free_node(2);
	start_node(2, false);
	use(2, "alice", 30);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(0, "alice"), 530);
	assert_int_equal(used_elsewhere(2, "alice"), 500);
}

static void a_quota_that_begins_anew_does_so_everywhere(void **state)
{
	struct quota_use left;

	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	kept_use_drop(nodes[1].services.standing, "alice");
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 0);
	assert_false(kept_use_get(nodes[0].services.standing, "alice", &left));
	use(0, "alice", 7);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(1, "alice"), 7);
	/* Who comes later hears of it, too. */
	free_node(2);
	start_node(2, true);
	use(2, "alice", 100);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 7);
	assert_int_equal(cluster_resets(nodes[2].services.cluster, "alice"), 1);
}

static void a_node_that_starts_while_the_engine_is_away_knows_what_was_used(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	restart_node(2);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
}

/* What a node has used since is no part of what was used before. */
static void a_quota_that_has_begun_anew_does_not_do_so_at_the_next_start(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	go_on(SHARING_PERIOD_MS);
	use(0, "alice", 1000);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1000);
	restart_node(0);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1000);
	assert_string_equal(fake_get("p:use:n0", "alice"), "1795651200 1000 0 1");
}

/* One node alone joins anew, and the others have not. */
static void who_joins_anew_knows_how_often_a_quota_has_begun_anew(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	go_on(SHARING_PERIOD_MS);
	use(0, "alice", 1000);
	go_on(SHARING_BEAT_MS);
	nodes[0].sharing->is_joined = false;
	go_on(SHARING_BEAT_MS);
	use(0, "alice", 1001);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1001);
}

/* While a node is away. */
static void what_an_emptied_engine_is_not_told_again_stays_known(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	free_node(0);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(2);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	restart_node(2);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
}

static void what_is_kept_is_looked_through_once_a_day(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	assert_true(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
	now_s += 40 * 86400;
	go_on(SHARING_BEAT_MS);
	assert_true(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
	for (int ms = 0; ms <= 24 * 60 * 60 * 1000; ms += 4000)
		go_on(4000);
	assert_false(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
}

static void begin_anew(size_t node, const char *account)
{
	assert_int_equal(cluster_begin_anew(nodes[node].services.cluster, account), 0);
	kept_use_drop(nodes[node].services.standing, account);
	go_on(SHARING_PERIOD_MS);
}

static void go_apart(void)
{
	fake_is_down = true;
	go_on(SHARING_PERIOD_MS);
	fake_is_down = false;
}

static void assert_used_on_each(const char *account, uint64_t used)
{
	struct quota_use own;

	for (size_t i = 0; i < NODES; i++) {
		if (!kept_use_get(nodes[i].services.standing, account, &own))
			own.used = 0;
		assert_int_equal(own.used + used_elsewhere(i, account), used);
	}
}

/* However often the nodes lose their engine and find it again. */
static void a_quota_begins_anew_only_once(void **state)
{
	(void)state;
	go_on(0);
	begin_anew(2, "alice");
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < 3; i++) {
		go_apart();
		go_on(SHARING_BEAT_MS);
		assert_used_on_each("alice", 1020);
		assert_int_equal(cluster_resets(nodes[0].services.cluster, "alice"), 1);
	}
}

/* One that was away meanwhile hears of the next time all the same. */
static void an_emptied_engine_hears_how_often_quotas_began_anew(void **state)
{
	struct sharing *away = nodes[2].sharing;

	(void)state;
	go_on(0);
	begin_anew(1, "alice");
	use(0, "alice", 1000);
	use(2, "alice", 500);
	go_on(SHARING_BEAT_MS);
	nodes[2].sharing = NULL;
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:resets", "alice"), "1");
	begin_anew(1, "alice");
	nodes[2].sharing = away;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 0);
}

/* ---- sessions ---- */

static struct ledger_entry *hold_alice_to(size_t node, const char *limits)
{
	struct ledger_entry *alice = ledger_add_user(nodes[node].services.ledger, "alice", 5);
	struct limits_in_force f = {.is_kept_out = false};
	char why[LIMITS_ERROR_MAX];

	assert_non_null(alice);
	assert_true(limits_parse(limits, LIMITS_OF_USER, &f.limits, why));
	assert_int_equal(ledger_limit_user(alice, &f), 0);
	return alice;
}

static void bound_together(void)
{
	struct ledger_entry *here = hold_alice_to(0, "sessions=3");
	struct ledger_entry *there = hold_alice_to(1, "sessions=3");
	size_t count;

	go_on(0);
	assert_int_equal(ledger_admit(NULL, here), END_REASONS);
	assert_int_equal(ledger_admit(NULL, here), END_REASONS);
	go_on(SHARING_BEAT_MS);
	free(ledger_look_at_limits(nodes[1].services.ledger, now_s, &count));
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_TOO_MANY_SESSIONS);
	ledger_dismiss(NULL, here);
	ledger_dismiss(NULL, here);
	go_on(SHARING_BEAT_MS);
	free(ledger_look_at_limits(nodes[1].services.ledger, now_s, &count));
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_TOO_MANY_SESSIONS);
	for (int i = 0; i < 3; i++)
		ledger_dismiss(NULL, there);
	ledger_retire_user(here);
	ledger_retire_user(there);
}

static void sessions_of_all_nodes_are_bounded_together(void **state)
{
	(void)state;
	bound_together();
}

static void they_are_also_where_nothing_is_kept(void **state)
{
	(void)state;
	free_node(0);
	start_node(0, false);
	bound_together();
}

/* Killed and started again it has the name that it had, and what ran there runs no more. */
static void what_ran_before_a_start_is_taken_back(void **state)
{
	(void)state;
	fake_put("p:live:n0", "alice", "7");
	go_on(0);
	assert_null(fake_get("p:live:n0", "alice"));
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 0);
}

/* What was on its way as the engine failed was perhaps not heard. */
static void what_has_ended_is_told_until_that_has_arrived(void **state)
{
	struct ledger_entry *alice = hold_alice_to(0, "sessions=3");

	(void)state;
	go_on(0);
	assert_int_equal(ledger_admit(NULL, alice), END_REASONS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:live:n0", "alice"), "1");
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 1);
	ledger_dismiss(NULL, alice);
	fake_error = "MISCONF the disk is full";
	fake_refused = "HDEL";
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	fake_error = fake_refused = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:live:n0", "alice"));
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 0);
	ledger_retire_user(alice);
}

/* ---- bans ---- */

static struct network network(const char *text)
{
	struct network n;

	assert_true(network_parse(text, strlen(text), &n));
	return n;
}

static struct bans_time time_of(size_t node)
{
	return (struct bans_time){.ms = now_ms, .wall = now_s + nodes[node].ahead};
}

static void ban(size_t node, const char *client, int64_t lasts)
{
	const struct network who = network(client);
	struct ban_info begun;

	assert_int_equal(
		bans_put(nodes[node].services.bans, &who, lasts, time_of(node), &begun), 0);
}

static bool lift(size_t node, const char *client)
{
	const struct network who = network(client);
	struct ban_info lifted;

	return bans_lift(nodes[node].services.bans, &who, time_of(node), &lifted);
}

static bool find_ban(size_t node, const char *client, struct ban_info *info)
{
	const struct network who = network(client);

	return bans_find(nodes[node].services.bans, &who, time_of(node), info);
}

static bool is_banned(size_t node, const char *client)
{
	struct ban_info info;

	return find_ban(node, client, &info);
}

/* A session of that user (NULL: none) from there. */
static void begin_session(size_t node, size_t i, const char *user, const char *from)
{
	struct registry_slot *slot = registry_slot_at(nodes[node].services.registry, i);
	struct addr addr;

	assert_true(addr_parse(from, strlen(from), &addr));
	registry_enter(slot, -1, &addr);
	if (user != NULL)
		registry_set_user(slot, user, strlen(user));
}

static enum end_reason why_ended(size_t node, size_t i)
{
	return registry_told_why(registry_slot_at(nodes[node].services.registry, i));
}

static bool has_ended(size_t node, size_t i)
{
	return why_ended(node, i) == END_KILLED;
}

static void who_is_banned_on_one_is_banned_on_all(void **state)
{
	size_t events;

	(void)state;
	go_on(0);
	begin_session(0, 0, "alice", "10.0.0.7");
	ban(1, "10.0.0.7", 3600000);
	ban(1, "2001:db8::/64", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(why_ended(0, 0), END_BANNED);
	for (size_t i = 0; i < NODES; i++) {
		assert_true(is_banned(i, "10.0.0.7"));
		assert_true(is_banned(i, "2001:db8::/64"));
	}
	/* Nobody tells what he has heard. */
	events = fake_event_count;
	go_on(SHARING_PERIOD_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(fake_event_count, events);
	assert_true(lift(2, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_false(is_banned(i, "10.0.0.7"));
	assert_true(is_logged("unbanned by another node"));
}

static void fail_to_log_in(size_t node, const char *from)
{
	const struct ban_rule rule = {
		.failures = 2, .within = 60000, .first = 300000, .longest = 3600000};
	const struct exempt_clients nobody = {0};
	struct network client = network(from);
	struct ban_failure f = {.from = &client.base, .rule = &rule, .exempt = &nobody};
	struct ban_info begun;

	for (f.pair = 1; f.pair <= 2; f.pair++)
		(void)bans_note_failure(nodes[node].services.bans, &f, time_of(node), &begun);
}

/* And the next one is twice as long, wherever it is. */
static void a_ban_by_failures_is_one_on_all_nodes(void **state)
{
	struct ban_info info;

	(void)state;
	go_on(0);
	begin_session(1, 0, "alice", "10.0.0.7");
	fail_to_log_in(0, "10.0.0.7");
	go_on(SHARING_PERIOD_MS);
	assert_true(find_ban(1, "10.0.0.7", &info));
	assert_int_equal(info.by, BAN_BY_FAILURES);
	assert_int_equal(info.failures, 2);
	assert_int_equal(info.lasts, 300000);
	assert_in_range(info.begun, now_s - 1, now_s + 1);
	assert_int_equal(why_ended(1, 0), END_REASONS); /* those go on, as they do there */
	go_on(301000);
	fail_to_log_in(1, "10.0.0.7");
	assert_true(find_ban(1, "10.0.0.7", &info));
	assert_int_equal(info.lasts, 600000);
	go_on(SHARING_PERIOD_MS);
	assert_true(find_ban(2, "10.0.0.7", &info));
	assert_int_equal(info.times, 2);
}

static void a_ban_by_command_gives_way_to_none_by_failures(void **state)
{
	struct ban_info info;

	(void)state;
	go_on(0);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	ban(0, "10.0.0.7", CLOCK_NEVER);
	fail_to_log_in(1, "10.0.0.7");
	fake_is_down = false;
	for (int i = 0; i < 3; i++)
		go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < NODES; i++) {
		assert_true(find_ban(i, "10.0.0.7", &info));
		assert_int_equal(info.by, BAN_BY_COMMAND);
		assert_int_equal(info.until, INT64_MAX);
	}
}

/* Whoever has taken a ban over keeps it, and tells nobody of it as its own when it starts again. */
static void a_ban_that_was_taken_over_is_kept_and_not_told_again(void **state)
{
	char *said;

	(void)state;
	go_on(0);
	ban(1, "10.0.0.7", 3600000);
	go_on(SHARING_PERIOD_MS);
	said = strdup(fake_get("p:bans", "10.0.0.7"));
	assert_non_null(said);
	restart_node(2);
	assert_true(is_banned(2, "10.0.0.7"));
	go_on(SHARING_BEAT_MS);
	assert_true(is_banned(2, "10.0.0.7"));
	assert_string_equal(fake_get("p:bans", "10.0.0.7"), said);
	free(said);
	/* While the engine is away, too. */
	fake_is_down = true;
	restart_node(2);
	go_on(SHARING_BEAT_MS);
	assert_true(is_banned(2, "10.0.0.7"));
}

static void a_ban_that_ends_by_itself_is_not_lifted(void **state)
{
	size_t events;

	(void)state;
	go_on(0);
	ban(0, "10.0.0.7", 10000);
	go_on(SHARING_PERIOD_MS);
	events = fake_event_count;
	go_on(11000);
	assert_false(is_banned(1, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(fake_event_count, events);
}

static void let_pass(int64_t seconds)
{
	now_s += seconds;
	now_ms += 1000 * seconds;
}

/* It comes back, with the ban that it knows of. */
static void who_was_away_hears_that_a_ban_was_lifted(void **state)
{
	(void)state;
	go_on(0);
	ban(0, "10.0.0.7", 3600000);
	go_on(SHARING_PERIOD_MS);
	free_node(2);
	let_pass(60);
	assert_true(lift(1, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	let_pass(-70);
	start_node(2, true);
	ban(2, "10.0.0.7", 3600000);
	ban(2, "10.0.0.8", 3600000);
	let_pass(70);
	go_on(SHARING_BEAT_MS);
	assert_false(is_banned(0, "10.0.0.7"));
	assert_false(is_banned(2, "10.0.0.7"));
	assert_true(is_banned(0, "10.0.0.8"));
}

static int64_t left_of_ban(size_t node, const char *client)
{
	const struct network who = network(client);
	struct ban_info info;

	return bans_find(nodes[node].services.bans, &who, time_of(node), &info) ? info.left : 0;
}

/* Also when one is set while the ban lasts. */
static void bans_last_as_long_where_clocks_differ(void **state)
{
	size_t events;

	(void)state;
	nodes[1].ahead = 3600;
	nodes[2].ahead = -3600;
	go_on(0);
	ban(0, "10.0.0.7", 600000);
	ban(1, "10.0.0.8", 600000);
	ban(2, "10.0.0.9", 600000);
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++) {
		assert_in_range(left_of_ban(i, "10.0.0.7"), 598000, 602000);
		assert_in_range(left_of_ban(i, "10.0.0.8"), 598000, 602000);
		assert_in_range(left_of_ban(i, "10.0.0.9"), 598000, 602000);
	}
	events = fake_event_count;
	nodes[0].ahead = 7200;
	go_on(SHARING_BEAT_MS);
	go_apart();
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_in_range(left_of_ban(i, "10.0.0.8"), 587000, 592000);
	assert_int_equal(fake_event_count, events);
	assert_true(lift(2, "10.0.0.8"));
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_false(is_banned(i, "10.0.0.8"));
	ban(2, "10.0.0.8", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_true(is_banned(i, "10.0.0.8"));
}

/* It hears of the ban again when it joins again, behind what it has itself said since. */
static void a_ban_that_was_lifted_does_not_come_back(void **state)
{
	const char *const again[] = {"i", "x", "k", "ban", "n", "b", "a", "10.0.0.7", "v",
		"1795698000 1795694400 command", NULL};
	const char *told;

	(void)state;
	go_on(0);
	ban(0, "10.0.0.7", 3600000);
	go_on(SHARING_PERIOD_MS);
	assert_true(lift(1, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	fake_add_event(again);
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_false(is_banned(i, "10.0.0.7"));
	told = fake_get("p:bans", "10.0.0.7");
	assert_non_null(told);
	assert_begins(told, "lifted ");
}

/* With a time that is so many seconds ago in between. */
static void put_word(const char *client, const char *before, int64_t ago, const char *behind)
{
	char value[64];

	snprintf(value, sizeof(value), "%s%lld%s", before, (long long)(now_s - ago), behind);
	fake_put("p:bans", client, value);
}

#define DAY_S (24 * 60 * 60)

/* Whoever joins takes them away, and later each node once a day. */
static void that_a_ban_was_lifted_is_forgotten(void **state)
{
	(void)state;
	put_word("10.0.0.1", "lifted ", 40 * DAY_S + 60, "");
	put_word("10.0.0.2", "lifted ", 40 * DAY_S - 60, "");
	put_word("10.0.0.3", "", 40 * DAY_S + 60, " 1 command");
	put_word("10.0.0.4", "", 40 * DAY_S + 60, " 1 failures 2 1 300000 0");
	put_word("10.0.0.5", "", 40 * DAY_S - 60, " 1 command");
	put_word("10.0.0.6", "0 ", 50 * DAY_S, " command");
	nodes[0].ahead = 3600;
	go_on(0);
	assert_null(fake_get("p:bans", "10.0.0.1"));
	assert_non_null(fake_get("p:bans", "10.0.0.2"));
	assert_null(fake_get("p:bans", "10.0.0.3"));
	assert_null(fake_get("p:bans", "10.0.0.4"));
	assert_non_null(fake_get("p:bans", "10.0.0.5"));
	assert_non_null(fake_get("p:bans", "10.0.0.6"));
	assert_true(is_banned(2, "10.0.0.6"));
	for (int ms = 0; ms <= DAY_S * 1000; ms += 4000)
		go_on(4000);
	assert_null(fake_get("p:bans", "10.0.0.2"));
	assert_true(is_banned(2, "10.0.0.6"));
}

static void as_many_as_can_be_are_remembered(void **state)
{
	struct told *marks = nodes[0].sharing->ban_marks;
	char client[32], value[32];

	(void)state;
	go_on(0);
	put_word("10.0.0.1", "lifted ", 100, "");
	put_word("10.0.0.2", "lifted ", 99, "");
	put_word("10.0.0.3", "lifted ", 98, "");
	for (int i = 0; i < BANS_MOST - 2; i++) {
		snprintf(client, sizeof(client), "10.1.%d.%d", i / 256, i % 256);
		snprintf(value, sizeof(value), "%lld lifted", (long long)now_s - 50);
		told_note(marks, client, value);
	}
	told_note(marks, "10.0.0.4", "1 ban");
	nodes[0].sharing->is_joined = false;
	go_on(SHARING_PERIOD_MS);
	assert_null(fake_get("p:bans", "10.0.0.1"));
	assert_non_null(fake_get("p:bans", "10.0.0.2"));
	assert_non_null(fake_get("p:bans", "10.0.0.3"));
	assert_non_null(told_value(marks, "10.0.0.4"));
	assert_int_equal(told_count(marks), BANS_MOST + 1);
}

static bool is_lifted(const char *client)
{
	const char *value = fake_get("p:bans", client);

	return value != NULL && strncmp(value, "lifted ", 7) == 0;
}

/* For a node on its network a client of IPv6 is an address, and for others all of its network. */
static void a_neighbour_is_unbanned_by_who_is_none(void **state)
{
	struct own *own = own_new();

	(void)state;
	assert_non_null(own);
	bans_free(nodes[0].services.bans);
	nodes[0].services.bans = bans_new(own, nodes[0].services.standing);
	go_on(0);
	ban(0, "2001:db8::5", 3600000);
	go_on(SHARING_PERIOD_MS);
	assert_false(is_banned(0, "2001:db8::6"));
	assert_true(is_banned(1, "2001:db8::/64"));
	assert_true(is_banned(2, "2001:db8::6"));
	assert_true(lift(1, "2001:db8::/64"));
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_false(is_banned(i, "2001:db8::5"));
	assert_true(is_lifted("[2001:db8::5]"));
	/* What it was told of goes with it. */
	ban(0, "2001:db8::5", 10000);
	go_on(SHARING_PERIOD_MS);
	assert_true(is_banned(2, "2001:db8::6"));
	go_on(11000);
	assert_null(fake_get("p:bans", "[2001:db8::5]"));
	put_word("2001:db8::7", "lifted ", 40 * DAY_S + 60, "");
	nodes[1].sharing->is_joined = false;
	step(1);
	assert_null(fake_get("p:bans", "2001:db8::7"));
	own_free(own);
}

/* ---- kills ---- */

static void whose_sessions_end_on_one_node_ends_on_all(void **state)
{
	(void)state;
	go_on(0);
	begin_session(1, 0, "alice", "10.0.0.7");
	begin_session(1, 1, NULL, "10.0.0.8");
	begin_session(2, 0, "bob", "10.0.0.8");
	assert_true(kills_put(nodes[0].services.kills, "alice", END_KILLED));
	go_on(SHARING_PERIOD_MS);
	assert_true(has_ended(1, 0));
	assert_true(is_logged(
		"sessions ended as another node was told\" who=alice sessions=1 node=n0"));
	assert_false(has_ended(1, 1));
	assert_true(kills_put(nodes[1].services.kills, "anonymous", END_KILLED));
	go_on(SHARING_PERIOD_MS);
	assert_false(has_ended(1, 1)); /* who tells does it himself */
	assert_true(kills_put(nodes[1].services.kills, "10.0.0.0/8", END_KILLED));
	go_on(SHARING_PERIOD_MS);
	assert_true(has_ended(2, 0));
}

static void sessions_of_who_is_banned_end_on_all(void **state)
{
	struct registry_slot *slot = registry_slot_at(nodes[1].services.registry, 2);

	(void)state;
	go_on(0);
	begin_session(1, 2, "alice", "10.0.0.7");
	ban(0, "10.0.0.0/24", 3600000);
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(registry_told_why(slot), END_BANNED);
}

static void a_kill_is_not_told_later(void **state)
{
	(void)state;
	assert_false(kills_put(nodes[0].services.kills, "alice", END_KILLED)); /* not joined yet */
	go_on(0);
	begin_session(1, 0, "alice", "10.0.0.7");
	assert_true(kills_put(nodes[0].services.kills, "alice", END_KILLED));
	fake_is_down = true;
	go_on(SHARING_PERIOD_MS);
	assert_true(is_logged("1 of the last KILL_USER did not reach the other nodes"));
	assert_false(kills_put(nodes[0].services.kills, "alice", END_KILLED));
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_false(has_ended(1, 0));
}

/* Who joins hears of what comes from then on. */
static void a_kill_of_before_is_for_nobody(void **state)
{
	(void)state;
	go_on(0);
	assert_true(kills_put(nodes[0].services.kills, "alice", END_KILLED));
	go_on(SHARING_PERIOD_MS);
	free_node(2);
	start_node(2, true);
	begin_session(2, 0, "alice", "10.0.0.7");
	go_on(SHARING_PERIOD_MS);
	assert_up(2);
	assert_false(has_ended(2, 0));
}

/* ---- a node that is killed ---- */

/* Half a second behind its silence all know, whenever they tell their own beats. */
static void a_killed_node_is_missed_by_its_last_beat(void **state)
{
	(void)state;
	fake_tells_beats = true;
	step(0);
	now_ms += 4000;
	step(1);
	now_ms += SHARING_PERIOD_MS;
	step(0);
	assert_int_equal(status_of(0).nodes, 2);
	for (int64_t ms = 0; ms < CLUSTER_SILENT_MS; ms += SHARING_PERIOD_MS) {
		nodes[0].sharing->beat_due = CLOCK_NEVER; /* and its own is far away */
		now_ms += SHARING_PERIOD_MS;
		step(0);
	}
	fake_tells_beats = false;
	assert_int_equal(status_of(0).nodes, 1);
	assert_false(cluster_note_silence(nodes[0].services.cluster, now_ms));
}

/* ---- what is none of ours ---- */

static void what_cannot_be_read_is_passed_over(void **state)
{
	static const char *const events[][11] = {
		{"i", "x", "k", "use", "n", "b", "a", "alice", "v", "1 2"},
		{"i", "x", "k", "use", "n", "b", "a", "alice", "v", "a b c d"},
		{"i", "x", "k", "live", "n", "b", "a", "alice", "v", "-1"},
		{"i", "x", "k", "ban", "n", "b", "a", "nobody", "v", "0 0 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "soon"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1 failures 2 1 300000 0"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1 whim"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "1 1 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"0 9223372036854775807 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 -1 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"1895694400 1 failures 2 1 -3 0"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"1895694400 1 failures 2 1 300000"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.2", "v",
			"lifted 9223372036854775807"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.2", "v",
			"lifted -9223372036854775807"},
		{"i", "x", "k", "later", "n", "b", "a", "alice", "v", "1"},
		{"i", "x", "k", "reset", "n", "b", "a", "alice", "v", "many"},
		{"i", "x", "k", "kill", "n", "b", "a", "", "v", "killed"},
		{"i", "x", "k", "kill", "n", "b", "a", "alice", "v", "later"},
		{NULL},
	};

	(void)state;
	go_on(0);
	fake_put("p:nodes", "other", "half a line");
	ban(0, "10.0.0.2", 60000);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		fake_add_event(events[i]);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 0);
	assert_false(is_banned(0, "10.0.0.1"));
	assert_true(is_banned(0, "10.0.0.2"));
	assert_int_equal(status_of(0).nodes, 3);
}

/* To read what many nodes have told may take long. */
static void who_is_to_stop_reads_no_more(void **state)
{
	(void)state;
	go_on(0);
	nodes[1].sharing->stopping = true;
	go_on(SHARING_PERIOD_MS);
	nodes[1].sharing->is_joined = false;
	go_on(SHARING_PERIOD_MS);
	assert_false(nodes[1].sharing->is_joined);
	assert_false(is_logged("does not work"));
}

static void an_engine_that_refuses_to_write_is_told_of(void **state)
{
	(void)state;
	go_on(0);
	fake_error = "MISCONF the disk is full";
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	assert_string_equal(status_of(0).problem, "MISCONF the disk is full");
	fake_error = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
}

static void an_engine_that_refuses_to_be_read_is_told_of(void **state)
{
	static const char *const commands[] = {"XREAD", "TIME", "GET"};

	(void)state;
	fake_error = "NOPERM no permissions";
	for (size_t i = 0; i < COUNT(commands); i++) {
		go_on(SHARING_BEAT_MS);
		fake_refused = commands[i];
		go_on(SHARING_BEAT_MS);
		assert_false(status_of(0).is_up);
		assert_string_equal(status_of(0).problem, "NOPERM no permissions");
		fake_refused = "none";
		go_on(SHARING_BEAT_MS);
		go_on(SHARING_BEAT_MS);
		assert_up(0);
	}
	fake_refused = "HSCAN";
	go_apart();
	go_on(SHARING_BEAT_MS);
	assert_string_equal(status_of(0).problem, "NOPERM no permissions");
	fake_error = fake_refused = NULL;
}

static void what_is_missing_is_said_by_its_setting(void **state)
{
	char error[SHARING_ERROR_MAX];
	struct services v = {.ledger = NULL};
	struct settings settings = {.shared = {.host = "10.0.0.1"},
		.shared_password_file = (char[]){"missing"},
		.shared_prefix = (char[]){"p"},
		.state_dir = (char[]){""},
		.node_name = (char[]){"a"}};
	const struct sharing_bell bell = {.ring = count_ring};

	(void)state;
	assert_null(sharing_new(&settings, &v, &bell, error));
	assert_string_equal(
		error, "shared_password_file: missing cannot be read: No such file or directory");
	assert_int_equal(sharing_check(&settings, error), -1);
	assert_string_equal(
		error, "shared_password_file: missing cannot be read: No such file or directory");
	settings.shared_password_file[0] = '\0';
	assert_int_equal(sharing_check(&settings, error), 0);
}

#define sharing_test(name) cmocka_unit_test_setup_teardown(name, start_all, free_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sharing_test(nodes_see_each_other_until_one_is_silent_or_stops),
		sharing_test(nodes_of_one_name_count_each_for_itself_and_say_so),
		sharing_test(a_node_that_is_renamed_counts_once),
		sharing_test(a_copied_state_dir_is_told_of),
		sharing_test(what_a_node_without_a_state_dir_leaves_behind_goes),
		sharing_test(parts_of_nothing_are_swept_once_it_is_known_who_is_silent),
		sharing_test(a_part_is_there_again_with_the_next_beat),
		sharing_test(nodes_that_are_silent_for_days_are_swept),
		sharing_test(what_was_used_by_who_has_gone_goes_when_its_period_is_over),
		sharing_test(an_engine_that_lets_nobody_sweep_is_told_of),
		sharing_test(a_node_says_where_its_monitor_is),
		sharing_test(what_is_used_is_summed_on_all_nodes),
		sharing_test(many_accounts_go_by_few_commands),
		sharing_test(long_names_are_told),
		sharing_test(what_has_stayed_is_not_told_when_the_engine_is_back),
		sharing_test(a_quota_that_began_anew_stays_so_when_the_engine_is_back),
		sharing_test(what_stands_no_more_is_taken_away_by_the_next_process),
		sharing_test(events_that_were_missed_are_made_up_for),
		sharing_test(many_events_are_read_where_none_is_missed),
		sharing_test(what_has_not_changed_is_not_told_again),
		sharing_test(after_an_outage_the_sums_are_right),
		sharing_test(an_engine_that_was_emptied_is_told_everything_again),
		sharing_test(a_node_that_keeps_nothing_is_another_part_of_the_sum),
		sharing_test(a_quota_that_begins_anew_does_so_everywhere),
		sharing_test(a_node_that_starts_while_the_engine_is_away_knows_what_was_used),
		sharing_test(a_quota_that_has_begun_anew_does_not_do_so_at_the_next_start),
		sharing_test(who_joins_anew_knows_how_often_a_quota_has_begun_anew),
		sharing_test(what_an_emptied_engine_is_not_told_again_stays_known),
		sharing_test(what_is_kept_is_looked_through_once_a_day),
		sharing_test(a_quota_begins_anew_only_once),
		sharing_test(an_emptied_engine_hears_how_often_quotas_began_anew),
		sharing_test(sessions_of_all_nodes_are_bounded_together),
		sharing_test(they_are_also_where_nothing_is_kept),
		sharing_test(what_ran_before_a_start_is_taken_back),
		sharing_test(what_has_ended_is_told_until_that_has_arrived),
		sharing_test(who_is_banned_on_one_is_banned_on_all),
		sharing_test(a_ban_by_failures_is_one_on_all_nodes),
		sharing_test(a_ban_by_command_gives_way_to_none_by_failures),
		sharing_test(a_ban_that_was_taken_over_is_kept_and_not_told_again),
		sharing_test(a_ban_that_ends_by_itself_is_not_lifted),
		sharing_test(who_was_away_hears_that_a_ban_was_lifted),
		sharing_test(whose_sessions_end_on_one_node_ends_on_all),
		sharing_test(sessions_of_who_is_banned_end_on_all),
		sharing_test(a_kill_is_not_told_later),
		sharing_test(a_kill_of_before_is_for_nobody),
		sharing_test(bans_last_as_long_where_clocks_differ),
		sharing_test(a_ban_that_was_lifted_does_not_come_back),
		sharing_test(a_neighbour_is_unbanned_by_who_is_none),
		sharing_test(that_a_ban_was_lifted_is_forgotten),
		sharing_test(as_many_as_can_be_are_remembered),
		sharing_test(a_killed_node_is_missed_by_its_last_beat),
		sharing_test(what_cannot_be_read_is_passed_over),
		sharing_test(who_is_to_stop_reads_no_more),
		sharing_test(an_engine_that_refuses_to_write_is_told_of),
		sharing_test(an_engine_that_refuses_to_be_read_is_told_of),
		sharing_test(what_is_missing_is_said_by_its_setting),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("server/sharing", tests, NULL, NULL);
}
