/* shell: the frame of the pages, who gets which, and that nothing in them runs what is not ours. */
#include "browser.h"

#include <stdlib.h>
#include <time.h>

#include "base/version.h"
#include "web/shell.h"

static void a_page_says_whose_server_it_is_and_who_looks(void **state)
{
	char host[SHELL_HOST_MAX], title[128];
	const char *answer;

	(void)state;
	log_in_as("root");
	answer = ask_logged_in("GET /", "", "");
	assert_status(answer, 200);
	assert_contains(answer, "Content-Type: text/html; charset=utf-8\r\n");
	assert_contains(answer, "Cache-Control: no-store\r\n");
	snprintf(title, sizeof(title), "<title>Now – %s – socks5d</title>", shell_host(host));
	assert_contains(answer, title);
	assert_contains(answer, "socks5d " SOCKS5D_VERSION);
	assert_contains(answer, "<span class=\"who\">root</span>");
	assert_contains(answer, token);
}

static void the_navigation_marks_the_page_that_is_shown(void **state)
{
	(void)state;
	log_in_as("root");
	assert_contains(ask_logged_in("GET /", "", ""),
		"<li><a href=\"/\" aria-current=\"page\">Now</a></li>");
}

/* Whose role is not admin has a page of his own only. */
static void others_than_administrators_are_led_to_their_own_page(void **state)
{
	const char *answer;

	(void)state;
	log_in_as("alice");
	answer = ask_logged_in("GET /", "", "");
	assert_status(answer, 303);
	assert_contains(answer, "Location: /own\r\n");
}

static void a_name_is_no_markup(void **state)
{
	const char *answer;

	(void)state;
	parts_add_user("<b>&'\"", USER_ROLE_ADMIN);
	answer = ask("POST /login", OWN, "name=%3Cb%3E%26%27%22&password=secret");
	assert_status(answer, 303);
	take_digits(answer, "Set-Cookie: socks5d=", cookie);
	answer = ask_logged_in("GET /", "", "");
	assert_contains(answer, "&lt;b&gt;&amp;&#39;&quot;");
	assert_null(strstr(answer, "<b>"));
}

/* What attributes begin with is ours, and there; what commands answer is another matter. */
static void follow(const char *page, const char *mark)
{
	for (const char *at = page; (at = strstr(at, mark)) != NULL; at++) {
		const char *path = at + strlen(mark);
		char line[128];

		if (*path == '#' || strncmp(path, "/api/", 5) == 0)
			continue;
		assert_int_equal(*path, '/');
		assert_int_not_equal(path[1], '/'); /* that would be another host */
		snprintf(line, sizeof(line), "GET %.*s", (int)strcspn(path, "\""), path);
		assert_status(ask_logged_in(line, "", ""), 200);
	}
}

/* The policy that goes with a page allows nothing else. */
static void what_a_page_loads_is_served_here(void **state)
{
	static const char *const paths[] = {
		"/", "/sessions", "/users", "/rules", "/log", "/settings", "/own"};
	static char page[1 << 18];

	(void)state;
	log_in_as("root");
	for (size_t i = 0; i < COUNT(paths); i++) {
		char line[32];

		snprintf(line, sizeof(line), "GET %s", paths[i]);
		snprintf(page, sizeof(page), "%s", ask_logged_in(line, "", ""));
		assert_status(page, 200);
		assert_null(strstr(page, " style="));
		assert_null(strstr(page, "<script>"));
		follow(page, " src=\"");
		follow(page, " href=\"");
	}
}

/* In the frame, so that they are seen without scripts, and by administrators only. */
static void what_is_wrong_stands_on_every_page(void **state)
{
	(void)state;
	places_init(&parts.places, 2);
	log_in_as("root");
	assert_null(strstr(ask_logged_in("GET /rules", "", ""), "class=\"is-error\""));
	places_take(&parts.places);
	places_take(&parts.places);
	assert_contains(ask_logged_in("GET /rules", "", ""),
		"data-watched><p class=\"is-error\">All of the 2 workers have a client: ");
	log_in_as("alice");
	assert_null(strstr(ask_logged_in("GET /own", "", ""), "workers"));
	parts.places = (struct places){.total = 0};
}

/* Here with the days on which the clocks of central Europe were changed. */
static void a_page_tells_how_far_from_utc_its_times_are(void **state)
{
	const char *answer;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	log_in_as("root");
	answer = ask_logged_in("GET /", "", "");
	assert_contains(
		answer, "<meta name=\"zone\" content=\"7200 1743296400:3600 1729990800:7200\">");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_says_whose_server_it_is_and_who_looks),
		TEST(the_navigation_marks_the_page_that_is_shown),
		TEST(others_than_administrators_are_led_to_their_own_page),
		TEST(a_name_is_no_markup),
		TEST(what_a_page_loads_is_served_here),
		TEST(what_is_wrong_stands_on_every_page),
		TEST(a_page_tells_how_far_from_utc_its_times_are),
	};

	return cmocka_run_group_tests_name("web/shell", tests, NULL, NULL);
}
