/* login: who gets in at the web's front, what keeps him there, and what ends that. */
#include "browser.h"

static bool is_logged_in(void)
{
	return status_of(ask_logged_in("GET /api/session", "", "")) == 200;
}

static void a_login_gives_a_cookie_that_no_script_sees(void **state)
{
	const char *answer;

	(void)state;
	answer = ask("POST /login", OWN, "name=root&password=secret");
	assert_status(answer, 303);
	assert_contains(answer, "Location: /\r\n");
	assert_contains(answer, "; Path=/; HttpOnly; SameSite=Strict\r\n");
	assert_null(strstr(answer, "Secure"));
	log_in_as("root");
	assert_int_equal(strlen(cookie), 64);
	assert_status(ask_logged_in("GET /", "", ""), 200);
	assert_int_equal(count_logged("msg=\"web login\" client=192.0.2.7:51514 user=root"), 1);
}

static void a_wrong_name_and_a_wrong_password_get_the_same(void **state)
{
	static const char *const forms[] = {
		"name=root&password=wrong", "name=nobody&password=secret", "name=root&password="};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *answer = ask("POST /login", OWN, forms[i]);

		assert_status(answer, 403);
		assert_contains(answer, "Name or password is wrong.");
		assert_null(strstr(answer, "Set-Cookie: socks5d="));
		parts_now += HOLDOFF_LONGEST_MS;
	}
}

static void forms_that_lack_something_are_refused(void **state)
{
	static const char *const forms[] = {"", "name=root", "password=secret",
		"name=&password=secret", "name=%00&password=secret", "name=root&password=%zz",
		"name=root&password=a%00b"};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++)
		assert_status(ask("POST /login", OWN, forms[i]), 400);
	assert_int_equal(holdoff_failures(parts.holdoff, &c.client.from), 0);
}

static void who_guesses_is_held_off(void **state)
{
	(void)state;
	for (int i = 0; i < HOLDOFF_FREE_TRIES + 1; i++)
		(void)ask("POST /login", OWN, "name=alice&password=wrong");
	assert_status(ask("POST /login", OWN, "name=alice&password=wrong"), 429);
	open_from("198.51.100.1");
	say("POST /login HTTP/1.1\r\nHost: [::1]\r\n" OWN "Content-Length: 26\r\n\r\n"
	    "name=alice&password=secret");
	assert_status(hear(), 303);
}

/* The page has a token that goes with a cookie, for browsers that do not say where a form is from.
 */
static void a_form_without_its_token_is_refused(void **state)
{
	char fields[256], form[256], visit[65], value[65];
	const char *answer = ask("GET /login", "", "");

	(void)state;
	take_digits(answer, "socks5d_visit=", visit);
	take_digits(answer, "name=\"token\" value=\"", value);
	snprintf(form, sizeof(form), "name=root&password=secret&token=%s", value);
	snprintf(fields, sizeof(fields), "Cookie: socks5d_visit=%s\r\n", visit);
	assert_status(ask("POST /login", "", form), 403);
	assert_status(ask("POST /login", fields, "name=root&password=secret"), 403);
	assert_status(
		ask("POST /login", "Sec-Fetch-Site: cross-site\r\n", "name=root&password=secret"),
		403);
	fields[strlen("Cookie: socks5d_visit=")] ^= 1;
	assert_status(ask("POST /login", fields, form), 403);
	fields[strlen("Cookie: socks5d_visit=")] ^= 1;
	assert_status(ask("POST /login", fields, form), 303);
}

static void a_login_ends_without_acts_of_the_person(void **state)
{
	(void)state;
	log_in_as("root");
	for (int i = 0; i < 3; i++) {
		parts_now += LOGINS_IDLE_MS - 1;
		assert_status(ask_logged_in("GET /", "", ""), 200);
	}
	parts_now += LOGINS_IDLE_MS / 2;
	assert_true(is_logged_in()); /* what a page refreshes by itself is none */
	parts_now += LOGINS_IDLE_MS / 2;
	assert_false(is_logged_in());
	assert_status(ask_logged_in("GET /", "", ""), 303);
}

static void a_page_can_say_that_a_person_acts(void **state)
{
	(void)state;
	log_in_as("root");
	parts_now += LOGINS_IDLE_MS - 1;
	assert_status(ask_logged_in("GET /api/users", "X-Act: 1\r\n", ""), 200);
	parts_now += LOGINS_IDLE_MS - 1;
	assert_true(is_logged_in());
}

static void no_login_outlasts_half_a_day(void **state)
{
	int64_t end;

	(void)state;
	log_in_as("root");
	end = parts_now + LOGINS_LONGEST_MS;
	for (parts_now += LOGINS_IDLE_MS / 2; parts_now < end; parts_now += LOGINS_IDLE_MS / 2)
		assert_status(ask_logged_in("GET /", "", ""), 200);
	assert_false(is_logged_in());
}

static void another_password_or_role_ends_it(void **state)
{
	char error[USERS_ERROR_MAX];

	(void)state;
	parts_add_user("boss", USER_ROLE_ADMIN);
	log_in_as("boss");
	assert_int_equal(users_set_role(parts.users, "boss", USER_ROLE_USER, error), 0);
	assert_false(is_logged_in());
	assert_int_equal(users_set_role(parts.users, "boss", USER_ROLE_ADMIN, error), 0);
	assert_false(is_logged_in());
	log_in_as("boss");
	assert_int_equal(users_remove(parts.users, "boss", error), 0);
	assert_false(is_logged_in());
}

/* Also when nothing was asked for in between, and all is as it was again. */
static void what_ends_a_login_ends_it_for_good(void **state)
{
	char error[USERS_ERROR_MAX];

	(void)state;
	parts_add_user("boss", USER_ROLE_ADMIN);
	assert_int_equal(users_follow(parts.users, parts.limits), 0);
	log_in_as("boss");
	assert_int_equal(users_set_role(parts.users, "boss", USER_ROLE_USER, error), 0);
	assert_int_equal(users_set_role(parts.users, "boss", USER_ROLE_ADMIN, error), 0);
	assert_false(is_logged_in());
	log_in_as("boss");
	assert_int_equal(users_set_attributes(parts.users, "boss", "disabled=yes", error), 0);
	assert_int_equal(users_set_attributes(parts.users, "boss", "", error), 0);
	assert_false(is_logged_in());
	log_in_as("boss");
	assert_int_equal(users_remove(parts.users, "boss", error), 0);
	parts_add_user("boss", USER_ROLE_ADMIN);
	assert_false(is_logged_in());
	log_in_as("boss");
	assert_int_equal(users_set_attributes(parts.users, "boss", "rate=1Mbit", error), 0);
	assert_true(is_logged_in());
}

/* Another password of root's, by bcrypt as well. */
#define OTHER_HASH "$2b$04$bbcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static void whoever_has_changed_his_own_password_goes_on(void **state)
{
	char body[256], error[USERS_ERROR_MAX];

	(void)state;
	log_in_as("root");
	assert_int_equal(users_set_password(parts.users, "root", OTHER_HASH, error), 0);
	assert_false(is_logged_in());
	assert_int_equal(users_set_password(parts.users, "root", MONITOR_HASH, error), 0);
	log_in_as("root");
	snprintf(body, sizeof(body), "arg=root&arg=secret&token=%s", token);
	assert_status(ask_logged_in("POST /api/set_password", "", body), 200);
	assert_true(is_logged_in());
}

static void a_logout_ends_it_and_needs_the_token(void **state)
{
	char form[128];
	const char *answer;

	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("POST /logout", "", ""), 403);
	assert_status(ask_logged_in("GET /logout", "", ""), 405);
	assert_true(is_logged_in());
	snprintf(form, sizeof(form), "token=%s", token);
	answer = ask_logged_in("POST /logout", "", form);
	assert_status(answer, 303);
	assert_contains(answer, "Set-Cookie: socks5d=; ");
	assert_contains(answer, "Max-Age=0");
	assert_false(is_logged_in());
}

/* Somebody else could have put his cookie there. */
static void each_login_has_another_cookie(void **state)
{
	(void)state;
	log_in_as("root");
	assert_status(ask_logged_in("POST /login", OWN, "name=root&password=secret"), 303);
	assert_null(strstr(heard, cookie));
	assert_false(is_logged_in()); /* by the old one */
}

static void more_logins_than_there_is_room_for_end_the_one_idle_for_longest(void **state)
{
	char first[LOGINS_ID_TEXT + 1];

	(void)state;
	log_in_as("root");
	strcpy(first, cookie);
	for (size_t i = 1; i < LOGINS_MOST; i++) {
		parts_now++;
		log_in_as("root");
	}
	strcpy(cookie, first);
	assert_true(is_logged_in());
	log_in_as("root");
	assert_true(is_logged_in());
	strcpy(cookie, first);
	assert_false(is_logged_in());
}

static void only_a_trusted_server_tells_who_comes_and_that_it_is_by_tls(void **state)
{
	static const char fields[] = OWN "X-Forwarded-For: 203.0.113.5, 198.51.100.9\r\n"
					 "X-Forwarded-Proto: https\r\n";
	struct config *config = config_get(parts.config);
	char why[SETTING_ERROR_MAX];

	(void)state;
	assert_null(strstr(ask("POST /login", fields, "name=root&password=secret"), "Secure"));
	assert_int_equal(count_logged("198.51.100.9"), 0);
	assert_true(setting_set(settings_find("web_trusted"), &config->settings,
		&(struct setting_input){.text = "192.0.2.0/24"}, why));
	config_release(config);
	parts_add_user("boss", USER_ROLE_ADMIN);
	assert_contains(ask("POST /login", fields, "name=boss&password=secret"), "; Secure");
	assert_int_equal(count_logged("client=198.51.100.9 user=boss"), 1);
}

static void memory_keeps_no_password(void **state)
{
	(void)state;
	(void)ask("POST /login", OWN, "name=root&password=secret");
	assert_null(memmem(&c, sizeof(c), "secret", 6));
	assert_null(c.in);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_gives_a_cookie_that_no_script_sees),
		TEST(a_wrong_name_and_a_wrong_password_get_the_same),
		TEST(forms_that_lack_something_are_refused),
		TEST(who_guesses_is_held_off),
		TEST(a_form_without_its_token_is_refused),
		TEST(a_login_ends_without_acts_of_the_person),
		TEST(a_page_can_say_that_a_person_acts),
		TEST(no_login_outlasts_half_a_day),
		TEST(another_password_or_role_ends_it),
		TEST(what_ends_a_login_ends_it_for_good),
		TEST(whoever_has_changed_his_own_password_goes_on),
		TEST(a_logout_ends_it_and_needs_the_token),
		TEST(each_login_has_another_cookie),
		TEST(more_logins_than_there_is_room_for_end_the_one_idle_for_longest),
		TEST(only_a_trusted_server_tells_who_comes_and_that_it_is_by_tls),
		TEST(memory_keeps_no_password),
	};

	return cmocka_run_group_tests_name("web/login", tests, NULL, NULL);
}
