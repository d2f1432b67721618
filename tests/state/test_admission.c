/* admission: who must log in, and who may come. */
#include "state/admission.h"

#include "../base/check.h"

static struct addr addr_of(const char *text)
{
	struct addr a;
	bool has_port;

	if (!addr_parse_port(text, strlen(text), &a, &has_port))
		fail_msg("\"%s\" is no address", text);
	return a;
}

/* A configuration with one setting that is not the default. */
static struct config *config_with(const char *name, const char *value)
{
	struct config_override override = {.setting = settings_find(name), .value = value};
	struct config_source source = {.count = 1, .overrides = &override};
	char error[CONFIG_ERROR_MAX];
	struct config *c = config_read(&source, error);

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

/* ---- login ---- */

static void login_is_required_as_auth_says(void **state)
{
	static const struct {
		const char *auth;
		bool required, required_with_users;
	} rows[] = {{"auto", false, true}, {"required", true, true}, {"optional", false, false},
		{"none", false, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_with("auth", rows[i].auth);

		if (admission_login_required(c) != rows[i].required)
			fail_msg("auth %s without users", rows[i].auth);
		admission_decide_auto(c, true);
		if (admission_login_required(c) != rows[i].required_with_users)
			fail_msg("auth %s with users", rows[i].auth);
		admission_decide_auto(c, false);
		assert_true(admission_login_required(c) == rows[i].required);
		config_release(c);
	}
}

static void logins_mean_what_auth_says(void **state)
{
	static const struct {
		const char *auth;
		size_t users;
		bool wanted, possible, checked, forgiven;
	} rows[] = {{"auto", 0, false, false, true, true}, {"auto", 1, true, false, true, true},
		{"required", 0, true, false, true, false}, {"optional", 0, true, false, true, true},
		{"optional", 1, true, false, true, true}, {"none", 0, false, true, false, false},
		{"none", 1, false, true, false, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_with("auth", rows[i].auth);

		if (admission_login_wanted(c, rows[i].users) != rows[i].wanted ||
			admission_login_possible(c) != rows[i].possible ||
			admission_login_checked(c) != rows[i].checked ||
			admission_wrong_login_forgiven(c) != rows[i].forgiven)
			fail_msg("auth %s with %zu users", rows[i].auth, rows[i].users);
		config_release(c);
	}
}

static void a_login_that_auto_requires_has_to_be_right(void **state)
{
	struct config *c = config_with("auth", "auto");

	(void)state;
	admission_decide_auto(c, true);
	assert_true(admission_login_wanted(c, 0));
	assert_false(admission_wrong_login_forgiven(c));
	config_release(c);
}

/* Whatever is in it: emptied by accident it opened the proxy at the next start. */
static void a_file_of_users_that_is_named_requires_a_login(void **state)
{
	struct config *c = config_with("users_file", "/nonexistent/users");

	(void)state;
	admission_decide_auto(c, false);
	assert_true(admission_login_required(c));
	config_release(c);
}

static void a_copy_is_decided_alike(void **state)
{
	struct config *c = config_with("users_file", "users"), *copy;

	(void)state;
	admission_decide_auto(c, false);
	copy = config_clone(c);
	assert_non_null(copy);
	assert_true(admission_login_required(copy));
	config_release(copy);
	config_release(c);
}

/* ---- clients ---- */

static void clients_are_served_as_the_rule_says(void **state)
{
	static const struct {
		const char *rule, *client;
		bool without_login, with_login;
	} rows[] = {
		{"auto", "127.0.0.1", true, true},
		{"auto", "192.168.1.7", true, true},
		{"auto", "fd00::7", true, true},
		{"auto", "198.51.100.7", false, true},
		{"auto", "2001:db8::7", false, true},
		{"any", "198.51.100.7", true, true},
		{"any", "::1", true, true},
		{"private", "10.1.2.3", true, true},
		{"private", "fe80::7", true, true},
		{"private", "198.51.100.7", false, false},
		{"private", "2001:db8::7", false, false},
		{"198.51.100.0/24", "198.51.100.7", true, true},
		{"198.51.100.0/24", "198.51.101.7", false, false},
		{"198.51.100.0/24", "127.0.0.1", false, false},
		{"198.51.100.7, 2001:db8::/32", "2001:db8:1::7", true, true},
		{"198.51.100.7, 2001:db8::/32", "198.51.100.7", true, true},
		{"198.51.100.7, 2001:db8::/32", "198.51.100.8", false, false},
		{"private, 198.51.100.0/24", "198.51.100.7", true, true},
		{"private, 198.51.100.0/24", "10.0.0.1", true, true},
		{"private, 198.51.100.0/24", "203.0.113.7", false, false},
		{"auto, 198.51.100.0/24", "198.51.100.7", true, true},
		{"auto, 198.51.100.0/24", "203.0.113.7", false, true},
		{"0.0.0.0/0", "203.0.113.7", true, true},
		{"0.0.0.0/0", "2001:db8::7", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_with("clients", rows[i].rule);
		struct addr client = addr_of(rows[i].client);

		if (admission_client_allowed(c, false, &client) != rows[i].without_login ||
			admission_client_allowed(c, true, &client) != rows[i].with_login)
			fail_msg("clients %s: %s", rows[i].rule, rows[i].client);
		config_release(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_is_required_as_auth_says),
		cmocka_unit_test(logins_mean_what_auth_says),
		cmocka_unit_test(a_login_that_auto_requires_has_to_be_right),
		cmocka_unit_test(a_file_of_users_that_is_named_requires_a_login),
		cmocka_unit_test(a_copy_is_decided_alike),
		cmocka_unit_test(clients_are_served_as_the_rule_says),
	};

	return cmocka_run_group_tests_name("state/admission", tests, NULL, NULL);
}
