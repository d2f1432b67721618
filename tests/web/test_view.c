/* view: pages with the answers of commands in them, for whoever reads without scripts. */
#include "browser.h"

static void each_page_has_its_data_in_it(void **state)
{
	static const char *const rows[][2] = {
		{"/rules", "data-label=\"Rule\">otherwise</td>"},
		{"/rules", "No session has failed"},
		{"/log", "<caption>Access log, newest first</caption>"},
		{"/settings", "data-label=\"Name\">max_sessions</td>"},
		{"/own", "<caption>Your limits</caption>"},
	};
	char line[64];

	(void)state;
	parts_begin_session(1);
	log_in_as("root");
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(line, sizeof(line), "GET %s", rows[i][0]);
		assert_status(ask_logged_in(line, "", ""), 200);
		if (strstr(body_of(heard), rows[i][1]) == NULL)
			fail_msg("%s lacks %s: %s", line, rows[i][1], heard);
	}
}

static void a_form_s_fields_come_back_in_the_page(void **state)
{
	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("GET /rules?from=192.0.2.9&to=%22%3E%3Cb%3E:80", "", ""), 200);
	assert_contains(heard, "name=\"from\" value=\"192.0.2.9\"");
	assert_contains(heard, "name=\"to\" value=\"&quot;&gt;&lt;b&gt;:80\"");
	assert_null(strstr(heard, "<b>"));
}

static void a_command_that_refuses_says_so_in_its_place(void **state)
{
	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("GET /settings?word=%3Cnone", "", ""), 200);
	assert_contains(
		heard, "role=\"alert\">No setting has &quot;&lt;none&quot; in its name</p>");
	assert_status(ask_logged_in("GET /settings?word=a%20b", "", ""), 200);
	assert_contains(heard, "role=\"alert\">A parameter must not");
}

static void add_entries(size_t count, const char *target)
{
	struct addr from = parts_addr("192.0.2.9", 1);

	for (size_t i = 0; i < count; i++)
		access_log_add(parts.access_log,
			&(struct access_record){.user = "alice",
				.user_len = 5,
				.client = &from,
				.target = target,
				.failure = END_REASONS});
}

static void a_long_table_is_shown_a_part_at_a_time(void **state)
{
	(void)state;
	log_in_as("root");
	add_entries(200, "first:80");
	assert_null(strstr(ask_logged_in("GET /log", "", ""), "class=\"pages\""));
	add_entries(200, "second:80");
	assert_status(ask_logged_in("GET /log", "", ""), 200);
	assert_contains(heard,
		"<p class=\"pages\">1 to 200 of 400 "
		"<a href=\"/log?entries_from=200#entries\">next</a>");
	assert_contains(heard, "second:80");
	assert_null(strstr(heard, "first:80"));
	assert_status(ask_logged_in("GET /log?who=alice&entries_from=200", "", ""), 200);
	assert_contains(heard,
		"<p class=\"pages\">201 to 400 of 400 "
		"<a href=\"/log?who=alice&amp;entries_from=0#entries\">before");
	assert_contains(heard, "first:80");
	assert_null(c.view);
}

static void whoever_is_logged_out_meanwhile_sees_nothing(void **state)
{
	char fields[128];

	(void)state;
	log_in_as("root");
	open_from("192.0.2.7");
	snprintf(fields, sizeof(fields),
		"GET /settings HTTP/1.1\r\nHost: [::1]\r\nCookie: socks5d=%s\r\n\r\n", cookie);
	say(fields);
	assert_true(serve_connection());
	assert_int_equal(c.phase, WEB_AWAY);
	logins_end(c.request.session);
	assert_status(hear(), 303);
	assert_contains(heard, "Location: /login\r\n");
}

static void who_leaves_meanwhile_leaves_nothing(void **state)
{
	char fields[128];

	(void)state;
	log_in_as("root");
	open_from("192.0.2.7");
	snprintf(fields, sizeof(fields),
		"GET /settings HTTP/1.1\r\nHost: [::1]\r\nCookie: socks5d=%s\r\n\r\n", cookie);
	say(fields);
	assert_true(serve_connection());
	connection_close(&c);
	assert_non_null(c.view);
	serve();
	assert_int_equal(c.phase, WEB_FREE);
	assert_null(c.view);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_page_has_its_data_in_it),
		TEST(a_form_s_fields_come_back_in_the_page),
		TEST(a_command_that_refuses_says_so_in_its_place),
		TEST(a_long_table_is_shown_a_part_at_a_time),
		TEST(whoever_is_logged_out_meanwhile_sees_nothing),
		TEST(who_leaves_meanwhile_leaves_nothing),
	};

	return cmocka_run_group_tests_name("web/view", tests, NULL, NULL);
}
