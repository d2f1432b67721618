/* bans: who is banned, for how long, what of that stands and is read back, on a clock that the test
 * moves. */
#include "state/bans.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "../base/check.h"
#include "base/clock.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START INT64_C(1764200000) /* seconds since 1970 when `now` is 0 */

static struct standing *standing;
static struct bans *b;
static struct ban_rule rule;
static struct exempt_clients exempt;
static int64_t now; /* milliseconds */
static struct ban_info info;

static int setup(void **state)
{
	(void)state;
	standing = standing_new();
	b = bans_new(NULL, standing);
	rule = (struct ban_rule){
		.failures = 3, .within = 10 * MINUTE, .first = MINUTE, .longest = DAY};
	exempt = (struct exempt_clients){.loopback = true};
	now = 0;
	return b == NULL || standing == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	bans_free(b);
	standing_free(standing);
	return 0;
}

static struct bans_time at_now(void)
{
	return (struct bans_time){.ms = now, .wall = START + now / 1000};
}

static struct network network(const char *text)
{
	struct network n;

	assert_true(network_parse(text, strlen(text), &n));
	return n;
}

static bool refused(const char *client)
{
	struct network n = network(client);

	return bans_any(b) && bans_refuse(b, &n.base, &exempt, now);
}

/* A login of the client with that name and password fails; true when that bans. */
static bool try_login(const char *client, uint64_t pair)
{
	struct network n = network(client);

	return bans_note_failure(b,
		&(struct ban_failure){
			.from = &n.base, .pair = pair, .rule = &rule, .exempt = &exempt},
		at_now(), &info);
}

static bool put(const char *who, int64_t lasts)
{
	struct network n = network(who);

	return bans_put(b, &n, lasts, at_now(), &info) == 0;
}

static bool lift(const char *who)
{
	struct network n = network(who);

	return bans_lift(b, &n, at_now(), &info);
}

/* As many different ones as ban. */
static void ban_by_failures(const char *client)
{
	static uint64_t pair = 1000;

	for (int64_t i = 1; i < rule.failures; i++)
		assert_false(try_login(client, pair++));
	assert_true(try_login(client, pair++));
}

static const char *info_client(void)
{
	static char text[NETWORK_TEXT_MAX];

	return network_format(&info.client, text);
}

/* Restarts with what stands, so much later. */
static void restart(int64_t later)
{
	bans_free(b);
	b = bans_new(NULL, standing);
	assert_non_null(b);
	now += later;
	bans_restore(b, at_now());
}

/* ---- failures ---- */

static void nobody_is_banned_at_first(void **state)
{
	(void)state;
	assert_false(bans_any(NULL));
	assert_false(bans_any(b));
	assert_false(refused("192.0.2.1"));
}

static void so_many_in_the_time_ban(void **state)
{
	static const struct {
		int64_t whens[4]; /* of failures, in minutes */
		bool bans;
	} rows[] = {
		{{0, 0, 0}, true},
		{{0, 5, 9}, true},
		{{0, 5, 10}, false}, /* the first is too old by then */
		{{0, 9, 18, 18}, true},
		{{0, 9, 19, 29}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool has_begun = false;

		for (size_t j = 0; j < COUNT(rows[i].whens) && !has_begun; j++) {
			now = rows[i].whens[j] * MINUTE;
			if (j < 3 || rows[i].whens[j] > 0)
				has_begun = try_login("192.0.2.1", j);
		}
		if (has_begun != rows[i].bans)
			fail_msg("row %zu", i);
		assert_int_equal(refused("192.0.2.1"), rows[i].bans);
		bans_free(b);
		b = bans_new(NULL, NULL);
		assert_non_null(b);
		now = 0;
	}
}

static void what_is_told_of_a_ban(void **state)
{
	(void)state;
	now = 5000;
	ban_by_failures("192.0.2.1");
	assert_string_equal(info_client(), "192.0.2.1");
	assert_string_equal(ban_cause_word(info.by), "failures");
	assert_int_equal(info.failures, 3);
	assert_int_equal(info.begun, START + 5);
	assert_int_equal(info.until, START + 65);
	assert_int_equal(info.lasts, MINUTE);
	assert_int_equal(info.left, MINUTE);
	assert_int_equal(info.refused, 0);
}

static void the_same_wrong_pair_counts_once(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_false(try_login("192.0.2.1", 7));
	assert_false(try_login("192.0.2.1", 8));
	assert_false(try_login("192.0.2.1", 7));
	assert_true(try_login("192.0.2.1", 9));
}

static void others_are_not_banned(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	assert_true(refused("192.0.2.1"));
	assert_false(refused("192.0.2.2"));
	assert_false(refused("::1"));
}

static void each_ban_lasts_twice_as_long_up_to_the_longest(void **state)
{
	static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

	(void)state;
	rule.longest = HOUR;
	for (size_t i = 0; i < COUNT(minutes); i++) {
		ban_by_failures("192.0.2.1");
		assert_int_equal(info.lasts, minutes[i] * MINUTE);
		now += minutes[i] * MINUTE - 1;
		assert_true(refused("192.0.2.1"));
		now++;
		assert_false(refused("192.0.2.1"));
		assert_true(bans_take_ended(b, at_now(), &info));
	}
	/* As long as the longest without a ban, and it begins anew. */
	now += HOUR;
	ban_by_failures("192.0.2.1");
	assert_int_equal(info.lasts, MINUTE);
}

static void off_and_exempt_count_nothing(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_false(try_login("127.0.0.1", i));
	exempt.networks.networks[exempt.networks.count++] = network("192.0.2.0/24");
	for (uint64_t i = 0; i < 10; i++)
		assert_false(try_login("192.0.2.1", i));
	rule.failures = 0;
	for (uint64_t i = 0; i < 10; i++)
		assert_false(try_login("198.51.100.1", i));
	assert_false(bans_any(b));
}

static void who_is_exempt_by_now_is_let_in(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	exempt.networks.networks[exempt.networks.count++] = network("192.0.2.0/24");
	assert_false(refused("192.0.2.1"));
	/* But not whom somebody has banned. */
	assert_true(put("192.0.2.0/24", HOUR));
	assert_true(refused("192.0.2.1"));
	assert_true(put("127.0.0.1", HOUR));
	assert_true(refused("127.0.0.1"));
}

static void a_rule_that_is_shorter_by_now_counts_what_there_was(void **state)
{
	(void)state;
	rule.failures = 100;
	for (uint64_t i = 0; i < 50; i++)
		assert_false(try_login("192.0.2.1", i));
	rule.failures = 10;
	assert_true(try_login("192.0.2.1", 50));
}

/* An IPv6 network is one client; a neighbour on this host's own network is not (daemon test). */
static void these_count_as_one(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1", "fe80::2", false},
		{"192.0.2.1", "192.0.2.2", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ban_by_failures(rows[i].a);
		assert_true(refused(rows[i].a));
		assert_int_equal(refused(rows[i].b), rows[i].same);
		assert_true(bans_lift(b, NULL, at_now(), &info));
		assert_false(bans_any(b));
	}
}

static void suspects_have_a_bound_and_the_oldest_goes(void **state)
{
	char client[32];

	(void)state;
	assert_false(try_login("192.0.2.1", 1));
	assert_false(try_login("192.0.2.1", 2));
	assert_false(try_login("192.0.2.2", 1));
	for (unsigned i = 0; i < BANS_SUSPECTS - 1; i++) {
		now = 1 + i;
		snprintf(client, sizeof(client), "10.1.%u.%u", i / 256, i % 256);
		assert_false(try_login(client, 1));
	}
	now++;
	assert_false(try_login("192.0.2.1", 3)); /* was forgotten */
	assert_false(try_login("192.0.2.1", 4));
	assert_true(try_login("192.0.2.1", 5));
}

/* ---- by command ---- */

static void a_network_is_banned_as_a_whole(void **state)
{
	static const struct {
		const char *who, *client;
		bool is_banned;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "192.0.2.1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"2001:db8::7", "2001:db8::8", true}, /* its account is the /64 */
		{"fe80::1", "fe80::1", true},
		{"fe80::1", "fe80::2", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(put(rows[i].who, CLOCK_NEVER));
		if (refused(rows[i].client) != rows[i].is_banned)
			fail_msg("%s of %s", rows[i].client, rows[i].who);
		assert_true(bans_lift(b, NULL, at_now(), &info));
	}
}

static void a_ban_without_a_time_has_no_end(void **state)
{
	(void)state;
	assert_true(put("192.0.2.1", CLOCK_NEVER));
	assert_true(info.until == INT64_MAX && info.left == CLOCK_NEVER);
	assert_true(bans_next_end(b) == CLOCK_NEVER);
	now = 100 * 365 * DAY;
	assert_true(refused("192.0.2.1"));
	assert_false(bans_take_ended(b, at_now(), &info));
}

static void a_ban_by_command_takes_the_place_of_another(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	assert_true(put("192.0.2.1", 5000));
	now = 5000;
	assert_false(refused("192.0.2.1"));
	assert_true(bans_take_ended(b, at_now(), &info));
	assert_int_equal(info.by, BAN_BY_COMMAND);
}

static void what_is_lifted_is_forgotten(void **state)
{
	struct network n = network("192.0.2.1");

	(void)state;
	assert_false(lift("192.0.2.1"));
	ban_by_failures("192.0.2.1");
	assert_false(lift("192.0.2.0/24"));
	assert_true(refused("192.0.2.1"));
	assert_true(lift("192.0.2.1"));
	assert_int_equal(info.refused, 1);
	assert_false(bans_find(b, &n, at_now(), &info));
	assert_false(bans_any(b));
	ban_by_failures("192.0.2.1"); /* all of them again */
	assert_int_equal(info.lasts, MINUTE); /* as the first */
	/* Also what has not led to a ban yet. */
	assert_true(lift("192.0.2.1"));
	assert_false(try_login("192.0.2.1", 1));
	assert_false(try_login("192.0.2.1", 2));
	assert_false(lift("192.0.2.1"));
	assert_false(try_login("192.0.2.1", 3));
}

static void a_ban_around_is_found(void **state)
{
	struct network inside = network("192.0.2.7"), around = network("192.0.0.0/16");

	(void)state;
	assert_true(put("192.0.2.0/24", HOUR));
	assert_true(bans_find(b, &inside, at_now(), &info));
	assert_string_equal(info_client(), "192.0.2.0/24");
	assert_false(bans_find(b, &around, at_now(), &info));
}

static void a_ban_of_exactly_a_client_is_found_inside_of_another(void **state)
{
	struct network client = network("192.0.2.7"), other = network("192.0.2.8");

	(void)state;
	assert_true(put("192.0.2.0/24", HOUR));
	assert_false(bans_find_exactly(b, &client, at_now(), &info));
	assert_true(put("192.0.2.7", MINUTE));
	assert_true(bans_find_exactly(b, &client, at_now(), &info));
	assert_string_equal(info_client(), "192.0.2.7");
	assert_int_equal(info.lasts, MINUTE);
	assert_false(bans_find_exactly(b, &other, at_now(), &info));
	now = MINUTE;
	assert_false(bans_find_exactly(b, &client, at_now(), &info));
}

static void all_are_listed_by_address(void **state)
{
	static const char *const clients[] = {
		"10.0.0.0/8", "10.0.0.1", "192.0.2.1", "[2001:db8::]/64"};
	struct ban_info *infos;
	char text[NETWORK_TEXT_MAX];
	size_t count;

	(void)state;
	assert_true(put("2001:db8::9", HOUR));
	ban_by_failures("192.0.2.1");
	assert_true(put("10.0.0.1", HOUR));
	assert_true(put("10.0.0.0/8", HOUR));
	assert_true(refused("192.0.2.1") && refused("192.0.2.1"));
	infos = bans_list(b, at_now(), &count);
	assert_non_null(infos);
	assert_int_equal(count, COUNT(clients));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(network_format(&infos[i].client, text), clients[i]);
	assert_int_equal(infos[2].refused, 2);
	free(infos);
	now = MINUTE;
	infos = bans_list(b, at_now(), &count);
	assert_non_null(infos);
	assert_int_equal(count, COUNT(clients) - 1);
	free(infos);
}

/* ---- ends ---- */

static unsigned rung;

static void count_ring(void *context)
{
	(void)context;
	rung++;
}

static void ends_are_told_once_and_when_the_next_is_due(void **state)
{
	(void)state;
	bans_set_alarm(b, count_ring, NULL);
	rung = 0;
	assert_true(bans_next_end(b) == CLOCK_NEVER);
	ban_by_failures("192.0.2.1");
	assert_int_equal(rung, 1);
	assert_true(put("192.0.2.2", 5000));
	assert_int_equal(rung, 2);
	assert_int_equal(bans_next_end(b), 5000);
	now = 4999;
	assert_false(bans_take_ended(b, at_now(), &info));
	now = MINUTE;
	assert_true(bans_take_ended(b, at_now(), &info));
	assert_true(bans_take_ended(b, at_now(), &info));
	assert_false(bans_take_ended(b, at_now(), &info));
	assert_false(bans_any(b));
	/* That there was one is forgotten a day later. */
	assert_int_equal(bans_next_end(b), MINUTE + DAY);
	now = MINUTE + DAY;
	assert_false(bans_take_ended(b, at_now(), &info));
	assert_true(bans_next_end(b) == CLOCK_NEVER);
}

/* ---- the bound ---- */

static void fill_by_failures(void)
{
	char client[32];

	rule.failures = 1;
	for (unsigned i = 0; i < BANS_MOST; i++) {
		snprintf(client, sizeof(client), "10.0.%u.%u", i / 256, i % 256);
		now = i;
		assert_true(try_login(client, i));
	}
}

static size_t standing_count(void)
{
	struct standing_fact *facts;
	size_t count;

	facts = standing_list(standing, STANDING_BAN, &count);
	assert_non_null(facts);
	free(facts);
	return count;
}

static void the_one_that_ends_first_makes_room(void **state)
{
	(void)state;
	fill_by_failures();
	assert_true(refused("10.0.0.0") && refused("10.0.0.1"));
	assert_true(put("192.0.2.1", HOUR));
	assert_false(refused("10.0.0.0"));
	assert_true(refused("10.0.0.1") && refused("192.0.2.1"));
	assert_int_equal(standing_count(), BANS_MOST);
	restart(0);
	assert_true(refused("10.0.0.1") && refused("192.0.2.1"));
	assert_false(refused("10.0.0.0"));
	assert_int_equal(standing_count(), BANS_MOST);
}

static void who_was_banned_by_command_does_not_make_room(void **state)
{
	char client[32];

	(void)state;
	for (unsigned i = 0; i < BANS_MOST; i++) {
		snprintf(client, sizeof(client), "10.0.%u.%u", i / 256, i % 256);
		assert_true(put(client, HOUR));
	}
	assert_false(put("192.0.2.1", HOUR));
	assert_int_equal(errno, ENOSPC);
	rule.failures = 1;
	assert_false(try_login("192.0.2.1", 1));
	assert_true(put("10.0.0.1", DAY)); /* is there already */
}

/* More than there may be, as another version may have left it. */
static void what_stands_is_bounded_when_it_is_read(void **state)
{
	char key[32], value[64];

	(void)state;
	for (unsigned i = 0; i < BANS_MOST + 100; i++) {
		snprintf(key, sizeof(key), "10.1.%u.%u", i / 256, i % 256);
		snprintf(value, sizeof(value), "failures %lld %lld 3600000 3 1 86400000",
			(long long)START, (long long)START + 60 + i % 7);
		assert_int_equal(standing_put(standing, STANDING_BAN, key, value), 0);
	}
	restart(0);
	assert_int_equal(standing_count(), BANS_MOST);
}

/* ---- over a restart ---- */

static void a_ban_goes_on_behind_a_restart(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	assert_true(put("192.0.2.0/28", HOUR));
	assert_true(put("2001:db8::7", CLOCK_NEVER));
	restart(MINUTE / 2);
	assert_true(refused("192.0.2.1") && refused("192.0.2.9") && refused("2001:db8::8"));
	assert_true(lift("192.0.2.0/28"));
	assert_true(refused("192.0.2.1"));
	now += MINUTE / 2;
	assert_false(refused("192.0.2.1"));
	restart(1000 * DAY);
	assert_true(refused("2001:db8::8"));
	assert_int_equal(standing_count(), 1);
}

static void it_is_known_in_which_run_a_ban_began(void **state)
{
	struct network client = network("192.0.2.1"), other = network("192.0.2.2");

	(void)state;
	now = MINUTE;
	assert_true(put("192.0.2.1", CLOCK_NEVER));
	assert_int_equal(info.since, MINUTE);
	restart(MINUTE);
	assert_true(bans_find(b, &client, at_now(), &info));
	assert_true(info.since == CLOCK_NEVER);
	info.client = other;
	assert_int_equal(bans_take_over(b, &info, at_now()), 1);
	assert_true(bans_find(b, &other, at_now(), &info));
	assert_int_equal(info.since, 2 * MINUTE);
}

static void a_ban_that_ended_meanwhile_makes_the_next_one_longer(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	restart(HOUR);
	assert_false(bans_any(b));
	ban_by_failures("192.0.2.1");
	assert_int_equal(info.lasts, 2 * MINUTE);
	restart(2 * DAY);
	assert_int_equal(standing_count(), 0);
	ban_by_failures("192.0.2.1");
	assert_int_equal(info.lasts, MINUTE);
}

static void what_is_lifted_does_not_come_back(void **state)
{
	(void)state;
	ban_by_failures("192.0.2.1");
	assert_true(lift("192.0.2.1"));
	assert_int_equal(standing_count(), 0);
	restart(0);
	assert_false(bans_any(b));
}

/* The wall clock of this run is years behind that of the last one, or ahead. */
static void a_wrong_clock_makes_no_ban_longer_than_it_was_to_be(void **state)
{
	static const struct {
		int64_t until; /* behind the clock, in seconds */
		bool is_banned, later;
	} rows[] = {
		{30, true, false},
		{60, true, false},
		{61, true, false},
		{INT64_C(10) * 365 * 86400, true, false},
		{0, false, false},
		{-1, false, false},
		{-INT64_C(10) * 365 * 86400, false, false},
	};
	char value[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		now = 0;
		snprintf(value, sizeof(value), "failures %lld %lld 60000 3 1 86400000",
			(long long)(START + rows[i].until - 60),
			(long long)(START + rows[i].until));
		assert_int_equal(standing_put(standing, STANDING_BAN, "192.0.2.1", value), 0);
		restart(0);
		assert_int_equal(refused("192.0.2.1"), rows[i].is_banned);
		now = MINUTE;
		assert_int_equal(refused("192.0.2.1"), rows[i].later);
	}
}

static void what_is_no_ban_is_dropped(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"192.0.2.1", ""},
		{"192.0.2.1", "failures"},
		{"192.0.2.1", "failures 1 2 3 4 5"},
		{"192.0.2.1", "mood 1764200000 1764203600 3600000 3 1 86400000"},
		{"192.0.2.1", "failures 1764200000 0 0 3 1 86400000"}, /* without an end */
		{"192.0.2.1", "failures 1764200000 99999999999999 3600000 3 1 86400000"},
		{"192.0.2.1", "failures 1764200000 1764203600 999999999999999 3 1 86400000"},
		{"192.0.2.1", "failures 1764200000 -5 3600000 3 1 86400000"},
		{"192.0.2.1/24", "command 1764200000 0 0 0 0 0"},
		{"alice", "command 1764200000 0 0 0 0 0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			standing_put(standing, STANDING_BAN, rows[i].key, rows[i].value), 0);
		restart(0);
		if (bans_any(b) || standing_count() != 0)
			fail_msg("%s: %s", rows[i].key, rows[i].value);
	}
}

/* ---- several threads ---- */

#define THREADS 4
#define ROUNDS 2000

/* Each bans and lifts the same few clients, as fast as it can. */
static void *change_bans(void *context)
{
	unsigned seed = *(unsigned *)context, failed = 0, refusals = 0;
	struct ban_info ignored;

	for (int i = 0; i < ROUNDS; i++) {
		struct network n = network("192.0.2.0");

		n.base.in.sin_addr.s_addr |= htonl((uint32_t)check_random(&seed, 3));
		if (check_random(&seed, 2) == 0)
			failed += bans_put(b, &n, HOUR, at_now(), &ignored) < 0;
		else
			bans_lift(b, &n, at_now(), &ignored);
		refusals += bans_any(b) && bans_refuse(b, &n.base, &exempt, now);
	}
	assert_int_equal(failed, 0);
	assert_true(refusals > 0);
	return NULL;
}

static void what_stands_is_what_holds_whichever_thread_is_late(void **state)
{
	pthread_t threads[THREADS];
	unsigned seeds[THREADS];
	struct ban_info *infos;
	char text[NETWORK_TEXT_MAX];
	size_t count;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		seeds[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, change_bans, &seeds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	infos = bans_list(b, at_now(), &count);
	assert_non_null(infos);
	assert_int_equal(bans_any(b), count > 0);
	assert_int_equal(standing_count(), count);
	for (size_t i = 0; i < count; i++) {
		assert_true(standing_read(standing, STANDING_BAN,
			network_format(&infos[i].client, text), NULL, NULL));
	}
	free(infos);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_banned_at_first),
		TEST(so_many_in_the_time_ban),
		TEST(what_is_told_of_a_ban),
		TEST(the_same_wrong_pair_counts_once),
		TEST(others_are_not_banned),
		TEST(each_ban_lasts_twice_as_long_up_to_the_longest),
		TEST(off_and_exempt_count_nothing),
		TEST(who_is_exempt_by_now_is_let_in),
		TEST(a_rule_that_is_shorter_by_now_counts_what_there_was),
		TEST(these_count_as_one),
		TEST(suspects_have_a_bound_and_the_oldest_goes),
		TEST(a_network_is_banned_as_a_whole),
		TEST(a_ban_without_a_time_has_no_end),
		TEST(a_ban_by_command_takes_the_place_of_another),
		TEST(what_is_lifted_is_forgotten),
		TEST(a_ban_around_is_found),
		TEST(a_ban_of_exactly_a_client_is_found_inside_of_another),
		TEST(all_are_listed_by_address),
		TEST(ends_are_told_once_and_when_the_next_is_due),
		TEST(the_one_that_ends_first_makes_room),
		TEST(who_was_banned_by_command_does_not_make_room),
		TEST(what_stands_is_bounded_when_it_is_read),
		TEST(a_ban_goes_on_behind_a_restart),
		TEST(it_is_known_in_which_run_a_ban_began),
		TEST(a_ban_that_ended_meanwhile_makes_the_next_one_longer),
		TEST(what_is_lifted_does_not_come_back),
		TEST(a_wrong_clock_makes_no_ban_longer_than_it_was_to_be),
		TEST(what_is_no_ban_is_dropped),
		TEST(what_stands_is_what_holds_whichever_thread_is_late),
	};

	return cmocka_run_group_tests_name("state/bans", tests, NULL, NULL);
}
