/* view: pages with the answers of commands in them, for whoever reads without scripts. */
#include "browser.h"

#include "base/escape.h"

static void each_page_has_its_data_in_it(void **state)
{
	static const char *const rows[][2] = {
		{"/", "<caption>Sessions</caption>"},
		{"/", "<caption>Traffic of the last minutes"},
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

static void begin_long_listing(const char *path)
{
	char request[256], target[ACCESS_TARGET_MAX];

	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	add_entries(1000, target);
	log_in_as("root");
	open_from("192.0.2.7");
	snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: [::1]\r\nCookie: socks5d=%s\r\n\r\n", path, cookie);
	say(request);
	assert_true(serve_connection());
	assert_int_equal(c.phase, WEB_GATHERING);
}

/* In between the other clients have their turns. */
static void a_long_reply_is_gathered_in_several_turns(void **state)
{
	static const char *const paths[] = {"/api/access_log", "/log"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		begin_long_listing(paths[i]);
		assert_true(connection_is_busy(&c));
		assert_int_equal(connection_events(&c), 0);
		assert_false(connection_is_idle(&c));
		assert_status(hear(), 200);
		assert_contains(heard, "alice");
		assert_null(c.gathering.text.text);
	}
}

static void who_leaves_while_it_is_gathered_leaves_nothing(void **state)
{
	(void)state;
	begin_long_listing("/log");
	hang_up();
	assert_int_equal(c.phase, WEB_FREE);
	assert_null(c.view);
	assert_null(c.gathering.text.out);
}

/* What anybody can have put into the tables of an administrator. */
#define HOSTILE "<img/src=x>\"'&=1,;\\"

static void add_hostile_data(void)
{
	struct addr from = parts_addr("192.0.2.9", 1);
	struct event e = {.kind = EVENT_END,
		.id = 1,
		.client = from,
		.user = HOSTILE,
		.user_len = strlen(HOSTILE),
		.command = "CONNECT",
		.target = HOSTILE ":80",
		.reason = END_TARGET_DENIED,
		.rule = "1"};
	char target[128];

	escape_word(HOSTILE, strlen(HOSTILE), target, sizeof(target));
	parts_begin_session(1);
	parts_set_user(1, HOSTILE);
	events_add(parts.failures, &e);
	add_entries(1, target);
	parts_add_user("<img>'&=1;\\", USER_ROLE_USER);
}

static void nothing_that_is_shown_is_markup(void **state)
{
	static const char *const lines[] = {"GET /", "GET /sessions", "GET /users", "GET /rules",
		"GET /log", "GET /settings", "GET /own",
		"GET /rules?from=%3Cimg%3E&to=%22%3E%3Cimg",
		"GET /log?who=%3Cimg%3E&day=%22%3E%3Cimg", "GET /settings?word=%22%3E%3Cimg",
		"GET /log?%22%3E%3Cimg=%3Cimg&who=x", "GET /log?<img>=1"};

	(void)state;
	add_hostile_data();
	log_in_as("root");
	for (size_t i = 0; i < COUNT(lines); i++) {
		unsigned status = status_of(ask_logged_in(lines[i], "", ""));

		if (status != 200 && status != 400)
			fail_msg("%s: %s", lines[i], heard);
		if (strstr(heard, "<img") != NULL)
			fail_msg("%s: %s", lines[i], heard);
	}
	assert_status(ask_logged_in("GET /sessions", "", ""), 200);
	assert_contains(heard, "&lt;img/src=x&gt;&quot;&#39;&amp;=1,;\\");
}

/* The same as JSON and as values for a spreadsheet. */
static void nothing_that_is_listed_breaks_its_form(void **state)
{
	(void)state;
	add_hostile_data();
	log_in_as("root");
	assert_status(ask_logged_in("GET /api/connections", "", ""), 200);
	assert_contains(heard, "\"user\":\"<img/src=x>\\\"'&=1,;\\\\\"");
	assert_status(ask_logged_in("GET /api/connections.csv", "", ""), 200);
	assert_contains(heard, ",\"<img/src=x>\"\"'&=1,;\\\",");
	assert_status(ask_logged_in("GET /api/access_log.csv", "", ""), 200);
	assert_contains(heard, ",alice,\"<img/src=x>\"\"'&=1,;\\\",SUCCESS,,");
	assert_status(ask_logged_in("GET /api/why.csv?arg=*", "", ""), 200);
	assert_contains(heard, "\"<img/src=x>\"\"'&=1,;\\\"");
	assert_status(ask_logged_in("GET /api/accounts.csv", "", ""), 200);
	assert_contains(heard, "\r\n<img>'&=1;\\,user,");
}

/* A page says what it takes, and takes nothing else. */
static void each_path_takes_its_methods_only(void **state)
{
	static const struct {
		const char *path, *allowed;
		unsigned statuses[6]; /* of the methods below */
	} rows[] = {
		{"/", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/sessions", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/users", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/rules", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/log", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/settings", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/own", "GET, HEAD, POST", {200, 200, 400, 405, 405, 405}},
		{"/app.js", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/facts.js", "GET, HEAD", {200, 200, 405, 405, 405, 405}},
		{"/api/watch", "GET, HEAD, POST", {200, 200, 405, 405, 405, 405}},
		{"/api/stats.csv", "GET, HEAD, POST", {200, 200, 405, 405, 405, 405}},
	};
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
	char line[64];

	(void)state;
	log_in_as("root");
	for (size_t i = 0; i < COUNT(rows) * COUNT(methods); i++) {
		size_t path = i / COUNT(methods), method = i % COUNT(methods);

		snprintf(line, sizeof(line), "%s %s", methods[method], rows[path].path);
		if (status_of(ask_logged_in(line, OWN, "")) != rows[path].statuses[method])
			fail_msg("%s: %s", line, heard);
		if (method == 1)
			assert_string_equal(body_of(heard), "");
		if (method > 2)
			assert_contains(heard, rows[path].allowed);
	}
	watch_end(&desk);
}

/* What is in them is of now; files may be kept, and are asked after. */
static void pages_with_data_are_kept_by_nobody(void **state)
{
	static const char *const paths[] = {
		"/", "/rules", "/own", "/api/stats", "/api/stats.csv", "/login", "/nothing"};
	char line[64];

	(void)state;
	log_in_as("root");
	for (size_t i = 0; i < COUNT(paths); i++) {
		snprintf(line, sizeof(line), "GET %s", paths[i]);
		assert_contains(ask_logged_in(line, "Accept-Encoding: gzip\r\n", ""),
			"Cache-Control: no-store\r\n");
		assert_null(strstr(heard, "Content-Encoding"));
	}
	assert_contains(
		ask_logged_in("GET /app.js", "", ""), "Cache-Control: private, no-cache\r\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_page_has_its_data_in_it),
		TEST(a_form_s_fields_come_back_in_the_page),
		TEST(a_command_that_refuses_says_so_in_its_place),
		TEST(a_long_table_is_shown_a_part_at_a_time),
		TEST(a_long_reply_is_gathered_in_several_turns),
		TEST(who_leaves_while_it_is_gathered_leaves_nothing),
		TEST(nothing_that_is_shown_is_markup),
		TEST(nothing_that_is_listed_breaks_its_form),
		TEST(each_path_takes_its_methods_only),
		TEST(pages_with_data_are_kept_by_nobody),
		TEST(whoever_is_logged_out_meanwhile_sees_nothing),
		TEST(who_leaves_meanwhile_leaves_nothing),
	};

	return cmocka_run_group_tests_name("web/view", tests, NULL, NULL);
}
