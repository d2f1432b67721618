/* socks4: requests of SOCKS4 and 4a at every split, their bounds, their nonsense; and replies. */
#include "wire/socks4.h"

#include <stdio.h>

#include "alone.h"
#include "net.h"

static struct socks4_request out;

static int parse_into_out(const uint8_t *p, size_t n)
{
	return socks4_parse_request(p, n, &out);
}

/* Every proper prefix wants more, and what follows the message is left alone. */
static void check_splits(const void *bytes, size_t len)
{
	uint8_t longer[SOCKS4_REQUEST_MAX + 600];

	assert_true(len <= SOCKS4_REQUEST_MAX);
	memset(longer, 0xee, sizeof(longer));
	memcpy(longer, bytes, len);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(parse_alone(parse_into_out, bytes, n), SOCKS4_MORE);
	assert_int_equal(parse_alone(parse_into_out, bytes, len), len);
	for (size_t n = len; n <= sizeof(longer); n += n < len + 300 ? 1 : 97)
		assert_int_equal(parse_alone(parse_into_out, longer, n), len);
}

static void requests_may_be_split_anywhere(void **state)
{
	static const struct message messages[] = {MESSAGE("\4\1\0\x50\xc0\0\2\1\0"),
		MESSAGE("\4\1\0\x50\xc0\0\2\1alice\0"), MESSAGE("\4\2\0\x50\0\0\0\0\0"),
		MESSAGE("\4\1\0\x50\0\0\0\1\0a\0"), MESSAGE("\4\1\0\x50\0\0\0\xff\0\0"),
		MESSAGE("\4\1\0\x50\0\0\0\1alice\0www.example.org\0")};

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++)
		check_splits(messages[i].bytes, messages[i].len);
}

/* A request for a name, with a USERID of so many bytes; its length. */
static size_t put_long(uint8_t *bytes, size_t userid, size_t name)
{
	memcpy(bytes, "\4\1\0\x50\0\0\0\1", 8);
	memset(bytes + 8, 'u', userid);
	bytes[8 + userid] = '\0';
	memset(bytes + 8 + userid + 1, 'n', name);
	bytes[8 + userid + 1 + name] = '\0';
	return 8 + userid + 1 + name + 1;
}

static void fields_have_bounds(void **state)
{
	uint8_t bytes[SOCKS4_REQUEST_MAX + 2];
	size_t len = put_long(bytes, SOCKS4_USERID_MAX, DESTINATION_NAME_MAX);

	(void)state;
	check_splits(bytes, len);
	assert_int_equal(socks4_parse_request(bytes, len, &out), len);
	assert_int_equal(out.userid_len, SOCKS4_USERID_MAX);
	assert_int_equal(out.dst.name_len, DESTINATION_NAME_MAX);
	/* One byte more is known to be too many as soon as it is there. */
	put_long(bytes, SOCKS4_USERID_MAX + 1, 1);
	assert_int_equal(parse_alone(parse_into_out, bytes, 8 + SOCKS4_USERID_MAX), SOCKS4_MORE);
	assert_int_equal(
		parse_alone(parse_into_out, bytes, 8 + SOCKS4_USERID_MAX + 1), SOCKS4_MALFORMED);
	put_long(bytes, 1, DESTINATION_NAME_MAX + 1);
	assert_int_equal(
		parse_alone(parse_into_out, bytes, 8 + 2 + DESTINATION_NAME_MAX), SOCKS4_MORE);
	assert_int_equal(parse_alone(parse_into_out, bytes, 8 + 2 + DESTINATION_NAME_MAX + 1),
		SOCKS4_MALFORMED);
}

static void other_versions_are_malformed(void **state)
{
	uint8_t bytes[] = {4, 1, 0, 80, 192, 0, 2, 1, 0};

	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		bytes[0] = (uint8_t)version;
		for (size_t n = 1; version != 4 && n <= sizeof(bytes); n++)
			assert_int_equal(parse_alone(parse_into_out, bytes, n), SOCKS4_MALFORMED);
	}
}

/* conforms: SOCKS4/names */
static void reads_addresses_and_names(void **state)
{
	static const struct {
		struct message message;
		uint8_t command;
		enum destination_kind kind;
		const char *target, *userid;
	} rows[] = {
		{MESSAGE("\4\1\0\x50\xc0\0\2\1\0"), 1, DESTINATION_ADDR, "192.0.2.1:80", ""},
		{MESSAGE("\4\2\x12\x34\xff\xff\xff\xff"
			 "alice\0"),
			2, DESTINATION_ADDR, "255.255.255.255:4660", "alice"},
		{MESSAGE("\4\7\0\0\0\0\0\0\0"), 7, DESTINATION_ADDR, "0.0.0.0:0", ""},
		{MESSAGE("\4\1\0\x50\0\0\1\0\0"), 1, DESTINATION_ADDR, "0.0.1.0:80", ""},
		{MESSAGE("\4\1\0\x50\1\0\0\1\0"), 1, DESTINATION_ADDR, "1.0.0.1:80", ""},
		{MESSAGE("\4\1\0\x50\0\0\0\1\0a\0"), 1, DESTINATION_NAME, "a:80", ""},
		{MESSAGE("\4\2\0\x50\0\0\0\xff\xfc\x20\0www.example.org\0"), 2, DESTINATION_NAME,
			"www.example.org:80", "\xfc\x20"},
		{MESSAGE("\4\1\0\x50\0\0\0\1\0\0"), 1, DESTINATION_NAME, ":80", ""},
		/* Literals are addresses, as in SOCKS5. */
		{MESSAGE("\4\1\0\x50\0\0\0\1\0"
			 "192.0.2.1\0"),
			1, DESTINATION_ADDR, "192.0.2.1:80", ""},
		{MESSAGE("\4\1\0\x50\0\0\0\1\0[2001:db8::1]\0"), 1, DESTINATION_ADDR,
			"[2001:db8::1]:80", ""},
	};
	char text[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct message *m = &rows[i].message;

		assert_int_equal(
			socks4_parse_request((const uint8_t *)m->bytes, m->len, &out), m->len);
		assert_int_equal(out.command, rows[i].command);
		assert_int_equal(out.dst.kind, rows[i].kind);
		assert_string_equal(
			destination_format(&out.dst, text, sizeof(text)), rows[i].target);
		assert_int_equal(out.userid_len, strlen(rows[i].userid));
		assert_memory_equal(out.userid, rows[i].userid, out.userid_len);
	}
}

/* conforms: SOCKS4/replies */
static void replies_have_a_port_and_an_ipv4_address(void **state)
{
	static const struct {
		uint8_t code;
		const char *host;
		uint16_t port;
		const char *reply;
	} rows[] = {
		{90, "192.0.2.1", 4660, "\0\x5a\x12\x34\xc0\0\2\1"},
		{90, "2001:db8::1", 4660, "\0\x5a\x12\x34\0\0\0\0"},
		{91, NULL, 0, "\0\x5b\0\0\0\0\0\0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr bound = {.sa = {.sa_family = AF_UNSPEC}};
		uint8_t reply[SOCKS4_REPLY_SIZE];

		if (rows[i].host != NULL)
			bound = net_addr(rows[i].host, rows[i].port);
		socks4_format_reply(reply, rows[i].code, &bound);
		assert_memory_equal(reply, rows[i].reply, sizeof(reply));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_may_be_split_anywhere),
		cmocka_unit_test(fields_have_bounds),
		cmocka_unit_test(other_versions_are_malformed),
		cmocka_unit_test(reads_addresses_and_names),
		cmocka_unit_test(replies_have_a_port_and_an_ipv4_address),
	};

	return cmocka_run_group_tests_name("wire/socks4", tests, NULL, NULL);
}
