/* request: words as one line, and passwords that are not among them yet. */
#include "client/request.h"

#include <stdlib.h>
#include <string.h>

#include "../base/check.h"

static void only_a_dash_in_the_password_s_place_wants_one(void **state)
{
	static const char *const wanting[] = {"ADD_USER carol -", "add_user carol - admin",
		"SET_PASSWORD carol -", " ADD_USER  carol  - ", "Set_Password carol   -"},
				 *const others[] = {"ADD_USER carol", "ADD_USER - secret",
					 "ADD_USER carol -- admin", "ADD_USER carol secret -",
					 "SET_PASSWORD carol - -", "SET_PASSWORD carol -x",
					 "SET_PASSWORD -", "DEL_USER carol -", "CONFIG timeout -",
					 "", "ADD_USER"};

	(void)state;
	for (size_t i = 0; i < COUNT(wanting); i++) {
		if (!request_wants_password(wanting[i]))
			fail_msg("\"%s\" wants none", wanting[i]);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		if (request_wants_password(others[i]))
			fail_msg("\"%s\" wants one", others[i]);
	}
}

static void the_password_takes_the_place_of_the_dash(void **state)
{
	static const char *const rows[][3] = {
		{"ADD_USER carol -", "secret", "ADD_USER carol secret"},
		{"ADD_USER a-b - admin", "s", "ADD_USER a-b s admin"},
		{"SET_PASSWORD carol -", "two words ", "SET_PASSWORD carol two words "},
		{"SET_PASSWORD - -", "-", "SET_PASSWORD - -"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *filled = request_with_password(rows[i][0], rows[i][1]);

		assert_null(request_password_problem(rows[i][0], rows[i][1]));
		assert_non_null(filled);
		assert_string_equal(filled, rows[i][2]);
		free(filled);
	}
}

/* "secret admin" must not make an administrator. */
static void what_the_server_would_take_for_something_else_is_refused(void **state)
{
	(void)state;
	assert_string_equal(
		request_password_problem("ADD_USER carol -", ""), "the password is empty");
	assert_non_null(request_password_problem("ADD_USER carol -", "secret admin"));
	assert_non_null(request_password_problem("add_user carol -", "secret "));
	assert_non_null(request_password_problem("SET_PASSWORD carol -", " secret"));
	assert_non_null(request_password_problem("SET_PASSWORD carol -", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_dash_in_the_password_s_place_wants_one),
		cmocka_unit_test(the_password_takes_the_place_of_the_dash),
		cmocka_unit_test(what_the_server_would_take_for_something_else_is_refused),
	};

	return cmocka_run_group_tests_name("client/request", tests, NULL, NULL);
}
