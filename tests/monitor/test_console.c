/* console: logging in, lines and how they may be cut, errands, and who may what, word for word. */
#include "desk.h"

/* ---- login ---- */

static void a_login_is_checked_in_the_hasher_s_thread(void **state)
{
	(void)state;
	open_console();
	expect(PROMPT);
	assert_int_equal(console_events(&c), POLLIN);
	say("root:secret\nUSERS\n");
	assert_true(serve_connection());
	assert_int_equal(console_events(&c), 0);
	assert_int_equal(c.deadline, CLOCK_NEVER);
	assert_true(work(&hasher));
	assert_int_equal(read_more(0), 0);
	assert_false(work(&changer));
	assert_true(work(&back));
	expect("OK Welcome root\nOK No active users\n\n");
	assert_int_equal(count_logged("msg=\"monitor login\" client=192.0.2.7:51514 user=root"), 1);
}

static void a_login_that_comes_each_second_is_logged_once(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		log_in();
		console_close(&c);
		parts_now += 1000;
	}
	assert_int_equal(count_logged("msg=\"monitor login\""), 1);
}

static void who_is_known_waits_for_no_hash(void **state)
{
	(void)state;
	log_in();
	console_close(&c);
	open_console();
	say("root:secret\n");
	assert_true(serve_connection());
	assert_false(c.order.is_away);
	assert_true(is_wiped(c.order.request.memory, sizeof(c.order.request.memory)));
	expect(PROMPT "OK Welcome root\n");
}

static void who_is_no_administrator_is_refused_in_the_same_words(void **state)
{
	static const char *const lines[] = {
		"root:wrong\n", "alice:secret\n", "nobody:secret\n", "root:\n", "root:secret \n"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		open_console();
		ask(lines[i], PROMPT "ERR Invalid credentials\n");
		assert_leaves();
		parts_now += HOLDOFF_LONGEST_MS;
	}
	assert_int_equal(login_counts_refused(&parts.stats.logins, LOGIN_AT_MONITOR), COUNT(lines));
	assert_int_equal(count_logged("msg=\"monitor login refused\""), COUNT(lines));
	assert_int_equal(count_logged("secret"), 0);
	assert_int_equal(count_logged("wrong"), 0);
}

static void what_is_no_login_is_refused_unchecked(void **state)
{
	static const char *const lines[] = {"\n", "root\n", ":secret\n", "USERS\n", "a\tb:c\n",
		"root:sec\x7fret\n", "root:secret\r\r\n"};
	char line[USERS_NAME_MAX + 8];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		open_console();
		ask(lines[i], PROMPT "ERR Invalid format. Use username:password\n");
		assert_leaves();
	}
	memset(line, 'x', USERS_NAME_MAX + 1);
	strcpy(line + USERS_NAME_MAX + 1, ":p\n");
	open_console();
	ask(line, PROMPT "ERR Invalid format. Use username:password\n");
	assert_leaves();
	assert_int_equal(login_counts_refused(&parts.stats.logins, LOGIN_AT_MONITOR), 0);
}

static void the_longest_name_and_passwords_with_colons_are_taken(void **state)
{
	char name[USERS_NAME_MAX + 1] = {0}, line[600], reply[600];

	(void)state;
	memset(name, 'x', USERS_NAME_MAX);
	parts_add_user(name, USER_ROLE_ADMIN);
	snprintf(line, sizeof(line), "%s:secret\n", name);
	snprintf(reply, sizeof(reply), PROMPT "OK Welcome %s\n", name);
	open_console();
	ask(line, reply);
	ask("ADD_USER carl a:b:c admin\n", "OK User carl" ADDED);
	console_close(&c);
	open_console();
	ask("carl:a:b:c\r\n", PROMPT "OK Welcome carl\n");
}

/* Known users are let in, others are checked once in a while. */
static void an_address_that_fails_too_often_is_held_off(void **state)
{
	(void)state;
	log_in();
	console_close(&c);
	for (int i = 0; i < HOLDOFF_FREE_TRIES; i++) {
		open_console();
		ask("root:wrong\n", PROMPT "ERR Invalid credentials\n");
		console_close(&c);
	}
	open_console();
	ask("root:wrong\n", PROMPT "ERR Too many failed logins\n");
	assert_leaves();
	log_in();
	console_close(&c);
	open_console();
	parts_now += HOLDOFF_FIRST_MS;
	ask("root:wrong\n", PROMPT "ERR Invalid credentials\n");
	assert_leaves();
}

/* Many refusals are one line a second; those of who is held off are none. */
static void refusals_do_not_fill_the_log(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		open_console();
		say("root:wrong\n");
		hear();
		console_close(&c);
	}
	assert_int_equal(count_logged("msg=\"monitor login refused\""), 1);
	assert_int_equal(login_counts_refused(&parts.stats.logins, LOGIN_AT_MONITOR), 10);
	parts_now += HOLDOFF_FIRST_MS;
	open_console();
	say("root:wrong\n");
	hear();
	assert_int_equal(count_logged("failures=4 others_since_last_line=2"), 1);
}

static void when_hashing_has_stopped_nobody_is_let_in(void **state)
{
	(void)state;
	hashing_stop(parts.hashing);
	open_console();
	ask("root:secret\n", PROMPT "ERR Invalid credentials\n");
	assert_leaves();
}

/* ---- lines ---- */

static void all_of_one_segment_is_answered_in_its_order(void **state)
{
	(void)state;
	open_console();
	ask(SCRIPT, ANSWERS);
	assert_string_equal(changed, "timeout = 15");
	assert_leaves();
}

static void lines_may_be_split_anywhere(void **state)
{
	static const char script[] = SCRIPT;
	char start[sizeof(script)];

	for (size_t i = 1; i < strlen(script); i++) {
		begin_anew(state);
		memcpy(start, script, i);
		start[i] = '\0';
		say(start);
		serve();
		say(script + i);
		expect(ANSWERS);
		assert_leaves();
	}
}

static void lines_may_come_byte_by_byte(void **state)
{
	static const char script[] = SCRIPT;

	(void)state;
	open_console();
	for (size_t i = 0; i < strlen(script); i++) {
		assert_int_equal(write(client, script + i, 1), 1);
		serve();
	}
	expect(ANSWERS);
	assert_leaves();
}

/* The client has sent all and ended its side before the first line is read. */
static void a_client_that_has_finished_sending_gets_all_answers(void **state)
{
	(void)state;
	open_console();
	say("root:secret\nUSERS\nADD_USER bob secret\nUSERS\nUSE");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect(PROMPT "OK Welcome root\nOK No active users\n\nOK User bob" ADDED
		      "OK No active users\n\n");
	assert_true(ended);
	assert_gone();
}

/* A line of `len` bytes and one behind it, in pieces. */
static void say_long(size_t len, size_t piece)
{
	static char text[8192];
	size_t n;

	memset(text, 'X', len);
	strcpy(text + len, "\nUSERS\n");
	for (const char *p = text; *p != '\0'; p += n) {
		n = strnlen(p, piece);
		assert_int_equal(write(client, p, n), n);
		serve();
	}
}

static void behind_a_line_that_is_too_long_the_next_is_taken(void **state)
{
	static const size_t lens[] = {1024, 1025, 1026, 2046, 2047, 2048, 2049, 5000};
	static const size_t pieces[] = {1, 7, 1023, 1024, 1025, 8192};

	(void)state;
	log_in();
	for (size_t i = 0; i < COUNT(lens); i++) {
		for (size_t j = 0; j < COUNT(pieces); j++) {
			say_long(lens[i], pieces[j]);
			expect("ERR Line too long\n\nOK No active users\n\n");
		}
	}
}

static void the_longest_line_is_not_too_long(void **state)
{
	(void)state;
	log_in();
	say_long(MONITOR_LINE_MAX - 1, 100);
	assert_begins(hear(), "ERR Unknown command: XXX");
	assert_int_equal(strlen(heard),
		strlen("ERR Unknown command: \n\nOK No active users\n\n") + MONITOR_LINE_MAX - 1);
}

static void a_login_may_follow_a_line_that_is_too_long(void **state)
{
	char line[2000];

	(void)state;
	memset(line, ':', sizeof(line));
	strcpy(line + sizeof(line) - 20, "\nroot:secret\n");
	open_console();
	ask(line, PROMPT "ERR Line too long\nOK Welcome root\n");
}

static void a_console_takes_nothing_over_from_the_connection_before(void **state)
{
	char line[MONITOR_LINE_MAX + 1] = {0};

	(void)state;
	log_in();
	memset(line, 'x', MONITOR_LINE_MAX);
	ask(line, "ERR Line too long\n\n");
	assert_true(c.is_skipping);
	console_close(&c);
	log_in();
	ask("USERS\n", "OK No active users\n\n");
}

/* ---- errands ---- */

static void each_thread_does_its_part_of_an_errand(void **state)
{
	(void)state;
	log_in();
	say("ADD_USER bob secret\nUSERS\n");
	serve_connection();
	assert_false(work(&changer));
	assert_true(work(&hasher));
	assert_int_equal(hashed, 1);
	assert_false(is_user("bob"));
	assert_true(work(&changer));
	assert_true(is_user("bob"));
	assert_int_equal(read_more(0), 0);
	assert_true(work(&back));
	assert_true(is_wiped(c.order.request.memory, sizeof(c.order.request.memory)));
	expect("OK User bob" ADDED "OK No active users\n\n");
}

#define ANOTHER_HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrX"

/* Root has another password than the one that is to be set, and the console has logged in with it.
 */
static void begin_with_another_password(void)
{
	char error[USERS_ERROR_MAX];

	assert_int_equal(users_set_password(parts.users, "root", ANOTHER_HASH, error), 0);
	c.order.password_mark = users_password_mark(parts.users, "root");
}

/* Another console, of which nothing is known but this, is still connected when the console has set
 * root's password. */
static bool survives_new_password(
	const char *user, enum console_phase phase, bool is_away, const char *line)
{
	struct console other = {.desk = &desk, .phase = phase, .order = {.is_away = is_away}};
	char told[64];
	int ends[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	other.fd = ends[0];
	strcpy(other.user, user);
	other.order.user = other.user;
	other.order.request.services = &parts;
	begin_with_another_password();
	other.order.password_mark = users_password_mark(parts.users, user);
	desk.consoles = &other;
	desk.count = 1;
	ask("SET_PASSWORD root secret\n", "OK Password of root changed" KEPT);
	desk.count = 0;
	n = read(ends[1], told, sizeof(told) - 1);
	told[n < 0 ? 0 : n] = '\0';
	assert_string_equal(told, line);
	close(ends[1]);
	if (other.fd >= 0)
		close(ends[0]);
	return other.fd >= 0;
}

static void a_new_password_ends_the_other_consoles_of_its_user(void **state)
{
	static const char changed_to[] = "ERR The password was changed\n";
	static const char changed_behind[] = "ERR The password was changed\n\n";

	(void)state;
	log_in();
	assert_false(survives_new_password("root", CONSOLE_COMMANDS, false, changed_behind));
	/* What it does is another thread's, and refused by that one. */
	assert_true(survives_new_password("root", CONSOLE_COMMANDS, true, ""));
	/* Its old password was right a moment ago, perhaps. */
	assert_false(survives_new_password("root", CONSOLE_LOGIN, true, changed_to));
	assert_true(survives_new_password("root", CONSOLE_LOGIN, false, "")); /* of one before */
	assert_true(survives_new_password("boss", CONSOLE_COMMANDS, false, ""));
	assert_true(survives_new_password("roo", CONSOLE_COMMANDS, false, ""));
	assert_open();
}

/* However that came, and whatever was under way meanwhile. */
static void who_has_the_old_password_is_refused_what_it_asks_for(void **state)
{
	char error[USERS_ERROR_MAX];

	(void)state;
	log_in();
	say("ADD_USER bob secret\n");
	serve_connection();
	assert_int_equal(users_set_password(parts.users, "root", ANOTHER_HASH, error), 0);
	expect("ERR The password was changed\n");
	assert_false(is_user("bob"));
	assert_leaves();
}

static void what_needs_no_hash_does_not_pass_the_hasher(void **state)
{
	static const char *const requests[][2] = {{"RELOAD\n", "OK nothing changed\n\n"},
		{"LOG_LEVEL debug\n", "OK log_level set to debug\n\n"},
		{"DEL_USER alice\n", "OK User alice deleted, 0 sessions ended" KEPT}};

	(void)state;
	log_in();
	for (size_t i = 0; i < COUNT(requests); i++) {
		say(requests[i][0]);
		serve_connection();
		assert_int_equal(hasher.calls, 0);
		assert_int_equal(changer.calls, 1);
		expect(requests[i][1]);
	}
}

static void a_change_that_fails_says_why(void **state)
{
	(void)state;
	log_in();
	change_problem = "conf:3: why";
	ask("RELOAD\n", "ERR conf:3: why\n\n");
	ask("CONFIG timeout soon\n", "ERR conf:3: why\n\n");
	hash_fault = ENOMEM;
	ask("ADD_USER bob secret\n",
		"ERR The password cannot be hashed: Cannot allocate memory\n\n");
	assert_false(is_user("bob"));
	hashing_stop(parts.hashing);
	ask("SET_PASSWORD alice other\n",
		"ERR The password cannot be hashed: Device or resource busy\n\n");
}

static void what_cannot_be_is_refused_before_anything_is_hashed(void **state)
{
	static const char *const requests[][2] = {
		{"ADD_USER * x\n",
			"ERR anonymous, known, * and - stand for others, not for a user\n\n"},
		{"ADD_USER Anonymous x\n",
			"ERR anonymous, known, * and - stand for others, not for a user\n\n"},
		{"ADD_USER bob x boss\n",
			"ERR \"boss\": the role is admin or helper, or left out\n\n"}};

	(void)state;
	log_in();
	for (size_t i = 0; i < COUNT(requests); i++)
		ask(requests[i][0], requests[i][1]);
	assert_int_equal(hashed, 0);
}

/* The slot stays taken until the errand is back, and what it is about is done. */
static void a_connection_may_end_at_any_step_of_an_errand(void **state)
{
	struct queue *const steps[] = {&hasher, &changer, &back};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		log_in();
		say("ADD_USER bob secret\n");
		serve_connection();
		for (size_t j = 0; j < i; j++)
			assert_true(work(steps[j]));
		console_close(&c);
		assert_int_equal(fcntl(served, F_GETFD), -1);
		assert_int_not_equal(c.phase, CONSOLE_FREE);
		assert_int_equal(console_events(&c), 0);
		console_step(&c, POLLIN);
		wait_ms(2 * TIMEOUT);
		for (size_t j = i; j < COUNT(steps); j++) {
			assert_int_not_equal(c.phase, CONSOLE_FREE);
			assert_true(work(steps[j]));
		}
		assert_gone();
		assert_true(is_user("bob"));
		remove_user("bob");
	}
}

static void a_connection_may_end_while_its_login_is_checked(void **state)
{
	(void)state;
	open_console();
	say("root:wrong\n");
	serve_connection();
	console_close(&c);
	assert_int_not_equal(c.phase, CONSOLE_FREE);
	serve();
	assert_gone();
	assert_int_equal(count_logged("monitor login"), 0);
	log_in();
}

static void a_client_that_leaves_during_an_errand_is_missed_behind_it(void **state)
{
	(void)state;
	log_in();
	say("ADD_USER bob secret\nADD_USER carl secret\n");
	serve_connection();
	hang_up();
	serve();
	assert_gone();
	assert_true(is_user("bob"));
	assert_false(is_user("carl"));
}

static void a_client_that_only_ends_its_side_hears_of_its_errand(void **state)
{
	(void)state;
	log_in();
	say("ADD_USER bob secret\n");
	serve_connection();
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect("OK User bob" ADDED);
	assert_true(ended);
	assert_gone();
}

/* ---- who may what ---- */

static void who_is_an_administrator_no_more_may_only_leave(void **state)
{
	(void)state;
	log_in();
	parts_add_user("boss", USER_ROLE_ADMIN);
	remove_user("root");
	ask("USERS\n", "ERR root may not do that any more\n\n");
	ask("ADD_USER bob secret\n", "ERR root may not do that any more\n\n");
	assert_int_equal(hashed, 0);
	say("HELP\n");
	assert_begins(hear(), "OK\nSTATS - ");
	ask("QUIT\n", "OK Goodbye\n");
}

static void who_may_is_asked_again_when_the_hash_is_there(void **state)
{
	(void)state;
	log_in();
	parts_add_user("boss", USER_ROLE_ADMIN);
	say("ADD_USER bob secret\n");
	serve_connection();
	assert_true(work(&hasher));
	remove_user("root");
	expect("ERR root may not do that any more\n\n");
	assert_false(is_user("bob"));
}

static void no_password_stays_in_memory(void **state)
{
	static const char *const requests[] = {"SET_PASSWORD alice pass\n",
		"ADD_USER bob pass admin more\n", "ADD_USER alice pass\n", "ADD_USER * pass\n"};

	(void)state;
	log_in();
	for (size_t i = 0; i < COUNT(requests); i++) {
		say(requests[i]);
		hear();
		assert_true(is_wiped(c.in, sizeof(c.in)));
		assert_true(is_wiped(c.order.request.memory, sizeof(c.order.request.memory)));
		assert_true(is_wiped(c.order.request.hash, sizeof(c.order.request.hash)));
	}
}

static void what_changes_something_is_logged_without_passwords(void **state)
{
	(void)state;
	log_in();
	say("ADD_USER bob pass1\nADD_USER bob pass2\nSET_PASSWORD bob pass3 4\nKILL 9\n"
	    "CONFIG timeout 15\nCONFIG timeout\nUSERS\nRELOAD\n");
	hear();
	assert_int_equal(count_logged("msg=\"monitor command\""), 6);
	assert_int_equal(count_logged("user=root client=192.0.2.7:51514 command=ADD_USER "
				      "about=bob answer=OK\n"),
		1);
	assert_int_equal(count_logged("command=ADD_USER about=bob answer=ERR\n"), 1);
	assert_int_equal(count_logged("command=SET_PASSWORD about=bob answer=OK\n"), 1);
	assert_int_equal(count_logged("command=KILL about=9 answer=ERR\n"), 1);
	assert_int_equal(count_logged("command=CONFIG about=timeout answer=OK\n"), 1);
	assert_int_equal(count_logged("command=RELOAD answer=OK\n"), 1);
	assert_int_equal(count_logged("pass"), 0);
}

/* ---- the socket on the host itself ---- */

static void root_is_an_administrator_at_the_socket_without_a_login(void **state)
{
	struct peer peer = local_peer_of(0);

	(void)state;
	remove_user("alice");
	open_console_for(&peer);
	expect("OK Welcome root\n");
	ask("ADD_USER bob secret\n", "OK User bob" ADDED);
	ask("CONFIG timeout 15\n", "OK timeout set to 15\n\n");
	assert_true(is_user("bob"));
	assert_int_equal(count_logged("msg=\"monitor login\" client=uid:0 user=root@socket"), 1);
	assert_int_equal(count_logged("msg=\"monitor command\" user=root@socket client=uid:0 "
				      "command=ADD_USER about=bob answer=OK"),
		1);
	ask("QUIT\n", "OK Goodbye\n");
	assert_leaves();
}

/* A user may have the very name that stands for it in the log. */
static void no_new_password_ends_an_operator_s_console(void **state)
{
	struct console other = {.desk = &desk,
		.phase = CONSOLE_COMMANDS,
		.fd = -1,
		.order = {.is_operator = true},
		.user = "root@socket"};

	(void)state;
	other.order.user = other.user;
	other.order.request.services = &parts;
	parts_add_user("root@socket", USER_ROLE_USER);
	log_in();
	desk.consoles = &other;
	desk.count = 1;
	ask("SET_PASSWORD root@socket secret\n", "OK Password of root@socket changed" KEPT);
	desk.count = 0;
	assert_int_equal(other.phase, CONSOLE_COMMANDS);
}

/* What is asked together with the greeting is answered behind it. */
static void who_needs_no_login_may_speak_first(void **state)
{
	struct peer peer = local_peer_of(0);

	(void)state;
	open_console_for(&peer);
	ask("USERS\nroot:secret\n",
		"OK Welcome root\nOK No active users\n\nERR Unknown command: root:secret\n\n");
}

/* Whoever has gone from the users stays one. */
static void the_user_of_the_server_is_one_too_and_needs_no_entry(void **state)
{
	struct peer peer = local_peer_of(geteuid());
	bool is_root = geteuid() == 0;

	(void)state;
	open_console_for(&peer);
	expect(is_root ? "OK Welcome root\n" : "OK Welcome proxy\n");
	parts_add_user("boss", USER_ROLE_ADMIN);
	remove_user("root");
	ask("USERS\n", "OK No active users\n\n");
}

static void others_at_the_socket_log_in_and_count_for_loopback(void **state)
{
	struct addr loopback = parts_addr("127.9.9.9", 0);
	struct peer peer = local_peer_of(geteuid() + 1);

	(void)state;
	open_console_for(&peer);
	ask("root:secret\n", PROMPT "OK Welcome root\n");
	assert_int_equal(count_logged("client=uid:"), 1);
	for (unsigned i = 0; i < HOLDOFF_FREE_TRIES; i++) {
		open_console_for(&peer);
		ask("root:wrong\n", PROMPT "ERR Invalid credentials\n");
	}
	assert_true(holdoff_holds(parts.holdoff, &loopback, parts_now));
	open_console_for(&peer);
	ask("root:other\n", PROMPT "ERR Too many failed logins\n");
	peer = local_peer_of(0);
	open_console_for(&peer);
	expect("OK Welcome root\n");
}

/* In a namespace of users it is what everybody has whom that does not know. */
static void the_overflow_user_is_nobody(void **state)
{
	struct peer peer = local_peer_of(65534);

	(void)state;
	open_console_for(&peer);
	expect(PROMPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		console_test(a_login_is_checked_in_the_hasher_s_thread),
		console_test(a_login_that_comes_each_second_is_logged_once),
		console_test(who_is_known_waits_for_no_hash),
		console_test(who_is_no_administrator_is_refused_in_the_same_words),
		console_test(what_is_no_login_is_refused_unchecked),
		console_test(the_longest_name_and_passwords_with_colons_are_taken),
		console_test(an_address_that_fails_too_often_is_held_off),
		console_test(refusals_do_not_fill_the_log),
		console_test(when_hashing_has_stopped_nobody_is_let_in),
		console_test(all_of_one_segment_is_answered_in_its_order),
		console_test(lines_may_be_split_anywhere),
		console_test(lines_may_come_byte_by_byte),
		console_test(a_client_that_has_finished_sending_gets_all_answers),
		console_test(behind_a_line_that_is_too_long_the_next_is_taken),
		console_test(the_longest_line_is_not_too_long),
		console_test(a_login_may_follow_a_line_that_is_too_long),
		console_test(a_console_takes_nothing_over_from_the_connection_before),
		console_test(each_thread_does_its_part_of_an_errand),
		console_test(a_new_password_ends_the_other_consoles_of_its_user),
		console_test(who_has_the_old_password_is_refused_what_it_asks_for),
		console_test(what_needs_no_hash_does_not_pass_the_hasher),
		console_test(a_change_that_fails_says_why),
		console_test(what_cannot_be_is_refused_before_anything_is_hashed),
		console_test(a_connection_may_end_at_any_step_of_an_errand),
		console_test(a_connection_may_end_while_its_login_is_checked),
		console_test(a_client_that_leaves_during_an_errand_is_missed_behind_it),
		console_test(a_client_that_only_ends_its_side_hears_of_its_errand),
		console_test(who_is_an_administrator_no_more_may_only_leave),
		console_test(who_may_is_asked_again_when_the_hash_is_there),
		console_test(no_password_stays_in_memory),
		console_test(what_changes_something_is_logged_without_passwords),
		console_test(root_is_an_administrator_at_the_socket_without_a_login),
		console_test(no_new_password_ends_an_operator_s_console),
		console_test(who_needs_no_login_may_speak_first),
		console_test(the_user_of_the_server_is_one_too_and_needs_no_entry),
		console_test(others_at_the_socket_log_in_and_count_for_loopback),
		console_test(the_overflow_user_is_nobody),
	};

	return cmocka_run_group_tests_name("monitor/console", tests, NULL, NULL);
}
