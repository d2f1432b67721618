/* limits_commands, disable_commands and guest_commands over a console: what is changed for whom,
 * what is told of it, what is refused in which words, and that what memory does not suffice for
 * changes nothing. */
#include "converse.h"

#include "state/kept_use.h"
#include "state/ledger_limits.h"

static void configure(const char *name, const char *value)
{
	struct config_override one = {.setting = settings_find(name), .value = value};
	struct config_source source = {.overrides = &one, .count = 1};
	char error[CONFIG_ERROR_MAX];
	struct config *config = config_read(&source, error);

	if (config == NULL)
		fail_msg("%s", error);
	config_publish(parts.config, config);
	assert_int_equal(__wrap_server_apply_limits(NULL), 0);
}

static int make_desk(void **state)
{
	if (setup(state) != 0)
		return -1;
	parts_time = PARTS_TIME;
	parts.own = own_new();
	parts.limits = limit_book_new();
	assert_non_null(parts.own);
	assert_non_null(parts.limits);
	ledger_follow(parts.ledger, parts.limits, parts.standing);
	assert_int_equal(__wrap_server_apply_limits(NULL), 0);
	enter_as_root();
	return 0;
}

static int free_desk(void **state)
{
	int result = teardown(state);

	limit_book_free(parts.limits);
	own_free(parts.own);
	parts.limits = NULL;
	parts.own = NULL;
	return result;
}

static void add_pupil(const char *name, const char *limits)
{
	char error[USERS_ERROR_MAX];

	assert_int_equal(users_add_limited(parts.users, name, MONITOR_HASH, limits, error), 0);
	assert_int_equal(__wrap_server_apply_limits(NULL), 0);
}

/* ---- LIMITS ---- */

#define ANN(more)                                                                                  \
	"user:ann groups:pupils groups_by:users_file " more "quota:1GB/day quota_by:users_file "   \
	"running:0 used:0 left:1000000000 until:2025-07-16T00:00:00"

static void what_is_said_of_users_clients_and_groups_is_told(void **state)
{
	static const struct exchange rows[] = {
		{"LIMITS", "OK\n" ANN("")},
		{"LIMITS alice sessions=2", "OK Limits of alice changed (until the next start)"},
		{"LIMITS @pupils rate=2Mbit",
			"OK Limits of @pupils changed (until the next start)"},
		{"LIMITS 192.0.2.9 sessions=4",
			"OK Limits of 192.0.2.9 changed (until the next start)"},
		{"LIMITS 192.0.2.9",
			"OK\nclient:192.0.2.9 sessions:4 sessions_by:LIMITS:192.0.2.9 running:0"},
		{"LIMITS @pupils", "OK\ngroup:@pupils rate:2Mbit rate_by:LIMITS:@pupils"},
		{"LIMITS ann", "OK\n" ANN("rate:2Mbit rate_by:LIMITS:@pupils ")},
		{"LIMITS",
			"OK\ngroup:@pupils rate:2Mbit rate_by:LIMITS:@pupils\n"
			"user:alice sessions:2 sessions_by:users_file running:0\n" ANN(
				"rate:2Mbit rate_by:LIMITS:@pupils ")},
		{"LIMITS alice sessions=default",
			"OK Limits of alice changed (until the next start)"},
		{"LIMITS @pupils rate=default",
			"OK Limits of @pupils changed (until the next start)"},
		{"LIMITS", "OK\n" ANN("")},
	};

	(void)state;
	add_pupil("ann", "groups=pupils quota=1GB/day");
	converse(rows, COUNT(rows));
}

/* A client is listed while the ledger knows it, and a group once, however many say something of
 * it. */
static void known_clients_are_listed(void **state)
{
	static const struct exchange rows[] = {
		{"LIMITS @room rate=2Mbit", "OK Limits of @room changed (until the next start)"},
		{"DISABLE @room", "OK @room disabled, 0 sessions ended (until the next start)"},
		{"LIMITS",
			"OK\ngroup:@room rate:2Mbit disabled:yes "
			"disabled_by:DISABLE:@room\n"
			"client:192.0.2.1 rate:2Mbit rate_by:LIMITS:@room disabled:yes "
			"disabled_by:DISABLE:@room running:1"},
	};
	struct addr from = parts_addr("192.0.2.1", 1000);
	struct ledger_entry *entry;
	size_t running;

	(void)state;
	configure("client_group", "@room 192.0.2.0/29");
	entry = ledger_join_client(parts.ledger, &from, parts_now, &running);
	converse(rows, COUNT(rows));
	ledger_leave(entry, parts_now);
}

static void a_group_of_clients_has_what_clients_may_have(void **state)
{
	static const struct exchange rows[] = {
		{"LIMITS @room expires=2030-01-01",
			"ERR expires: not possible here; the keys are sessions, rate, quota, over"},
		{"LIMITS @room sessions=3", "OK Limits of @room changed (until the next start)"},
		{"LIMITS @room rate=2Mbit", "OK Limits of @room changed (until the next start)"},
		{"LIMITS @room", "OK\ngroup:@room sessions:3 rate:2Mbit"},
	};

	(void)state;
	configure("client_group", "@room 192.0.2.0/29");
	converse(rows, COUNT(rows));
}

static void whom_nobody_knows_is_told_what_was_meant(void **state)
{
	static const struct exchange rows[] = {
		{"LIMITS alise", "ERR alise does not exist; did you mean alice?"},
		{"LIMITS Anonymous",
			"ERR Anonymous is no account: who does not log in counts by the address, as in client_limits and anonymous_defaults"},
		{"LIMITS @nobody",
			"ERR There is no group @nobody: nobody has groups=nobody, and neither client_group nor group_defaults names it"},
		{"LIMITS 192.0.2.1/24",
			"ERR \"192.0.2.1/24\": bits are set behind the prefix; did you mean 192.0.2.0/24?"},
		{"LIMITS alice sessions=x",
			"ERR sessions=x: legal is none or a number from 1 to 1000000"},
		{"QUOTA alise reset", "ERR alise does not exist; did you mean alice?"},
		{"DISABLE 192.0.2.1/24",
			"ERR \"192.0.2.1/24\": bits are set behind the prefix; did you mean 192.0.2.0/24?"},
		{"ENABLE alise", "ERR alise does not exist; did you mean alice?"},
	};

	(void)state;
	converse(rows, COUNT(rows));
}

/* ---- QUOTA ---- */

static void a_quota_is_for_who_has_one(void **state)
{
	static const struct exchange rows[] = {
		{"QUOTA ann +1",
			"ERR +1: \"1\": a size is a number with its unit, kB MB GB TB (decimal), as in 50GB"},
		{"QUOTA ann 1GB", "ERR 1GB: legal is reset, or a size such as +2GB"},
		{"QUOTA ann +1XB",
			"ERR +1XB: \"1XB\": a size is a number with its unit, kB MB GB TB (decimal), as in 50GB"},
		{"QUOTA alice reset", "ERR alice has no quota"},
		{"QUOTA @pupils reset",
			"ERR @pupils: a quota is used by each user or client for itself"},
		{"QUOTA ann +1GB",
			"OK Quota of ann has grown for this period (until the next start)"},
		{"LIMITS ann",
			"OK\nuser:ann groups:pupils groups_by:users_file quota:1GB/day quota_by:users_file running:0 used:0 left:2000000000 until:2025-07-16T00:00:00"},
		{"QUOTA ann reset", "OK Quota of ann starts anew (until the next start)"},
		{"LIMITS ann",
			"OK\nuser:ann groups:pupils groups_by:users_file quota:1GB/day quota_by:users_file running:0 used:0 left:1000000000 until:2025-07-16T00:00:00"},
		{"QUOTA 192.0.2.9 +1kB",
			"OK Quota of 192.0.2.9 has grown for this period (until the next start)"},
		{"LIMITS 192.0.2.9",
			"OK\nclient:192.0.2.9 quota:1kB/month quota_by:client_limits running:0 used:0 left:2000 until:2025-08-01T00:00:00"},
		{"QUOTA 192.0.2.9 reset",
			"OK Quota of 192.0.2.9 starts anew (until the next start)"},
		{"LIMITS 192.0.2.9",
			"OK\nclient:192.0.2.9 quota:1kB/month quota_by:client_limits running:0 used:0 left:1000 until:2025-08-01T00:00:00"},
	};

	(void)state;
	add_pupil("ann", "groups=pupils quota=1GB/day");
	configure("client_limits", "192.0.2.9 quota=1kB/month");
	converse(rows, COUNT(rows));
}

/* ---- DISABLE, ENABLE ---- */

static void who_is_disabled_stays_it_until_enabled(void **state)
{
	static const struct exchange rows[] = {
		{"DISABLE root", "ERR root is the last admin and stays"},
		{"DISABLE alice", "OK alice disabled, 0 sessions ended (until the next start)"},
		{"DISABLE alice", "ERR alice is disabled already"},
		{"LIMITS alice", "OK\nuser:alice disabled:yes disabled_by:users_file running:0"},
		{"ENABLE alice", "OK alice enabled (until the next start)"},
		{"ENABLE alice", "ERR alice is not disabled"},
		{"DISABLE 192.0.2.9",
			"OK 192.0.2.9 disabled, 0 sessions ended (until the next start)"},
		{"DISABLE 192.0.2.9", "ERR 192.0.2.9 is disabled already"},
		{"ENABLE 192.0.2.9", "OK 192.0.2.9 enabled (until the next start)"},
	};

	(void)state;
	converse(rows, COUNT(rows));
}

/* ---- GUEST, GUESTS ---- */

/* Behind `key` up to a blank. */
static const char *word_behind(const char *key, char word[64])
{
	const char *at = strstr(heard, key);

	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(key), "%63s", word), 1);
	return word;
}

static void guests_have_an_end(void **state)
{
	static const struct exchange wrong[] = {
		{"GUEST 0", "ERR \"0\": the hours are a number from 1 to 8784"},
		{"GUEST 8785", "ERR \"8785\": the hours are a number from 1 to 8784"},
		{"GUEST 2 expires=2030-01-01",
			"ERR expires: not possible here; the keys are groups, sessions, "
			"sessions_client, rate, quota, over, from"},
		{"GUESTS", "OK"},
	};
	char name[64], text[256];

	(void)state;
	converse(wrong, COUNT(wrong));
	say("GUEST 2 sessions=3\n");
	assert_begins(hear(), "OK Guest guest-");
	assert_contains(heard, " until 2025-07-15T14:41 (until the next start)\nname:guest-");
	word_behind("\nname:", name);
	snprintf(text, sizeof(text),
		"OK\nname:%s expires:2025-07-15T14:41 state:open sessions:0\n\n", name);
	ask("GUESTS\n", text);
	parts_time += 3 * 3600;
	say("GUESTS\n");
	assert_contains(hear(), " state:expired ");
	snprintf(text, sizeof(text), "DISABLE %s\n", name);
	say(text);
	assert_begins(hear(), "OK ");
	say("GUESTS\n");
	assert_contains(hear(), " state:disabled ");
}

/* What a guest is told to type in is where clients reach the proxy: what it listens on, and for all
 * addresses one that this host has. */
static void a_guest_is_told_where_the_proxy_is(void **state)
{
	static const struct {
		const char *listens, *told;
	} rows[] = {{"192.0.2.80", "192.0.2.80:1080"}, {"2001:db8::80", "[2001:db8::80]:1080"},
		{"0.0.0.0", ":1080"}};
	char told[64];

	(void)state;
	assert_int_equal(own_refresh(parts.own), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = config_get(parts.config);

		config->own[0] = parts_addr(rows[i].listens, 1080);
		config_release(config);
		say("GUEST\n");
		hear();
		assert_contains(word_behind(" proxy:", told), rows[i].told);
		assert_contains(heard, "\ntext:curl --proxy socks5h://guest-");
		assert_contains(heard, ", port 1080, user guest-");
	}
	hash_fault = ENOMEM;
	ask("GUEST\n", "ERR The password cannot be hashed: Cannot allocate memory\n\n");
}

/* ---- faults ---- */

/* With each allocation failing in turn: an error, or all of the answer. */
static void without_memory_no_answer_is_a_wrong_one(void **state)
{
	static const char *const requests[][2] = {
		{"LIMITS\n", "OK\n"},
		{"LIMITS ann\n", "OK\n" ANN("")},
		{"LIMITS @pupils\n", "OK\n"},
		{"LIMITS alice sessions=2\n", "OK Limits of alice changed"},
		{"LIMITS @pupils rate=1Mbit\n", "OK Limits of @pupils changed"},
		{"QUOTA 192.0.2.9 +1kB\n", "OK Quota of 192.0.2.9 has grown"},
		{"DISABLE 192.0.2.9\n", "OK 192.0.2.9 disabled"},
		{"GUESTS\n", "OK\n"},
	};
	bool struck;

	(void)state;
	add_pupil("ann", "groups=pupils quota=1GB/day");
	configure("client_limits", "192.0.2.9 quota=1kB/month");
	for (size_t i = 0; i < COUNT(requests); i++) {
		struck = true;
		for (int n = 1; struck; n++) {
			assert_int_equal(
				standing_put(parts.standing, STANDING_DISABLED, "192.0.2.9", NULL),
				0);
			log_in();
			reply_free(&c.order.reply);
			faults_fail(n);
			say(requests[i][0]);
			hear();
			struck = faults_struck();
			if (c.phase == CONSOLE_FREE)
				continue;
			if (strncmp(heard, "ERR ", 4) != 0)
				assert_begins(heard, requests[i][1]);
			else
				assert_contains(heard, "emory");
			console_close(&c);
		}
		assert_begins(heard, requests[i][1]);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_desk, free_desk)
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_of_users_clients_and_groups_is_told),
		TEST(known_clients_are_listed),
		TEST(a_group_of_clients_has_what_clients_may_have),
		TEST(whom_nobody_knows_is_told_what_was_meant),
		TEST(a_quota_is_for_who_has_one),
		TEST(who_is_disabled_stays_it_until_enabled),
		TEST(guests_have_an_end),
		TEST(a_guest_is_told_where_the_proxy_is),
		TEST(without_memory_no_answer_is_a_wrong_one),
	};

	return cmocka_run_group_tests_name("monitor/limits_commands", tests, NULL, NULL);
}
