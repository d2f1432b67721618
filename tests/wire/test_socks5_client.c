/* socks5: what a client of an upstream sends, and every answer at every split. */
#include "alone.h"
#include "net.h"
#include "wire/socks4.h"
#include "wire/socks5.h"

static int parse_method(const uint8_t *p, size_t n)
{
	uint8_t method;

	return socks5_parse_method(p, n, &method);
}

static int parse_status(const uint8_t *p, size_t n)
{
	bool success;

	return socks5_parse_login_status(p, n, &success);
}

static int parse_reply(const uint8_t *p, size_t n)
{
	struct socks5_reply reply;

	return socks5_parse_reply(p, n, &reply);
}

static int parse_socks4(const uint8_t *p, size_t n)
{
	struct socks4_reply reply;

	return socks4_parse_reply(p, n, &reply);
}

static void answers_may_be_split_anywhere(void **state)
{
	static const struct {
		int (*parse)(const uint8_t *p, size_t n);
		const char *bytes;
		size_t len;
	} rows[] = {
		{parse_method, "\5\0", 2},
		{parse_method, "\5\2", 2},
		{parse_method, "\5\xff", 2},
		{parse_status, "\1\0", 2},
		{parse_status, "\5\0", 2},
		{parse_reply, "\5\0\0\1\1\2\3\4\0\x50", 10},
		{parse_reply, "\5\0\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50", 22},
		{parse_reply, "\5\0\0\3\3a.b\0\x50", 10},
		{parse_reply, "\5\0\0\3\0\0\x50", 7},
		{parse_socks4, "\0\x5a\0\x50\1\2\3\4", 8},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t n = 0; n < rows[i].len; n++)
			assert_int_equal(parse_alone(rows[i].parse, rows[i].bytes, n), 0);
		assert_int_equal(
			parse_alone(rows[i].parse, rows[i].bytes, rows[i].len), rows[i].len);
	}
}

static void a_refusal_may_end_behind_its_rep(void **state)
{
	struct socks5_reply reply;

	(void)state;
	assert_int_equal(socks5_parse_reply((const uint8_t *)"\5", 1, &reply), SOCKS5_MORE);
	assert_int_equal(socks5_parse_reply((const uint8_t *)"\5\5", 2, &reply), 2);
	assert_int_equal(reply.rep, SOCKS5_CONNECTION_REFUSED);
}

static void nonsense_is_malformed(void **state)
{
	static const struct {
		int (*parse)(const uint8_t *p, size_t n);
		const char *bytes;
		size_t n;
	} rows[] = {{parse_method, "H", 1}, {parse_method, "\4\0", 2}, {parse_reply, "\4", 1},
		{parse_reply, "\5\0\0\2\1\2\3\4\0\x50", 10}, {parse_reply, "\5\0\0\0", 4},
		{parse_socks4, "\4\x5a", 2}, {parse_socks4, "H", 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(parse_alone(rows[i].parse, rows[i].bytes, rows[i].n) < 0);
}

static void replies_tell_where_the_upstream_is(void **state)
{
	struct socks5_reply reply;
	struct socks4_reply reply4;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(
		socks5_parse_reply((const uint8_t *)"\5\0\0\1\xc0\0\2\1\0\x50", 10, &reply), 10);
	assert_string_equal(addr_format(&reply.bound.addr, text), "192.0.2.1:80");
	assert_int_equal(
		socks5_parse_reply((const uint8_t *)"\5\0\0\3\3a.b\0\x50", 10, &reply), 10);
	assert_int_equal(reply.bound.addr.sa.sa_family, AF_UNSPEC);
	assert_int_equal(
		socks4_parse_reply((const uint8_t *)"\0\x5b\x12\x34\xc0\0\2\1", 8, &reply4), 8);
	assert_int_equal(reply4.code, SOCKS4_REJECTED);
	assert_string_equal(addr_format(&reply4.bound, text), "192.0.2.1:4660");
}

static void messages_are_read_by_the_other_side(void **state)
{
	uint8_t out[SOCKS5_MESSAGE_MAX], out4[SOCKS4_ASKING_MAX];
	char name[DESTINATION_NAME_MAX], user[255];
	struct socks5_greeting greeting;
	struct socks5_login login = {.name = (const uint8_t *)user,
		.name_len = sizeof(user),
		.password = (const uint8_t *)"x",
		.password_len = 1};
	struct socks5_login read;
	struct socks5_request request;
	struct socks4_request request4;
	struct socks5_datagram datagram;
	struct destination dst;
	struct addr addr = net_addr("2001:db8::1", 443);
	size_t n;

	(void)state;
	memset(user, 'u', sizeof(user));
	memset(name, 'a', sizeof(name));
	n = socks5_format_greeting(out, false);
	assert_int_equal(socks5_parse_greeting(out, n, &greeting), n);
	assert_true(greeting.offers_no_login && !greeting.offers_password);
	n = socks5_format_greeting(out, true);
	assert_int_equal(socks5_parse_greeting(out, n, &greeting), n);
	assert_true(greeting.offers_no_login && greeting.offers_password);
	n = socks5_format_login(out, &login);
	assert_int_equal(socks5_parse_login(out, n, &read), n);
	assert_int_equal(read.name_len, sizeof(user));
	assert_int_equal(read.password_len, 1);
	dst = destination_of_name(name, sizeof(name), 443);
	n = socks5_format_request(out, SOCKS5_BIND, &dst);
	assert_int_equal(n, SOCKS5_REQUEST_MAX);
	assert_int_equal(socks5_parse_request(out, n, &request), n);
	assert_int_equal(request.command, SOCKS5_BIND);
	assert_true(destination_equal(&request.dst, &dst));
	n = socks5_format_named_header(out, &dst);
	assert_int_equal(socks5_parse_datagram(out, n, &datagram), n);
	assert_true(destination_equal(&datagram.dst, &dst));
	assert_int_equal(datagram.frag, 0);
	n = socks4_format_request(out4, SOCKS4_CONNECT, &dst, "me");
	assert_int_equal(socks4_parse_request(out4, n, &request4), n);
	assert_int_equal(request4.userid_len, 2);
	assert_true(destination_equal(&request4.dst, &dst));
	dst = destination_of_addr(&addr);
	n = socks5_format_request(out, SOCKS5_CONNECT, &dst);
	assert_int_equal(socks5_parse_request(out, n, &request), n);
	assert_true(destination_equal(&request.dst, &dst));
	addr = net_addr("192.0.2.1", 80);
	dst = destination_of_addr(&addr);
	n = socks4_format_request(out4, SOCKS4_CONNECT, &dst, "");
	assert_int_equal(n, 9);
	assert_int_equal(socks4_parse_request(out4, n, &request4), n);
	assert_true(destination_equal(&request4.dst, &dst));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_may_be_split_anywhere),
		cmocka_unit_test(a_refusal_may_end_behind_its_rep),
		cmocka_unit_test(nonsense_is_malformed),
		cmocka_unit_test(replies_tell_where_the_upstream_is),
		cmocka_unit_test(messages_are_read_by_the_other_side),
	};

	return cmocka_run_group_tests_name("wire/socks5_client", tests, NULL, NULL);
}
