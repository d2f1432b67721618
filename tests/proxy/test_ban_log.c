/* ban_log: the lines word for word, in both formats, since programs read them. */
#include "proxy/ban_log.h"

#include "../base/said.h"
#include "base/clock.h"

static struct addr at(const char *text)
{
	struct addr a;
	bool has_port;

	assert_true(addr_parse_port(text, strlen(text), &a, &has_port));
	return a;
}

static void log_login(const char *client, const char *user)
{
	struct addr from = at(client);

	ban_log_failed_login(&(const struct failed_login){.client = &from,
		.door = "socks5",
		.reason = *user != '\0' ? END_WRONG_PASSWORD : END_LOGIN_REFUSED,
		.user = user,
		.user_len = strlen(user)});
}

static void a_failed_login_is_told(void **state)
{
	static const struct {
		enum log_format format;
		const char *client, *user, *line;
	} rows[] = {
		{LOG_TEXT, "192.0.2.1:4711", "alice",
			" level=info msg=\"login failed\" client=192.0.2.1:4711 door=socks5 "
			"reason=wrong_password user=alice\n"},
		{LOG_TEXT, "[2001:db8::1]:4711", "",
			" level=info msg=\"login failed\" client=[2001:db8::1]:4711 door=socks5 "
			"reason=login_refused\n"},
		{LOG_JSON, "192.0.2.1:4711", "alice",
			"\"level\":\"info\",\"msg\":\"login failed\",\"client\":\"192.0.2.1:4711\","
			"\"door\":\"socks5\",\"reason\":\"wrong_password\",\"user\":\"alice\"}\n"},
		{LOG_JSON, "[2001:db8::1]:4711", "",
			"\"level\":\"info\",\"msg\":\"login failed\","
			"\"client\":\"[2001:db8::1]:4711\",\"door\":\"socks5\","
			"\"reason\":\"login_refused\"}\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		log_set_format(rows[i].format);
		said_begin();
		log_login(rows[i].client, rows[i].user);
		said_end();
		assert_contains(said, rows[i].line);
	}
	log_set_format(LOG_TEXT);
}

static void begin_and_end_of_bans_are_told(void **state)
{
	struct ban_info ban = {.by = BAN_BY_FAILURES, .failures = 10, .lasts = 60000};
	struct ban_info other = {.by = BAN_BY_COMMAND, .lasts = CLOCK_NEVER, .refused = 17};

	(void)state;
	assert_true(network_parse("192.0.2.1", 9, &ban.client));
	assert_true(network_parse("2001:db8::/64", 13, &other.client));
	said_begin();
	ban_log_begun(&ban);
	ban_log_begun(&other);
	ban_log_ended(&ban, false);
	ban_log_ended(&other, true);
	said_end();
	assert_contains(said,
		" level=warn msg=\"ban begun\" client=192.0.2.1 by=failures failures=10 lasts=1m\n");
	assert_contains(said,
		" level=warn msg=\"ban begun\" client=[2001:db8::]/64 by=command lasts=for_good\n");
	assert_contains(
		said, " level=info msg=\"ban ended\" client=192.0.2.1 why=time refused=0\n");
	assert_contains(said,
		" level=info msg=\"ban ended\" client=[2001:db8::]/64 why=command refused=17\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_login_is_told),
		cmocka_unit_test(begin_and_end_of_bans_are_told),
	};

	return cmocka_run_group_tests_name("proxy/ban_log", tests, NULL, NULL);
}
