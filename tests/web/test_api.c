/* api: the monitor's commands by HTTP: who may, by which method, and what is answered. */
#include "browser.h"

#define ROOT "Authorization: Basic cm9vdDpzZWNyZXQ=\r\n" /* root:secret */
#define ALICE "Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
#define WRONG "Authorization: Basic cm9vdDp3cm9uZw==\r\n"
#define JSON "Content-Type: application/json\r\n"

static void assert_answer(const char *answer, unsigned status, const char *body)
{
	if (status_of(answer) != status || strcmp(body_of(answer), body) != 0)
		fail_msg("%s", answer);
}

static void a_command_that_looks_is_got(void **state)
{
	(void)state;
	assert_answer(ask("GET /api/users", ROOT, ""), 200, "{\"status\":\"OK\",\"users\":[]}\n");
	assert_contains(heard, "Content-Type: application/json\r\n");
	assert_status(ask("GET /api/access_log?arg=alice&arg=3", ROOT, ""), 200);
	assert_status(ask("GET /api/config?arg=timeout", ROOT, ""), 200);
	assert_contains(body_of(heard), "\"timeout\":");
	assert_status(ask("HEAD /api/stats", ROOT, ""), 200);
}

static void bodies_have_the_shapes_of_json(void **state)
{
	static const char *const rows[][2] = {
		{"stats", "{\"status\":\"OK\",\"all_time_connections\":2"},
		{"connections",
			"{\"status\":\"OK\",\"current_connections\":0,"
			"\"max_concurrent_connections\":0,\"sessions\":[]}\n"},
		{"accounts", "{\"status\":\"OK\",\"accounts\":[{\"name\":\"alice\","},
		{"clients", "{\"status\":\"OK\",\"clients\":[]}\n"},
		{"bans", "{\"status\":\"OK\",\"bans\":[]}\n"},
		{"access_log", "{\"status\":\"OK\",\"entries\":[]}\n"},
		{"traffic", "{\"status\":\"OK\",\"traffic\":["},
		{"help", "{\"status\":\"OK\",\"message\":\"\",\"lines\":[\"STATS - "},
		{"settings", "{\"status\":\"OK\",\"settings\":[{\"name\":\"listen\","},
		{"version", "{\"status\":\"OK\",\"message\":\"socks5d "}};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(line, sizeof(line), "GET /api/%s", rows[i][0]);
		assert_status(ask(line, ROOT, ""), 200);
		assert_begins(body_of(heard), rows[i][1]);
	}
}

static void a_command_that_changes_is_posted(void **state)
{
	(void)state;
	assert_answer(ask("GET /api/add_user?arg=bob&arg=pw", ROOT, ""), 405,
		"{\"status\":\"ERR\",\"message\":\"That changes something: POST it\"}\n");
	assert_contains(heard, "Allow: POST\r\n");
	assert_false(users_have(parts.users, "bob", 3));
	assert_status(ask("POST /api/add_user", ROOT JSON, "[\"bob\",\"secret\"]"), 200);
	assert_true(users_have(parts.users, "bob", 3));
	assert_status(ask("POST /api/users", ROOT JSON, ""), 405);
	assert_contains(heard, "Allow: GET\r\n");
	assert_status(ask("POST /api/config", ROOT JSON, "[\"timeout\",\"7s\"]"), 200);
	assert_string_equal(changed, "timeout = 7s");
	assert_status(ask("GET /api/config?arg=timeout&arg=8s", ROOT, ""), 405);
	assert_string_equal(changed, "timeout = 7s");
	assert_int_equal(count_logged("msg=\"web command\" user=root client=192.0.2.7:51514 "
				      "command=ADD_USER about=bob answer=OK"),
		1);
}

/* Of a page elsewhere the browser would send the password along. */
static void with_a_password_only_json_is_posted(void **state)
{
	static const char *const types[] = {"", "Content-Type: text/plain\r\n",
		"Content-Type: application/x-www-form-urlencoded\r\n",
		"Content-Type: application/jsonp\r\n"};
	char fields[256];

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		snprintf(fields, sizeof(fields), "%s%s", ROOT, types[i]);
		assert_status(ask("POST /api/add_user", fields, "[\"bob\",\"secret\"]"), 415);
	}
	assert_false(users_have(parts.users, "bob", 3));
	assert_status(
		ask("POST /api/add_user", ROOT "Content-Type: application/json; charset=utf-8\r\n",
			"[\"bob\",\"secret\"]"),
		200);
}

static void with_a_cookie_the_token_is_needed(void **state)
{
	char fields[256], form[256];

	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("POST /api/set_role", "", "arg=alice&arg=user"), 403);
	assert_status(ask_logged_in("POST /api/set_role", "Sec-Fetch-Site: same-site\r\n",
			      "arg=alice&arg=user"),
		403);
	snprintf(form, sizeof(form), "arg=alice&arg=user&token=%s", token);
	assert_status(ask_logged_in("POST /api/set_role", "", form), 200);
	form[strlen(form) - 1] ^= 1;
	assert_status(ask_logged_in("POST /api/set_role", "", form), 403);
	snprintf(fields, sizeof(fields), JSON "X-Token: %s\r\n", token);
	assert_status(ask_logged_in("POST /api/set_role", fields, "[\"alice\",\"user\"]"), 200);
	assert_status(ask_logged_in("POST /api/set_role", OWN, "arg=alice&arg=user"), 200);
}

static void roles_are_those_of_the_monitor(void **state)
{
	char line[64];

	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands_table[i];
		unsigned wanted = command->role == USER_ROLE_ADMIN ? 403 : 200;

		if (command->least > 0 || command->is_for_consoles || command->logged_from == 1)
			continue;
		snprintf(line, sizeof(line), "GET /api/%s", command->word);
		for (char *p = line + strlen("GET /api/"); *p != '\0'; p++)
			*p = *p == '_' ? '_' : (char)(*p | 0x20);
		if (status_of(ask(line, ALICE, "")) != wanted)
			fail_msg("%s: %s", line, heard);
	}
	assert_status(ask("POST /api/add_user", ALICE JSON, "[\"bob\",\"secret\"]"), 403);
	assert_status(ask("POST /api/set_password", ALICE JSON, "[\"root\",\"x\"]"), 403);
}

/* About himself, where that changes nothing. */
static void whoever_has_not_the_role_may_ask_about_himself(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
	} rows[] = {{"GET /api/connections?arg=alice", 200}, {"GET /api/limits?arg=alice", 200},
		{"GET /api/connections", 403}, {"GET /api/connections?arg=root", 403},
		{"GET /api/connections?arg=0.0.0.0/0", 403},
		{"GET /api/connections?arg=Alice", 403}, {"GET /api/limits", 403},
		{"GET /api/limits?arg=root", 403}, {"GET /api/limits?arg=*", 403},
		{"GET /api/usage?arg=*", 403}, {"GET /api/usage?arg=@x", 403},
		{"GET /api/usage", 403}, {"GET /api/access_log?arg=alice", 403},
		{"GET /api/accounts?arg=alice", 400}, {"GET /api/watch?arg=user=alice", 403},
		{"GET /api/why?arg=alice", 403}, {"GET /api/connections.csv?arg=alice", 200},
		{"GET /api/connections.csv", 403}};

	(void)state;
	parts_begin_session(0);
	parts_begin_session(1);
	parts_set_user(1, "alice");
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (status_of(ask(rows[i].line, ALICE, "")) != rows[i].status)
			fail_msg("%s: %s", rows[i].line, heard);
		assert_null(strstr(body_of(heard), "Anonymous"));
	}
	assert_status(ask("POST /api/limits", ALICE JSON, "[\"alice\",\"sessions=none\"]"), 403);
	assert_status(ask("POST /api/set_password", ALICE JSON, "[\"alice\",\"x\"]"), 403);
	assert_status(ask("POST /api/del_user", ALICE JSON, "[\"alice\"]"), 403);
}

static void listings_are_there_for_spreadsheets(void **state)
{
	(void)state;
	parts_begin_session(0);
	assert_status(ask("GET /api/connections.csv", ROOT, ""), 200);
	assert_contains(heard, "Content-Type: text/csv; charset=utf-8; header=present\r\n");
	assert_contains(heard, "Content-Disposition: attachment; filename=\"connections.csv\"\r\n");
	assert_contains(heard, "Cache-Control: no-store\r\n");
	assert_begins(body_of(heard), "id,user,client,command,target,state,age,");
	assert_contains(body_of(heard), "\r\n1,Anonymous,192.0.2.1:1000,");
	assert_status(
		ask("GET /api/access_log.csv?arg=a%22%2F..%2Fb&arg=2025-07-15", ROOT, ""), 200);
	assert_contains(heard, "filename=\"access_log-a__.._b-2025-07-15.csv\"\r\n");
	assert_status(ask("GET /api/access_log.csv?arg=*&arg=x", ROOT, ""), 400);
	assert_contains(heard, "Content-Type: application/json\r\n");
}

static void who_is_nobody_is_asked_and_never_sent_elsewhere(void **state)
{
	(void)state;
	assert_answer(ask("GET /api/stats", "", ""), 401,
		"{\"status\":\"ERR\",\"message\":\"Log in first\"}\n");
	assert_contains(heard, "WWW-Authenticate: Basic realm=\"socks5d\"\r\n");
	/* A browser would ask for a password by itself. */
	assert_status(ask("GET /api/stats", "Cookie: socks5d=old\r\n", ""), 401);
	assert_contains(heard, "WWW-Authenticate: Session ");
	assert_answer(ask("GET /api/stats", WRONG, ""), 401,
		"{\"status\":\"ERR\",\"message\":\"Invalid credentials\"}\n");
	assert_status(ask("GET /api/stats", "Authorization: Bearer x\r\n", ""), 401);
	assert_status(ask("GET /api/stats", "Authorization: Basic !\r\n", ""), 401);
	for (int i = 0; i < HOLDOFF_FREE_TRIES + 1; i++)
		(void)ask("GET /api/stats", WRONG, "");
	assert_answer(ask("GET /api/stats", WRONG, ""), 429,
		"{\"status\":\"ERR\",\"message\":\"Too many failed logins\"}\n");
}

static void errors_are_those_of_the_monitor(void **state)
{
	static const struct {
		const char *line, *body, *message;
		unsigned status;
	} rows[] = {{"GET /api/nothing", "", "Unknown command: NOTHING", 404},
		{"GET /api/USERS", "", "Unknown command: ", 404},
		{"GET /api/users/x", "", "Unknown command: ", 404},
		{"GET /api/", "", "Unknown command: ", 404},
		{"POST /api/watch", "[]", "That only looks: GET it", 405},
		{"GET /api/watch?arg=x", "", "what can be asked for is user=", 400},
		{"GET /api/nothing.csv", "", "Unknown command: NOTHING", 404},
		{"GET /api/.csv", "", "Unknown command: ", 404},
		{"POST /api/kill.csv", "[\"999\"]", "There is no session 999", 400},
		{"GET /api/quit", "", "Only a connection to the monitor itself", 404},
		{"GET /api/users?arg=x", "", "Usage: USERS", 400},
		{"POST /api/kill", "[]", "Usage: KILL <id>", 400},
		{"POST /api/kill", "[\"999\"]", "", 400},
		{"POST /api/kill", "{\"id\":1}", "Parameters that cannot be read", 400},
		{"GET /api/access_log?arg=%00", "", "Parameters that cannot be read", 400},
		{"GET /api/access_log?arg=", "", "A parameter must not be empty", 400},
		{"GET /api/access_log?arg=a%0aSTATS", "", "A parameter must not be empty", 400},
		/* else it would be a third word */
		{"POST /api/add_user", "[\"bob\",\"pw admin\"]", "A parameter must not", 400}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask(rows[i].line, ROOT JSON, rows[i].body);

		if (status_of(answer) != rows[i].status)
			fail_msg("%s %s: %s", rows[i].line, rows[i].body, answer);
		assert_begins(body_of(answer), "{\"status\":\"ERR\",\"message\":\"");
		assert_contains(body_of(answer), rows[i].message);
	}
}

/* A password may have blanks where it is the rest of a line. */
static void the_last_parameter_may_have_blanks_where_a_line_s_may(void **state)
{
	(void)state;
	assert_status(ask("POST /api/set_password", ROOT JSON, "[\"alice\",\"a b  c\"]"), 200);
	assert_null(memmem(&c, sizeof(c), "a b  c", 6));
}

static void a_session_tells_who_it_is(void **state)
{
	char expected[256];

	(void)state;
	log_in_as("alice");
	snprintf(expected, sizeof(expected),
		"{\"user\":\"alice\",\"role\":\"user\",\"token\":\"%s\"}\n", token);
	assert_answer(ask_logged_in("GET /api/session", "", ""), 200, expected);
	assert_answer(ask_logged_in("GET /api/stats", "", ""), 403,
		"{\"status\":\"ERR\",\"message\":\"That is for administrators\"}\n");
}

static void long_listings_come_whole(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 400; i++)
		parts_begin_session(i);
	assert_status(ask("GET /api/connections", ROOT, ""), 200);
	for (const char *at = heard; (at = strstr(at, "{\"id\":")) != NULL; at++)
		n++;
	assert_int_equal(n, 400);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_that_looks_is_got),
		TEST(bodies_have_the_shapes_of_json),
		TEST(a_command_that_changes_is_posted),
		TEST(with_a_password_only_json_is_posted),
		TEST(with_a_cookie_the_token_is_needed),
		TEST(roles_are_those_of_the_monitor),
		TEST(whoever_has_not_the_role_may_ask_about_himself),
		TEST(listings_are_there_for_spreadsheets),
		TEST(who_is_nobody_is_asked_and_never_sent_elsewhere),
		TEST(errors_are_those_of_the_monitor),
		TEST(the_last_parameter_may_have_blanks_where_a_line_s_may),
		TEST(a_session_tells_who_it_is),
		TEST(long_listings_come_whole),
	};

	return cmocka_run_group_tests_name("web/api", tests, NULL, NULL);
}
