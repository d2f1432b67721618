/* WHY and WATCH over a console: what is told to whom, in which words, and how watching ends. */
#include "desk.h"
#include "state/ledger_limits.h"

#define BEGUN "OK Watching: a line ends it\n"

static struct event event_from(const char *from, enum event_kind kind)
{
	return (struct event){.kind = kind,
		.id = 7,
		.time = 0,
		.client = parts_addr(from, 1000),
		.command = "CONNECT",
		.target = "example.org:80",
		.reason = kind == EVENT_BEGIN || kind == EVENT_REQUEST ? END_REASONS
								       : END_CONNECT_REFUSED};
}

static void set_event_user(struct event *e, const char *user)
{
	e->user = user;
	e->user_len = strlen(user);
}

static void fail_as(const char *user, const char *from, enum end_reason reason)
{
	struct event e = event_from(from, EVENT_END);

	set_event_user(&e, user);
	e.reason = reason;
	events_add(parts.failures, &e);
}

/* ---- WHY ---- */

/* @room are the clients in 192.0.2.0/29. */
static void know_room(void)
{
	struct config_override room = {
		.setting = settings_find("client_group"), .value = "@room 192.0.2.0/29"};
	struct config_source source = {.overrides = &room, .count = 1};
	char error[CONFIG_ERROR_MAX];
	struct config *config = config_read(&source, error);

	if (config == NULL)
		fail_msg("%s", error);
	config_publish(parts.config, config);
}

/* A user with the password "secret" in a group of users. */
static void add_pupil(const char *name)
{
	char error[USERS_ERROR_MAX];

	assert_int_equal(
		users_add_limited(parts.users, name, MONITOR_HASH, "groups=pupils", error), 0);
}

static void note_elsewhere(const char *account, uint64_t used, uint32_t sessions)
{
	struct ledger_account here;
	struct quota_use use = {.used = used};

	if (ledger_find_account(parts.ledger, account, (int64_t)time(NULL), &here))
		use.begun = here.news.use.begun;
	assert_int_equal(cluster_note_use(parts.cluster, "b", account, &use, 0), 0);
	assert_int_equal(cluster_note_sessions(parts.cluster, "b", account, sessions), 0);
}

/* A quota that others have used up looks unused here. */
static void what_other_nodes_used_or_run_is_named_where_it_was_the_reason(void **state)
{
	const struct cluster_beat other = {.node = "b", .instance = "x", .beat = 1};
	struct limits_in_force f = {.is_kept_out = false};
	struct ledger_entry *user;
	char why[LIMITS_ERROR_MAX];
	size_t count;

	(void)state;
	enter_as_root();
	parts.cluster = cluster_new();
	assert_non_null(parts.cluster);
	assert_int_equal(cluster_note_beat(parts.cluster, &other, clock_ms()), 0);
	ledger_join_cluster(parts.ledger, parts.cluster);
	user = ledger_add_user(parts.ledger, "alice", 5);
	assert_true(limits_parse("sessions=1 quota=800B/month", LIMITS_OF_USER, &f.limits, why));
	assert_int_equal(ledger_limit_user(user, &f), 0);
	note_elsewhere("alice", 900, 2);
	note_elsewhere("192.0.2.9", 0, 3);
	free(ledger_look_at_limits(parts.ledger, (int64_t)time(NULL), &count));
	fail_as("alice", "192.0.2.1", END_QUOTA_REACHED);
	fail_as("alice", "192.0.2.1", END_TOO_MANY_SESSIONS);
	fail_as("", "192.0.2.9", END_TOO_MANY_SESSIONS);
	fail_as("alice", "192.0.2.1", END_TARGET_DENIED);
	say("WHY *\n");
	(void)hear();
	assert_non_null(strstr(heard, " used_elsewhere:900 advice:the account has used up"));
	assert_non_null(strstr(heard, " running_elsewhere:2 advice:the account had as many"));
	assert_non_null(strstr(heard, " running_elsewhere:3 advice:the account had as many"));
	assert_non_null(strstr(heard, "reason:target_denied rule:- error:- advice:"));
	ledger_retire_user(user);
	ledger_join_cluster(parts.ledger, NULL);
	cluster_free(parts.cluster);
	parts.cluster = NULL;
}

static void nothing_has_failed_is_said_of_whom(void **state)
{
	static const struct {
		const char *request, *reply;
	} rows[] = {
		{"WHY *\n", "OK No session has failed\n\n"},
		{"WHY alice\n", "OK No session of user alice has failed\n\n"},
		{"WHY Anonymous\n", "OK No session of user Anonymous has failed\n\n"},
		{"WHY 192.0.2.1\n", "OK No session of client 192.0.2.1 has failed\n\n"},
		{"WHY anonymous\n", "OK No session of user Anonymous has failed\n\n"},
		{"WHY 192.0.2.1/24\n",
			"ERR \"192.0.2.1/24\": bits are set behind the prefix; did you mean "
			"192.0.2.0/24?\n\n"},
		{"WATCH to=192.0.2.1/24\n",
			"ERR \"to=192.0.2.1/24\": behind to= comes a host, a domain with a dot in "
			"front, an address or a network\n\n"},
		{"WATCH user=@room\n",
			"ERR \"user=@room\": behind user= comes the name of a user, or "
			"Anonymous\n\n"},
		{"WHY @none\n", "ERR There is no group @none\n\n"},
		{"WHY @room\n", "OK No session of group @room has failed\n\n"},
		{"WHY bob\n", "ERR There is no user bob, and no failure of one\n\n"},
		{"WHY\n", "ERR Usage: WHY <name>|<client>|@<group>|* [<count>]\n\n"},
		{"WHY * 0\n", "ERR \"0\": the count is a number from 1 on\n\n"},
		{"WHY * x\n", "ERR \"x\": the count is a number from 1 on\n\n"},
	};

	(void)state;
	know_room();
	enter_as_root();
	for (size_t i = 0; i < COUNT(rows); i++)
		ask(rows[i].request, rows[i].reply);
}

static void the_newest_come_first_with_advice(void **state)
{
	const char *heard_text;

	(void)state;
	fail_as("alice", "192.0.2.1", END_WRONG_PASSWORD);
	fail_as("", "192.0.2.2", END_NO_METHOD);
	enter_as_root();
	say("WHY *\n");
	heard_text = hear();
	assert_begins(heard_text,
		"OK The newest failures:\n"
		"time:1970-01-01T02:00:00 user:- client:192.0.2.2 command:CONNECT "
		"target:example.org:80 reason:no_method rule:- error:- advice:the program offered");
	assert_contains(heard_text, "\ntime:1970-01-01T02:00:00 user:alice client:192.0.2.1 ");
	assert_contains(heard_text, "SET_PASSWORD\n\n");
	say("WHY * 1\n");
	assert_null(strstr(hear(), "alice"));
}

/* Of everybody, of a user, of a client and of a network. */
static void whose_they_are_can_be_chosen(void **state)
{
	static const struct {
		const char *request;
		int lines;
	} rows[] = {{"WHY * 100\n", 4}, {"WHY *\n", 4}, {"WHY alice\n", 2}, {"WHY gone\n", 1},
		{"WHY 192.0.2.1\n", 2}, {"WHY 192.0.2.0/24\n", 3}, {"WHY 2001:db8::/32\n", 1},
		{"WHY @room\n", 2}, {"WHY @pupils\n", 1}};

	(void)state;
	fail_as("alice", "192.0.2.1", END_WRONG_PASSWORD);
	fail_as("", "192.0.2.1", END_NO_METHOD);
	fail_as("gone", "192.0.2.9", END_CONNECT_FAILED);
	fail_as("alice", "2001:db8::1", END_CONNECT_FAILED);
	know_room();
	add_pupil("gone");
	enter_as_root();
	for (size_t i = 0; i < COUNT(rows); i++) {
		int lines = 0;

		say(rows[i].request);
		for (const char *at = hear(); (at = strstr(at, "\ntime:")) != NULL; at++)
			lines++;
		if (lines != rows[i].lines)
			fail_msg("%s: %d", rows[i].request, lines);
	}
}

static void all_that_are_kept_are_told_in_pieces(void **state)
{
	int lines = 0;

	(void)state;
	for (int i = 0; i < 200; i++) /* of which the desk keeps 100 */
		fail_as("alice", "192.0.2.1", END_NAME_FAILED);
	enter_as_root();
	say("WHY alice 5000\n");
	for (const char *at = hear(); (at = strstr(at, "\ntime:")) != NULL; at++)
		lines++;
	assert_int_equal(lines, 100);
}

static void an_errno_is_told_by_its_name(void **state)
{
	struct event e = event_from("192.0.2.1", EVENT_END);

	(void)state;
	e.error = ECONNREFUSED;
	e.rule = "otherwise";
	events_add(parts.failures, &e);
	enter_as_root();
	say("WHY *\n");
	assert_contains(hear(), " rule:otherwise error:ECONNREFUSED advice:");
}

/* ---- WATCH ---- */

static void happen(const struct event *e)
{
	watching_tell(&parts.watching, e);
	console_step(&c, 0); /* as the loop does when the bell has rung */
}

static void events_are_told_as_they_happen(void **state)
{
	struct event e = event_from("192.0.2.1", EVENT_BEGIN);

	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	e.command = e.target = NULL;
	happen(&e);
	expect("event:begin time:1970-01-01T02:00:00 id:7 client:192.0.2.1:1000\n");
	e = event_from("192.0.2.1", EVENT_REQUEST);
	set_event_user(&e, "a b");
	happen(&e);
	expect("event:request time:1970-01-01T02:00:00 id:7 client:192.0.2.1:1000 user:a\\x20b "
	       "command:CONNECT target:example.org:80\n");
	e = event_from("192.0.2.1", EVENT_REFUSED);
	happen(&e);
	expect("event:refused time:1970-01-01T02:00:00 id:7 client:192.0.2.1:1000 user:- "
	       "command:CONNECT target:example.org:80 reason:connect_refused rule:- error:-\n");
	e = event_from("192.0.2.1", EVENT_END);
	e.reason = END_CLOSED;
	e.sent = 1;
	e.received = 2;
	e.total_ms = 3;
	happen(&e);
	expect("event:end time:1970-01-01T02:00:00 id:7 client:192.0.2.1:1000 user:- "
	       "command:CONNECT target:example.org:80 reason:closed rule:- error:- address:- "
	       "sent:1 received:2 ms:3\n");
}

static void a_line_ends_it_and_is_not_executed(void **state)
{
	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	assert_true(watching_is_on(&parts.watching));
	ask("VERSION\n", "\n");
	assert_false(watching_is_on(&parts.watching));
	ask("USERS\n", "OK No active users\n\n");
	ask("WATCH\n", BEGUN);
	ask("\nUSERS\n", "\nOK No active users\n\n");
	ask("WATCH\n", BEGUN);
	ask("\n", "\n");
	/* It may be there before anything was told. */
	ask("WATCH\nUSERS\nUSERS\n", BEGUN "\nOK No active users\n\n");
	ask("WATCH\n", BEGUN);
	ask("half", "");
	ask(" a line\n", "\n");
}

static void a_line_that_is_too_long_ends_it_too(void **state)
{
	char line[3 * MONITOR_LINE_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	enter_as_root();
	ask("WATCH\n", BEGUN);
	ask(line, "\n");
	ask("USERS\n", "OK No active users\n\n");
}

static void whoever_leaves_watches_no_more(void **state)
{
	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	hang_up();
	serve();
	assert_gone();
	assert_false(watching_is_on(&parts.watching));
}

static void the_idle_timeout_does_not_run_meanwhile(void **state)
{
	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	wait_ms(10 * (int64_t)TIMEOUT);
	assert_open();
	ask("\n", "\n");
	wait_ms(TIMEOUT);
	expect("ERR Idle for too long\n\n");
}

static void who_does_not_read_is_told_how_many_it_lost(void **state)
{
	struct event e = event_from("192.0.2.1", EVENT_BEGIN);
	const char *lost;

	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	for (int i = 0; i < 3 * WATCHING_MOST; i++)
		happen(&e);
	lost = strstr(hear(), "event:lost count:");
	assert_non_null(lost);
	assert_true(atoi(lost + strlen("event:lost count:")) > 0);
	ask("\n", "\n");
}

/* However much happens: the end is heard before all of it went out. */
static void a_line_is_heard_in_a_flood(void **state)
{
	struct event e = event_from("192.0.2.1", EVENT_BEGIN);

	(void)state;
	enter_as_root();
	ask("WATCH\n", BEGUN);
	for (int i = 0; i < WATCHING_MOST; i++)
		happen(&e);
	assert_int_equal(console_events(&c), POLLIN | POLLOUT);
	say("\n");
	console_step(&c, POLLIN);
	assert_false(watching_is_on(&parts.watching));
	assert_true(strlen(hear()) > 2);
	assert_string_equal(heard + strlen(heard) - 2, "\n\n");
}

static void who_may_watch_no_more_is_sent_away(void **state)
{
	struct event e = event_from("192.0.2.1", EVENT_BEGIN);
	char error[USERS_ERROR_MAX];

	(void)state;
	parts_add_user("boss", USER_ROLE_ADMIN);
	log_in();
	ask("WATCH\n", BEGUN);
	assert_int_equal(users_set_role(parts.users, "root", USER_ROLE_USER, error), 0);
	happen(&e);
	expect("");
	assert_gone();
	assert_false(watching_is_on(&parts.watching));
}

static void filters_choose_what_is_told(void **state)
{
	/* Of the four below, by the last digit of their clients. */
	static const struct {
		const char *request, *told;
	} rows[] = {
		{"WATCH\n", "1234"},
		{"WATCH user=alice\n", "12"},
		{"WATCH client=192.0.2.3\n", "3"},
		{"WATCH client=192.0.2.0/24\n", "1234"},
		{"WATCH to=example.org\n", "1"},
		{"WATCH to=Example.ORG.\n", "1"},
		{"WATCH to=.example.org\n", "12"},
		{"WATCH to=example\n", ""},
		{"WATCH to=2001:db8::1\n", "3"},
		{"WATCH to=10.0.0.0/8\n", "24"},
		{"WATCH user=alice to=10.0.0.0/8\n", "2"},
		{"WATCH user=alice client=192.0.2.2 to=.org\n", "2"},
	};
	static const char *const targets[] = {
		"example.org:80", "www.EXAMPLE.org:443", "[2001:db8::1]:80", "10.0.0.1:22"};

	(void)state;
	enter_as_root();
	for (size_t i = 0; i < COUNT(rows); i++) {
		char told[8] = "", client_text[16];
		size_t len = 0;

		ask(rows[i].request, BEGUN);
		for (int n = 0; n < 4; n++) {
			struct event e;

			snprintf(client_text, sizeof(client_text), "192.0.2.%d", n + 1);
			e = event_from(client_text, EVENT_REQUEST);
			e.target = targets[n];
			set_event_user(&e, n < 2 ? "alice" : "bob");
			if (n == 1)
				e.address = parts_addr("10.9.9.9", 443);
			happen(&e);
		}
		for (const char *at = hear(); (at = strstr(at, "client:192.0.2.")) != NULL; at++)
			told[len++] = at[strlen("client:192.0.2.")];
		assert_string_equal(told, rows[i].told);
		ask("\n", "\n");
	}
}

static void what_cannot_be_filtered_by_is_refused(void **state)
{
	static const struct {
		const char *request, *reply;
	} rows[] = {
		{"WATCH alice\n",
			"ERR \"alice\": what can be asked for is user=, client= and to=\n\n"},
		{"WATCH user=\n",
			"ERR \"user=\": behind user= comes the name of a user, or Anonymous\n\n"},
		{"WATCH client=tv\n",
			"ERR \"client=tv\": behind client= comes an address or a network\n\n"},
		{"WATCH to=\n",
			"ERR \"to=\": behind to= comes a host, a domain with a dot in "
			"front, an address or a network\n\n"},
	};

	(void)state;
	enter_as_root();
	for (size_t i = 0; i < COUNT(rows); i++)
		ask(rows[i].request, rows[i].reply);
	assert_false(watching_is_on(&parts.watching));
}

#define insight_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		insight_test(what_other_nodes_used_or_run_is_named_where_it_was_the_reason),
		insight_test(nothing_has_failed_is_said_of_whom),
		insight_test(the_newest_come_first_with_advice),
		insight_test(whose_they_are_can_be_chosen),
		insight_test(all_that_are_kept_are_told_in_pieces),
		insight_test(an_errno_is_told_by_its_name),
		insight_test(events_are_told_as_they_happen),
		insight_test(a_line_ends_it_and_is_not_executed),
		insight_test(a_line_that_is_too_long_ends_it_too),
		insight_test(whoever_leaves_watches_no_more),
		insight_test(the_idle_timeout_does_not_run_meanwhile),
		insight_test(who_does_not_read_is_told_how_many_it_lost),
		insight_test(a_line_is_heard_in_a_flood),
		insight_test(who_may_watch_no_more_is_sent_away),
		insight_test(filters_choose_what_is_told),
		insight_test(what_cannot_be_filtered_by_is_refused),
	};

	return cmocka_run_group_tests_name("monitor/insight_commands", tests, NULL, NULL);
}
