/* sharing: bans, and sessions that administrators end, on all nodes, by an engine in the test's
 * memory. */
#include "sharing_nodes.h"

struct network __wrap_own_client_of(struct own *o, const struct addr *a);
struct network __real_own_client_of(struct own *o, const struct addr *a);

/* Who is given addresses of its own is on the network of any client. */
struct network __wrap_own_client_of(struct own *o, const struct addr *a)
{
	struct network client = {.base = *a, .prefix = 128};

	return o != NULL && a->sa.sa_family == AF_INET6 ? client : __real_own_client_of(o, a);
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
	ban(1, "fe80::7%3", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(why_ended(0, 0), END_BANNED);
	for (size_t i = 0; i < NODES; i++) {
		assert_true(is_banned(i, "10.0.0.7"));
		assert_true(is_banned(i, "2001:db8::/64"));
		assert_true(is_banned(i, "fe80::7%3"));
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

/* Whatever is told back and forth comes to light in that. */
static void go_on_for_long(void)
{
	for (int i = 0; i < 20; i++)
		go_on(SHARING_PERIOD_MS);
	go_on(SHARING_BEAT_MS);
}

static int64_t number_of_ban(const char *client)
{
	const char *value = fake_get("p:bans", client);
	const char *space = value == NULL ? NULL : strchr(value, ' ');

	assert_non_null(space);
	return strtoll(space, NULL, 10);
}

/* A node of which nothing else is known tells that, "UNTIL NUMBER CAUSE". */
static void tell_from_elsewhere(const char *client, int64_t left, int64_t number, const char *cause)
{
	char value[SHARING_BAN_MAX];
	const char *const words[] = {"i", "x", "k", "ban", "n", "x", "a", client, "v", value, NULL};

	snprintf(value, sizeof(value), "%lld %lld %s", left == 0 ? 0LL : (long long)(now_s + left),
		(long long)number, cause);
	fake_put("p:bans", client, value);
	fake_add_event(words);
}

static void assert_told_no_more(void)
{
	size_t events = fake_event_count;

	go_on_for_long();
	assert_int_equal(fake_event_count, events);
}

#define BY_FAILURES "failures 2 1 300000 3600000"

/* Of two nodes that ban a client at once each has told before it heard the other. In the engine is
 * what came last. */
static void of_two_bans_at_once_all_have_the_same(void **state)
{
	static const struct {
		bool is_by_command; /* here */
		int64_t lasts;
		int64_t behind; /* what is said elsewhere has a number so much higher */
		int64_t left; /* there; 0: for good */
		const char *cause;
		enum ban_cause by; /* that all have */
		int64_t until; /* likewise, from now; 0: for good */
	} rows[] = {
		{true, CLOCK_NEVER, 1, 300, BY_FAILURES, BAN_BY_COMMAND, 0},
		{true, CLOCK_NEVER, 0, 300, BY_FAILURES, BAN_BY_COMMAND, 0},
		{true, 60000, 0, 300, BY_FAILURES, BAN_BY_COMMAND, 60},
		{true, CLOCK_NEVER, 0, 3600, "command", BAN_BY_COMMAND, 0},
		{true, 60000, 0, 3600, "command", BAN_BY_COMMAND, 3600},
		{true, 3600000, 0, 60, "command", BAN_BY_COMMAND, 3600},
		{true, 3600000, 0, 0, "command", BAN_BY_COMMAND, 0},
		{true, CLOCK_NEVER, 1, 3600, "command", BAN_BY_COMMAND, 3600},
		{false, 0, 0, 0, "command", BAN_BY_COMMAND, 0},
		{false, 0, 1, 0, "command", BAN_BY_COMMAND, 0},
		{false, 0, 0, 300, BY_FAILURES, BAN_BY_FAILURES, 300},
	};
	struct ban_info info;
	char client[24];

	(void)state;
	go_on(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(client, sizeof(client), "10.0.0.%zu", i);
		if (rows[i].is_by_command)
			ban(1, client, rows[i].lasts);
		else
			fail_to_log_in(1, client);
		go_on(0);
		tell_from_elsewhere(client, rows[i].left, number_of_ban(client) + rows[i].behind,
			rows[i].cause);
		go_on(0);
		restart_node(2);
		go_on(0);
		for (size_t node = 0; node < NODES; node++) {
			assert_true(find_ban(node, client, &info));
			assert_int_equal(info.by, rows[i].by);
			assert_int_equal(info.until == INT64_MAX, rows[i].until == 0);
			if (rows[i].until != 0)
				assert_in_range(info.left, rows[i].until * 1000 - 2500,
					rows[i].until * 1000 + 2500);
		}
		assert_told_no_more();
	}
}

/* Also where its node comes back last. */
static void the_later_of_two_bans_by_command_holds(void **state)
{
	struct ban_info info;

	(void)state;
	for (size_t later = 0; later < NODES; later++) {
		size_t earlier = (later + 1) % NODES;

		go_on(SHARING_BEAT_MS);
		fake_is_down = true;
		go_on(SHARING_BEAT_MS);
		ban(earlier, "10.0.0.7", 3600000);
		now_ms += 10000;
		now_s += 10;
		ban(later, "10.0.0.7", CLOCK_NEVER);
		fake_is_down = false;
		go_on(SHARING_BEAT_MS);
		for (size_t i = 0; i < NODES; i++) {
			assert_true(find_ban(i, "10.0.0.7", &info));
			assert_int_equal(info.until, INT64_MAX);
		}
		assert_told_no_more();
		assert_true(lift(0, "10.0.0.7"));
		go_on(SHARING_PERIOD_MS);
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

/* With a time that is so many seconds ago in between. */
static void put_word(const char *client, const char *before, int64_t ago, const char *behind)
{
	char value[64];

	snprintf(value, sizeof(value), "%s%lld%s", before, (long long)(now_s - ago), behind);
	fake_put("p:bans", client, value);
}

#define HOUR_S (60 * 60)

/* What was left on the disk, with a clock of the day that is so many seconds ahead. */
static void start_ahead(size_t node, int64_t ahead)
{
	now_s += ahead;
	start_node(node, true);
	now_s -= ahead;
	nodes[node].ahead = ahead;
}

/* A clock without a battery goes on where it was when the node stopped. */
static void who_was_away_lifts_a_ban_whatever_its_clock_says(void **state)
{
	static const int64_t aheads[] = {-10 * HOUR_S, 10 * HOUR_S, 0};

	(void)state;
	go_on(0);
	for (size_t i = 0; i < sizeof(aheads) / sizeof(aheads[0]); i++) {
		ban(2, "10.0.0.7", CLOCK_NEVER);
		ban(2, "10.0.0.8", INT64_C(24000) * HOUR_S);
		go_on(SHARING_PERIOD_MS);
		let_pass(HOUR_S);
		stop_node(2);
		let_pass(5 * HOUR_S);
		go_on(SHARING_PERIOD_MS);
		assert_true(lift(1, "10.0.0.7"));
		assert_true(lift(1, "10.0.0.8"));
		go_on(SHARING_PERIOD_MS);
		let_pass(5 * HOUR_S);
		start_ahead(2, aheads[i]);
		go_on(SHARING_PERIOD_MS);
		for (size_t node = 0; node < NODES; node++) {
			assert_false(is_banned(node, "10.0.0.7"));
			assert_false(is_banned(node, "10.0.0.8"));
		}
		nodes[2].ahead = 0;
	}
}

/* Set while it lasts, or right, and the node has started again before it could tell. */
static void a_ban_behind_one_that_was_lifted_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		put_word((const char *const[]){"10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9"}[i],
			"lifted ", 5 * HOUR_S, "");
	nodes[2].ahead = -10 * HOUR_S;
	ban(2, "10.0.0.6", CLOCK_NEVER);
	ban(2, "10.0.0.7", INT64_C(24000) * HOUR_S);
	nodes[2].ahead = 0;
	ban(1, "10.0.0.8", CLOCK_NEVER);
	ban(1, "10.0.0.9", INT64_C(24000) * HOUR_S);
	let_pass(60);
	restart_node(1);
	go_on(0);
	for (size_t i = 0; i < NODES; i++) {
		assert_true(is_banned(i, "10.0.0.6"));
		assert_true(is_banned(i, "10.0.0.7"));
		assert_true(is_banned(i, "10.0.0.8"));
		assert_true(is_banned(i, "10.0.0.9"));
	}
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

/* That it was lifted from one of them is no reason to tell all that it was from their network. */
static void who_is_unbanned_as_a_neighbour_unbans_no_network(void **state)
{
	struct own *own = own_new();

	(void)state;
	assert_non_null(own);
	bans_free(nodes[0].services.bans);
	nodes[0].services.bans = bans_new(own, nodes[0].services.standing);
	go_on(0);
	ban(1, "2001:db8::/64", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	assert_non_null(fake_get("p:bans", "[2001:db8::]/64"));
	let_pass(60);
	ban(0, "2001:db8::5", 3600000);
	go_on(SHARING_PERIOD_MS);
	let_pass(60);
	assert_true(lift(0, "2001:db8::5"));
	go_on(SHARING_PERIOD_MS);
	assert_true(is_lifted("[2001:db8::5]"));
	for (int i = 0; i < 3; i++) {
		nodes[1].sharing->is_joined = false;
		go_on(SHARING_BEAT_MS);
	}
	assert_false(is_lifted("[2001:db8::]/64"));
	own_free(own);
}

/* Whose copy ran out meanwhile takes away nothing that was said since. */
static void a_ban_that_ran_out_while_away_takes_no_later_word_with_it(void **state)
{
	(void)state;
	go_on(0);
	ban(1, "10.0.0.7", 10000);
	go_on(SHARING_PERIOD_MS);
	assert_true(is_banned(0, "10.0.0.7"));
	nodes[0].sharing->is_joined = false;
	fake_is_down = true;
	step(0);
	fake_is_down = false;
	now_ms += 1000;
	now_s++;
	ban(1, "10.0.0.7", 3600000);
	step(1);
	now_ms += 11000;
	now_s += 11;
	assert_true(lift(1, "10.0.0.7"));
	step(1);
	assert_true(is_lifted("10.0.0.7"));
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_true(is_lifted("10.0.0.7"));
}

/* Each is a ban of its own, of whoever it is told first and whoever starts again. */
static void a_ban_inside_of_another_is_told_once(void **state)
{
	(void)state;
	go_on(0);
	ban(0, "10.0.0.0/24", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	ban(0, "10.0.0.7", 3600000);
	fail_to_log_in(2, "10.1.0.7");
	go_on(SHARING_PERIOD_MS);
	ban(1, "10.1.0.0/24", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	assert_told_no_more();
	restart_node(2);
	assert_told_no_more();
	assert_true(lift(1, "10.0.0.0/24"));
	assert_true(lift(1, "10.1.0.0/24"));
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 0; i < NODES; i++) {
		assert_false(is_banned(i, "10.0.0.8"));
		assert_true(is_banned(i, "10.0.0.7"));
		assert_true(is_banned(i, "10.1.0.7"));
	}
}

/* It reads of the later ban first, in the order of the engine's fields. */
static void who_was_away_hears_what_was_lifted_inside_of_another_ban(void **state)
{
	(void)state;
	go_on(0);
	ban(0, "10.0.0.0/24", 1000);
	ban(0, "10.0.0.7", 3600000);
	go_on(SHARING_PERIOD_MS);
	stop_node(2);
	let_pass(60);
	put_word("10.0.0.0/24", "lifted ", 0, "");
	assert_true(lift(1, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	let_pass(60);
	ban(0, "10.0.0.0/24", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	start_node(2, true);
	go_on(SHARING_PERIOD_MS);
	assert_true(is_lifted("10.0.0.7"));
	for (size_t i = 0; i < NODES; i++) {
		assert_true(lift(i, "10.0.0.0/24"));
		assert_false(is_banned(i, "10.0.0.7"));
	}
}

/* To others they are one client; nobody tells these neighbours of that. */
static void bans_of_two_neighbours_are_not_one_of_all_of_them(void **state)
{
	struct own *own = own_new();

	(void)state;
	assert_non_null(own);
	bans_free(nodes[0].services.bans);
	nodes[0].services.bans = bans_new(own, nodes[0].services.standing);
	go_on(0);
	ban(0, "2001:db8::5", CLOCK_NEVER);
	ban(0, "2001:db8::6", 3600000);
	fail_to_log_in(0, "2001:db8::7");
	go_on(SHARING_PERIOD_MS);
	assert_told_no_more();
	nodes[1].sharing->is_joined = false;
	assert_told_no_more();
	assert_true(is_banned(0, "2001:db8::5"));
	assert_true(is_banned(1, "2001:db8::8"));
	assert_false(is_banned(0, "2001:db8::8"));
	own_free(own);
}

static void assert_lifted_for_good(const char *client)
{
	for (int i = 0; i < 3; i++)
		go_on(SHARING_BEAT_MS);
	assert_true(is_lifted(client));
	assert_told_no_more();
	for (size_t i = 0; i < NODES; i++) {
		assert_false(is_banned(i, client));
		restart_node(i);
		go_on(SHARING_PERIOD_MS);
		assert_false(is_banned(i, client));
	}
	assert_told_no_more();
}

/* Who was away has the ban on its disk, and may be there first. */
static void what_was_lifted_stays_so_where_the_engine_has_lost_it(void **state)
{
	(void)state;
	for (int is_first = 0; is_first <= 1; is_first++) {
		go_on(0);
		ban(0, "10.0.0.7", CLOCK_NEVER);
		go_on(SHARING_PERIOD_MS);
		stop_node(2);
		let_pass(60);
		assert_true(lift(0, "10.0.0.7"));
		go_on(SHARING_PERIOD_MS);
		fake_empty();
		if (!is_first)
			go_on(SHARING_BEAT_MS);
		start_node(2, true);
		step(2);
		assert_lifted_for_good("10.0.0.7");
	}
}

/* From before it was lifted. */
static void what_was_lifted_stays_so_where_the_engine_has_an_older_copy(void **state)
{
	char *older;

	(void)state;
	go_on(0);
	ban(0, "10.0.0.7", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	older = strdup(fake_get("p:bans", "10.0.0.7"));
	assert_non_null(older);
	assert_true(lift(0, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	fake_put("p:bans", "10.0.0.7", older);
	free(older);
	go_apart();
	assert_lifted_for_good("10.0.0.7");
}

/* Whoever is there says so, and once. */
static void an_older_ban_is_answered(void **state)
{
	int64_t number;

	(void)state;
	go_on(0);
	ban(0, "10.0.0.7", CLOCK_NEVER);
	ban(0, "10.0.0.8", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	number = number_of_ban("10.0.0.7");
	assert_true(lift(1, "10.0.0.7"));
	go_on(SHARING_PERIOD_MS);
	tell_from_elsewhere("10.0.0.7", 0, number, "command");
	tell_from_elsewhere("10.0.0.8", 3600, number - 1, "command");
	go_on(SHARING_PERIOD_MS);
	assert_true(is_lifted("10.0.0.7"));
	assert_begins(fake_get("p:bans", "10.0.0.8"), "0 ");
	assert_told_no_more();
}

static size_t lifts_that_stand(size_t node)
{
	struct standing_fact *facts;
	size_t count;

	facts = standing_list(nodes[node].services.standing, STANDING_LIFTED, &count);
	assert_non_null(facts);
	free(facts);
	return count;
}

/* Or has first started again and then been told. */
static void what_was_lifted_while_the_engine_was_away_is_told_later(void **state)
{
	(void)state;
	for (int is_restarted_before = 0; is_restarted_before <= 1; is_restarted_before++) {
		go_on(0);
		ban(1, "10.0.0.7", CLOCK_NEVER);
		go_on(SHARING_PERIOD_MS);
		let_pass(60);
		fake_is_down = true;
		go_on(SHARING_BEAT_MS);
		if (is_restarted_before)
			restart_node(0);
		step(0);
		assert_true(lift(0, "10.0.0.7"));
		step(0);
		if (!is_restarted_before)
			restart_node(0);
		go_on(SHARING_BEAT_MS);
		assert_int_equal(lifts_that_stand(0), 1);
		fake_is_down = false;
		assert_lifted_for_good("10.0.0.7");
		assert_int_equal(lifts_that_stand(0), 0);
	}
}

/* Until the engine tells its own. */
static void a_lift_of_before_the_engine_counts_by_the_clock_of_then(void **state)
{
	(void)state;
	go_on(0);
	ban(1, "10.0.0.7", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	let_pass(60);
	now_s -= 86400;
	fake_is_down = true;
	restart_node(0);
	step(0);
	now_s += 86400;
	assert_true(lift(0, "10.0.0.7"));
	step(0);
	fake_is_down = false;
	assert_lifted_for_good("10.0.0.7");
}

static void a_later_ban_holds_against_what_was_lifted_and_not_told(void **state)
{
	(void)state;
	go_on(0);
	ban(1, "10.0.0.7", CLOCK_NEVER);
	ban(1, "10.0.0.8", CLOCK_NEVER);
	go_on(SHARING_PERIOD_MS);
	fake_is_down = true;
	let_pass(60);
	assert_true(lift(0, "10.0.0.7"));
	assert_true(lift(0, "10.0.0.8"));
	step(0);
	restart_node(0);
	let_pass(60);
	ban(0, "10.0.0.7", CLOCK_NEVER);
	step(0);
	fake_is_down = false;
	assert_true(lift(1, "10.0.0.8"));
	go_apart();
	ban(1, "10.0.0.8", CLOCK_NEVER);
	step(1);
	go_on(SHARING_BEAT_MS);
	assert_told_no_more();
	for (size_t i = 0; i < NODES; i++) {
		assert_true(is_banned(i, "10.0.0.7"));
		assert_true(is_banned(i, "10.0.0.8"));
		assert_int_equal(lifts_that_stand(i), 0);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		sharing_test(who_is_banned_on_one_is_banned_on_all),
		sharing_test(a_ban_by_failures_is_one_on_all_nodes),
		sharing_test(a_ban_by_command_gives_way_to_none_by_failures),
		sharing_test(of_two_bans_at_once_all_have_the_same),
		sharing_test(the_later_of_two_bans_by_command_holds),
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
		sharing_test(bans_of_two_neighbours_are_not_one_of_all_of_them),
		sharing_test(that_a_ban_was_lifted_is_forgotten),
		sharing_test(as_many_as_can_be_are_remembered),
		sharing_test(a_ban_inside_of_another_is_told_once),
		sharing_test(who_was_away_lifts_a_ban_whatever_its_clock_says),
		sharing_test(a_ban_behind_one_that_was_lifted_stays),
		sharing_test(who_is_unbanned_as_a_neighbour_unbans_no_network),
		sharing_test(a_ban_that_ran_out_while_away_takes_no_later_word_with_it),
		sharing_test(a_lift_of_before_the_engine_counts_by_the_clock_of_then),
		sharing_test(what_was_lifted_stays_so_where_the_engine_has_lost_it),
		sharing_test(what_was_lifted_stays_so_where_the_engine_has_an_older_copy),
		sharing_test(an_older_ban_is_answered),
		sharing_test(what_was_lifted_while_the_engine_was_away_is_told_later),
		sharing_test(a_later_ban_holds_against_what_was_lifted_and_not_told),
		sharing_test(who_was_away_hears_what_was_lifted_inside_of_another_ban),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("server/sharing_bans", tests, NULL, NULL);
}
