/* history_commands: which days words mean, what is answered from the keeper's thread, and what is
 * said where it cannot write. The thread is the test's hand. */
#include "monitor/history_commands.h"

#include "base/day.h"
#include "desk.h"

static int commits_to_fail;

int __real_database_commit(struct database *d);
int __wrap_database_commit(struct database *d);

int __wrap_database_commit(struct database *d)
{
	return commits_to_fail-- > 0 ? database_fail(d, 13 /* SQLITE_FULL */)
				     : __real_database_commit(d);
}

/* ---- which days ---- */

static void words_name_days(void **state)
{
	static const struct {
		const char *from, *to;
		int32_t first, last; /* 0: `to` says what is wrong, NULL: `from` */
		const char *wrong;
	} rows[] = {
		{NULL, NULL, 20261101, 20261126, NULL},
		{"today", NULL, 20261126, 20261126, NULL},
		{"yesterday", NULL, 20261125, 20261125, NULL},
		{"week", NULL, 20261123, 20261126, NULL},
		{"month", NULL, 20261101, 20261126, NULL},
		{"2026-11-20", NULL, 20261120, 20261126, NULL},
		{"2026-12-01", NULL, 20261201, 20261201, NULL},
		{"2026-11-01", "2026-11-07", 20261101, 20261107, NULL},
		{"2026-11-20", "2026-11-20", 20261120, 20261120, NULL},
		{"week", "yesterday", 20261123, 20261125, NULL},
		{"yesterday", "today", 20261125, 20261126, NULL},
		{"2026-10-01", "month", 20261001, 20261126, NULL},
		{"tomorrow", NULL, 0, 0, "tomorrow"},
		{"", NULL, 0, 0, ""},
		{"Today", NULL, 0, 0, "Today"},
		{"2026-02-30", NULL, 0, 0, "2026-02-30"},
		{"today", "x", 0, 0, "x"},
		{"today", "yesterday", 0, 0, "yesterday"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct history_period period = {0, 0};
		const char *wrong = NULL;
		bool is_good =
			history_period_parse(rows[i].from, rows[i].to, 20261126, &period, &wrong);

		assert_int_equal(is_good, rows[i].wrong == NULL);
		if (is_good) {
			assert_int_equal(period.from, rows[i].first);
			assert_int_equal(period.to, rows[i].last);
		} else {
			assert_string_equal(wrong, rows[i].wrong);
		}
	}
}

/* ---- commands ---- */

static struct keeper *keeper;
static char status[64]; /* of the answers about this month */

static int make_keeper(void **state)
{
	char error[DATABASE_ERROR_MAX], from[DAY_TEXT_MAX], to[DAY_TEXT_MAX];
	int32_t today;

	commits_to_fail = 0;
	if (setup(state) != 0)
		return -1;
	keeper = keeper_open(".", &parts, error);
	if (keeper == NULL)
		return -1;
	ledger_set_heir(parts.ledger, history_inherit, parts.history);
	desk.keeper = keeper;
	today = day_of((int64_t)time(NULL));
	snprintf(status, sizeof(status), "OK %s to %s", day_format(day_month(today), from),
		day_format(today, to));
	log_in();
	return 0;
}

static int free_keeper(void **state)
{
	keeper_close(keeper);
	desk.keeper = NULL;
	return teardown(state);
}

/* The keeper's thread has its turn, then the others. */
static const char *answer_to(const char *request)
{
	say(request);
	serve();
	errands_run(keeper_errands(keeper));
	return hear();
}

static void assert_answer(const char *request, const char *expected)
{
	assert_string_equal(answer_to(request), expected);
}

/* Behind the line that says of which days. */
static void assert_lines(const char *request, const char *expected)
{
	const char *answer = answer_to(request);

	assert_memory_equal(answer, status, strlen(status));
	assert_string_equal(answer + strlen(status), expected);
}

static void use(const char *from, uint64_t sent, uint64_t known)
{
	struct addr a = parts_addr(from, 0);
	size_t running;
	struct ledger_entry *e = ledger_join_client(parts.ledger, &a, parts_now, &running);
	struct tally *tally = known > 0 ? ledger_join_known(e, parts_now) : NULL;

	atomic_fetch_add(&ledger_tally(e)->sent, sent);
	if (tally != NULL)
		atomic_fetch_add(&tally->sent, known);
	if (tally != NULL)
		ledger_leave_known(e, parts_now + 2500);
	ledger_leave(e, parts_now + 2500);
	parts_now += 2500;
}

static void usage_tells_of_both_sums_of_a_client(void **state)
{
	(void)state;
	use("192.0.2.1", 100, 60);
	use("192.0.2.2", 5, 0);
	assert_lines("USAGE\n",
		"\nclient:192.0.2.1 sessions:1 refused:0 sent:100 received:0 seconds:2 "
		"known_sessions:1 known_sent:60 known_received:0 known_seconds:2\n"
		"client:192.0.2.2 sessions:1 refused:0 sent:5 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n\n");
	assert_lines("USAGE 192.0.2.2\n",
		"\nclient:192.0.2.2 sessions:1 refused:0 sent:5 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n\n");
	assert_answer("USAGE nobody\n",
		"ERR There is no user nobody, and no history of one in that time\n\n");
	assert_answer(
		"USAGE today\n", "ERR There is no user today: legal is * today for everybody\n\n");
	assert_lines("USAGE 192.0.2.99\n", "\n\n");
}

static void days_tell_the_same_by_day(void **state)
{
	char today[DAY_TEXT_MAX], line[256];

	(void)state;
	use("192.0.2.1", 100, 60);
	use("192.0.2.2", 5, 0);
	day_format(day_of((int64_t)time(NULL)), today);
	snprintf(line, sizeof(line),
		"\nday:%s sessions:2 refused:0 sent:105 received:0 seconds:5\n\n", today);
	assert_lines("DAYS\n", line);
	assert_lines("DAYS *\n", line);
	snprintf(line, sizeof(line),
		"\nday:%s sessions:1 refused:0 sent:5 received:0 seconds:2\n\n", today);
	assert_lines("DAYS 192.0.2.2\n", line);
	assert_lines("DAYS 192.0.2.3\n", "\n\n");
}

static void set_groups(const char *value)
{
	struct config *old = config_get(parts.config), *new = config_clone(old);
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find("client_group"), &new->settings,
		&(struct setting_input){.text = value}, why));
	config_publish(parts.config, new);
	config_release(old);
}

static void a_group_is_its_members(void **state)
{
	(void)state;
	set_groups("@room12 192.0.2.0/30, 10.0.0.1");
	use("192.0.2.1", 100, 0);
	use("192.0.2.9", 50, 0);
	use("10.0.0.1", 5, 0);
	assert_lines("USAGE @room12\n",
		"\nclient:192.0.2.1 sessions:1 refused:0 sent:100 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n"
		"client:10.0.0.1 sessions:1 refused:0 sent:5 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n\n");
	assert_answer("USAGE @room13\n", "ERR There is no group @room13\n\n");
	assert_answer("FORGET @room13\n", "ERR There is no group @room13\n\n");
	assert_answer("FORGET @room12\n", "OK History of @room12 forgotten\n\n");
	assert_lines("USAGE\n",
		"\nclient:192.0.2.9 sessions:1 refused:0 sent:50 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n\n");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_answer("USAGE * tomorrow\n",
		"ERR \"tomorrow\": legal is today, yesterday, week, month, or a date such as "
		"2026-01-31, the later one behind the earlier\n\n");
	assert_answer("SITES\n", "ERR Sites are not kept: sites_days is 0\n\n");
	assert_answer("FORGET alice\n", "ERR There is no history of alice\n\n");
	assert_answer("USAGE a b c d\n",
		"ERR Usage: USAGE [<name>|<client>|@<group>|* [today|yesterday|week|month|<date> "
		"[<date>]]]\n\n");
}

static void without_a_folder_nothing_is_kept(void **state)
{
	static const char *const requests[] = {"USAGE\n", "DAYS\n", "SITES\n", "FORGET alice\n"};

	(void)state;
	desk.keeper = NULL;
	log_in();
	for (size_t i = 0; i < COUNT(requests); i++) {
		say(requests[i]);
		expect("ERR There is no history: state_dir is not set\n\n");
	}
}

static void a_long_answer_comes_in_pieces(void **state)
{
	const char *answer;
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char from[32];

		snprintf(from, sizeof(from), "10.0.%d.%d", i / 250, i % 250);
		use(from, 1, 0);
	}
	answer = answer_to("USAGE\n");
	for (const char *at = answer; (at = strstr(at, "\nclient:10.0.")) != NULL; at++)
		lines++;
	assert_int_equal(lines, 1000);
	assert_string_equal(answer + strlen(answer) - 2, "\n\n");
}

static void who_is_forgotten_is_gone(void **state)
{
	(void)state;
	use("192.0.2.1", 100, 0);
	assert_answer("FORGET 192.0.2.0/24\n", "OK History of 192.0.2.0/24 forgotten\n\n");
	assert_lines("USAGE\n", "\n\n");
	assert_int_equal(count_logged("command=FORGET about=192.0.2.0/24 answer=OK"), 1);
	use("192.0.2.1", 100, 0);
	commits_to_fail = 1;
	assert_answer("FORGET *\n", "ERR Nothing can be written: database or disk is full\n\n");
}

static void a_full_disk_is_said_with_what_is_there(void **state)
{
	(void)state;
	use("192.0.2.1", 100, 0);
	commits_to_fail = 1;
	assert_lines("USAGE\n", ", without what cannot be written now\n\n");
	assert_lines("USAGE\n",
		"\nclient:192.0.2.1 sessions:1 refused:0 sent:100 received:0 seconds:2 "
		"known_sessions:0 known_sent:0 known_received:0 known_seconds:0\n\n");
}

/* The keeper has its turn behind the main thread, and OK comes behind both. */
static void what_is_kept_is_on_the_disk_before_it_is_answered(void **state)
{

	(void)state;
	say("DEL_USER alice\n");
	serve();
	assert_false(users_get(parts.users, "alice", &(struct user_info){.role = 0}));
	assert_int_equal(read_more(0), 0);
	assert_int_equal(count_logged("command=DEL_USER"), 0);
	errands_run(keeper_errands(keeper));
	expect("OK User alice deleted, 0 sessions ended (until the server ends: users_file is not "
	       "set)\n\n");
	assert_int_equal(count_logged("command=DEL_USER about=alice answer=OK"), 1);
}

static void what_is_not_is_said_not_to_last(void **state)
{
	(void)state;
	commits_to_fail = 1;
	assert_answer("DEL_USER alice\n",
		"ERR Done, but it may not outlast a restart: state_dir cannot be written: "
		"database or disk is full\n\n");
	assert_int_equal(count_logged("command=DEL_USER about=alice answer=ERR"), 1);
	assert_answer("DEL_USER nobody\n", "ERR nobody does not exist\n\n");
}

#define keeper_test(f) cmocka_unit_test_setup_teardown(f, make_keeper, free_keeper)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_name_days),
		keeper_test(usage_tells_of_both_sums_of_a_client),
		keeper_test(days_tell_the_same_by_day),
		keeper_test(a_group_is_its_members),
		keeper_test(what_is_wrong_is_said),
		keeper_test(without_a_folder_nothing_is_kept),
		keeper_test(a_long_answer_comes_in_pieces),
		keeper_test(who_is_forgotten_is_gone),
		keeper_test(a_full_disk_is_said_with_what_is_there),
		keeper_test(what_is_kept_is_on_the_disk_before_it_is_answered),
		keeper_test(what_is_not_is_said_not_to_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
