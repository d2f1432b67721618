/* own: what whoever has not the role sees and does, and that it is no more than that. */
#include "browser.h"

/* Of another password, by bcrypt as well. */
#define OTHER_HASH "$2b$04$bbcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static const char *post(const char *old, const char *new, const char *again)
{
	char form[2048];

	snprintf(form, sizeof(form), "token=%s&old=%s&new=%s&again=%s", token, old, new, again);
	return ask_logged_in("POST /own", "", form);
}

static bool is_logged_in(void)
{
	return status_of(ask_logged_in("GET /api/session", "", "")) == 200;
}

static void a_login_leads_to_the_own_page(void **state)
{
	(void)state;
	assert_contains(
		ask("POST /login", OWN, "name=alice&password=secret"), "Location: /own\r\n");
	assert_contains(ask("POST /login", OWN, "name=root&password=secret"), "Location: /\r\n");
}

static void the_own_page_tells_of_nobody_else(void **state)
{
	(void)state;
	parts_begin_session(0);
	parts_begin_session(1);
	parts_set_user(1, "alice");
	log_in_as("alice");
	assert_status(ask_logged_in("GET /own", "", ""), 200);
	assert_contains(heard, "data-label=\"Id\">2</td>");
	assert_null(strstr(heard, "Anonymous"));
	assert_null(strstr(heard, "root"));
	assert_contains(heard, "<caption>Your limits</caption>");
	assert_contains(heard, "There is no history");
	assert_null(strstr(heard, "href=\"/settings\""));
	/* Whatever the query says. */
	assert_status(ask_logged_in("GET /own?days=today&who=root&user=root", "", ""), 200);
	assert_null(strstr(heard, "root"));
}

static void whoever_has_not_the_role_is_refused_everywhere_else(void **state)
{
	static const char *const pages[] = {"/sessions", "/users", "/rules", "/log", "/settings",
		"/page_now.js", "/page_rules.js", "/page_log.js", "/page_settings.js"};
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"};
	char line[64];

	(void)state;
	log_in_as("alice");
	for (size_t i = 0; i < COUNT(pages) * COUNT(methods); i++) {
		const char *method = methods[i % COUNT(methods)];
		unsigned status;

		snprintf(line, sizeof(line), "%s %s", method, pages[i / COUNT(methods)]);
		status = status_of(ask_logged_in(line, OWN, ""));
		if (status != (strstr("GET HEAD", method) != NULL ? 403 : 405) && status != 404)
			fail_msg("%s: %s", line, heard);
		assert_null(strstr(heard, "root"));
		assert_null(strstr(heard, "<table"));
	}
}

static void another_password_needs_the_old_one(void **state)
{
	(void)state;
	log_in_as("alice");
	assert_status(post("wrong", "new", "new"), 403);
	assert_contains(heard, "<p class=\"error\" role=\"alert\">The old password is wrong.</p>");
	assert_contains(heard, "<caption>Your limits</caption>");
	assert_int_equal(hashed, 0);
	assert_true(is_logged_in());
	assert_status(post("secret", "new", "new"), 200);
	assert_contains(heard, "<p class=\"done\" role=\"status\">Password of alice changed");
	assert_int_equal(hashed, 1);
	assert_true(is_logged_in());
	assert_int_equal(count_logged("msg=\"web command\" user=alice client=192.0.2.7:51514 "
				      "command=SET_PASSWORD about=alice answer=OK"),
		1);
}

static void the_other_logins_end_by_it(void **state)
{
	char first[LOGINS_ID_TEXT + 1];

	(void)state;
	made_hash = OTHER_HASH;
	log_in_as("alice");
	strcpy(first, cookie);
	log_in_as("alice");
	assert_status(post("secret", "new", "new"), 200);
	assert_true(is_logged_in());
	strcpy(cookie, first);
	assert_false(is_logged_in());
}

static void what_is_wrong_with_the_form_is_said(void **state)
{
	static const char *const rows[][4] = {
		{"secret", "", "", "The new password is missing."},
		{"secret", "a", "b", "The new password was not the same both times."},
		{"secret", "a", "ab", "The new password was not the same both times."},
		{"", "a", "a", "The old password is missing."},
		{"secret", "a%00b", "a%00b", "A password has at most 255 bytes."},
		{"secret", "a%0ab", "a%0ab", "A parameter must not"},
		{"secret", "%20a", "%20a", "A parameter must not"},
	};

	(void)state;
	log_in_as("alice");
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_status(post(rows[i][0], rows[i][1], rows[i][2]), 400);
		assert_contains(heard, rows[i][3]);
	}
	assert_int_equal(hashed, 0);
	assert_status(ask_logged_in("POST /own", OWN, ""), 400);
	assert_status(ask_logged_in("POST /own", "", "old=secret&new=a&again=a"), 403);
	assert_status(ask("POST /own", OWN, "old=secret&new=a&again=a"), 303);
	assert_int_equal(hashed, 0);
}

static void whoever_guesses_the_old_one_is_held_off(void **state)
{
	(void)state;
	log_in_as("alice");
	for (int i = 0; i < HOLDOFF_FREE_TRIES + 1; i++)
		(void)post("wrong", "new", "new");
	assert_status(post("wrong", "new", "new"), 429);
	assert_int_equal(hashed, 0);
}

/* An administrator's own page is no other one. */
static void an_administrator_has_one_too(void **state)
{
	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("GET /own", "", ""), 200);
	assert_status(post("wrong", "new", "new"), 403);
	assert_status(post("secret", "new", "new"), 200);
	assert_true(is_logged_in());
}

static void memory_keeps_none_of_the_passwords(void **state)
{
	(void)state;
	log_in_as("alice");
	(void)post("secret", "unheard-of", "unheard-of");
	assert_null(memmem(&c, sizeof(c), "secret", 6));
	assert_null(memmem(&c, sizeof(c), "unheard-of", 10));
	assert_null(c.in);
}

/* What was proven for one request is so for no other on the same connection. */
static void a_proof_is_good_for_one_request(void **state)
{
	char request[1024], form[256];

	(void)state;
	log_in_as("alice");
	snprintf(form, sizeof(form), "token=%s&old=secret&new=a&again=a", token);
	open_from("192.0.2.7");
	snprintf(request, sizeof(request),
		"POST /own HTTP/1.1\r\nHost: [::1]\r\nCookie: socks5d=%s\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		cookie, strlen(form), form);
	say(request);
	assert_status(hear(), 200);
	snprintf(form, sizeof(form), "token=%s&arg=alice&arg=b", token);
	snprintf(request, sizeof(request),
		"POST /api/set_password HTTP/1.1\r\nHost: [::1]\r\nCookie: socks5d=%s\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		cookie, strlen(form), form);
	say(request);
	assert_status(hear(), 403);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

static int begin(void **state)
{
	hashed = 0;
	made_hash = MONITOR_HASH;
	return setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_leads_to_the_own_page),
		TEST(the_own_page_tells_of_nobody_else),
		TEST(whoever_has_not_the_role_is_refused_everywhere_else),
		TEST(another_password_needs_the_old_one),
		TEST(the_other_logins_end_by_it),
		TEST(what_is_wrong_with_the_form_is_said),
		TEST(whoever_guesses_the_old_one_is_held_off),
		TEST(an_administrator_has_one_too),
		TEST(memory_keeps_none_of_the_passwords),
		TEST(a_proof_is_good_for_one_request),
	};

	return cmocka_run_group_tests_name("web/own", tests, NULL, NULL);
}
