/* socks5: every message at every split, its longest fields, its nonsense; and the replies' bytes.
 */
#include "wire/socks5.h"

#include <stdio.h>

#include "alone.h"
#include "net.h"

/* The parsers under one type. */
static int parse_greeting(const uint8_t *p, size_t n)
{
	struct socks5_greeting out;

	return socks5_parse_greeting(p, n, &out);
}

static int parse_login(const uint8_t *p, size_t n)
{
	struct socks5_login out;

	return socks5_parse_login(p, n, &out);
}

static int parse_request(const uint8_t *p, size_t n)
{
	struct socks5_request out;

	return socks5_parse_request(p, n, &out);
}

/* Every proper prefix wants more, and what follows the message is left alone. */
static void check_splits(int (*parse)(const uint8_t *p, size_t n), const void *bytes, size_t len)
{
	uint8_t longer[SOCKS5_MESSAGE_MAX + 600];

	assert_true(len <= SOCKS5_MESSAGE_MAX);
	memset(longer, 0xee, sizeof(longer));
	memcpy(longer, bytes, len);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(parse_alone(parse, bytes, n), SOCKS5_MORE);
	assert_int_equal(parse_alone(parse, bytes, len), len);
	for (size_t n = len; n <= sizeof(longer); n++)
		assert_int_equal(parse_alone(parse, longer, n), len);
}

static void check_all_splits(
	int (*parse)(const uint8_t *p, size_t n), const struct message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_splits(parse, messages[i].bytes, messages[i].len);
}

/* A message of another version is malformed from its first byte on. */
static void check_versions(int (*parse)(const uint8_t *p, size_t n), uint8_t right)
{
	uint8_t bytes[SOCKS5_MESSAGE_MAX] = {0};

	for (unsigned version = 0; version < 256; version++) {
		bytes[0] = (uint8_t)version;
		for (size_t n = 1; version != right && n <= sizeof(bytes); n++)
			assert_int_equal(parse(bytes, n), SOCKS5_MALFORMED);
	}
	bytes[0] = right;
	assert_int_not_equal(parse(bytes, sizeof(bytes)), SOCKS5_MALFORMED);
}

/* ---- greeting ---- */

static void greetings_may_be_split_anywhere(void **state)
{
	static const struct message messages[] = {MESSAGE("\5\0"), MESSAGE("\5\1\0"),
		MESSAGE("\5\2\0\2"), MESSAGE("\5\4\x80\2\0\xff")};
	uint8_t longest[257] = {5, 255};

	(void)state;
	check_all_splits(parse_greeting, messages, COUNT(messages));
	check_splits(parse_greeting, longest, sizeof(longest));
}

/* conforms: RFC1928/version */
static void greetings_of_other_versions_are_malformed(void **state)
{
	(void)state;
	check_versions(parse_greeting, 5);
}

static void finds_the_methods_that_are_offered(void **state)
{
	static const struct {
		struct message message;
		bool no_login, password;
	} rows[] = {
		{MESSAGE("\5\0"), false, false},
		{MESSAGE("\5\1\0"), true, false},
		{MESSAGE("\5\1\2"), false, true},
		{MESSAGE("\5\2\0\2"), true, true},
		{MESSAGE("\5\2\2\0"), true, true},
		{MESSAGE("\5\1\1"), false, false},
		{MESSAGE("\5\3\1\x80\xff"), false, false},
		{MESSAGE("\5\5\1\3\4\5\2"), false, true},
		{MESSAGE("\5\1\1\0\2"), false, false},
		{MESSAGE("\5\0\0\2"), false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t *bytes = (const uint8_t *)rows[i].message.bytes;
		struct socks5_greeting out;

		assert_int_equal(
			socks5_parse_greeting(bytes, rows[i].message.len, &out), 2 + bytes[1]);
		assert_int_equal(out.offers_no_login, rows[i].no_login);
		assert_int_equal(out.offers_password, rows[i].password);
	}
}

/* conforms: RFC1928/methods */
static void finds_a_method_at_any_of_255_places(void **state)
{
	uint8_t bytes[257];
	struct socks5_greeting out;

	(void)state;
	for (size_t i = 2; i < sizeof(bytes); i++) {
		memset(bytes, 0x80, sizeof(bytes));
		bytes[0] = 5;
		bytes[1] = 255;
		bytes[i] = SOCKS5_PASSWORD;
		assert_int_equal(socks5_parse_greeting(bytes, sizeof(bytes), &out), 257);
		assert_true(out.offers_password);
		assert_false(out.offers_no_login);
	}
}

/* ---- login ---- */

static void logins_may_be_split_anywhere(void **state)
{
	static const struct message messages[] = {MESSAGE("\1\0\0"), MESSAGE("\1\1a\0"),
		MESSAGE("\1\0\1b"), MESSAGE("\1\5alice\6secret"), MESSAGE("\1\2\0\0\2\0\0")};
	uint8_t longest[SOCKS5_MESSAGE_MAX] = {1, 255, [257] = 255};

	(void)state;
	check_all_splits(parse_login, messages, COUNT(messages));
	check_splits(parse_login, longest, sizeof(longest));
}

/* conforms: RFC1929/version */
static void logins_of_other_versions_are_malformed(void **state)
{
	(void)state;
	check_versions(parse_login, 1);
}

static void check_login(const struct message *m, const char *name, size_t name_len,
	const char *password, size_t password_len)
{
	struct socks5_login out;

	assert_int_equal(socks5_parse_login((const uint8_t *)m->bytes, m->len, &out), m->len);
	assert_int_equal(out.name_len, name_len);
	assert_memory_equal(out.name, name, name_len);
	assert_int_equal(out.password_len, password_len);
	assert_memory_equal(out.password, password, password_len);
}

/* conforms: RFC1929/fields */
static void names_and_passwords_may_hold_any_byte(void **state)
{
	static const struct message plain = MESSAGE("\1\5alice\6secret"),
				    nul = MESSAGE("\1\3a\0b\2\0\xff"), empty = MESSAGE("\1\0\0");

	(void)state;
	check_login(&plain, "alice", 5, "secret", 6);
	check_login(&nul, "a\0b", 3, "\0\xff", 2);
	check_login(&empty, "", 0, "", 0);
}

/* conforms: RFC1929/fields */
static void logins_have_fields_of_up_to_255_bytes(void **state)
{
	uint8_t bytes[SOCKS5_MESSAGE_MAX];
	struct socks5_login out;

	(void)state;
	memset(bytes, 'n', 257);
	memset(bytes + 257, 'p', 256);
	bytes[0] = 1;
	bytes[1] = bytes[257] = 255;
	assert_int_equal(socks5_parse_login(bytes, sizeof(bytes), &out), SOCKS5_MESSAGE_MAX);
	assert_int_equal(out.name_len, 255);
	assert_ptr_equal(out.name, bytes + 2);
	assert_int_equal(out.password_len, 255);
	assert_ptr_equal(out.password, bytes + 258);
}

/* ---- request ---- */

#define IPV6_BYTES "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define MAPPED_BYTES "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"

static void requests_may_be_split_anywhere(void **state)
{
	static const struct message messages[] = {MESSAGE("\5\1\0\1\x0a\0\0\1\0\x50"),
		MESSAGE("\5\1\0\4" IPV6_BYTES "\1\xbb"), MESSAGE("\5\1\0\3\0\0\x50"),
		MESSAGE("\5\1\0\3\1a\0\x50"), MESSAGE("\5\3\0\3\013example.org\0\x50"),
		MESSAGE("\5\1\0\2")};
	uint8_t longest[262] = {5, 1, 0, 3, 255};

	(void)state;
	check_all_splits(parse_request, messages, COUNT(messages));
	check_splits(parse_request, longest, sizeof(longest));
}

/* conforms: RFC1928/version */
static void requests_of_other_versions_are_malformed(void **state)
{
	(void)state;
	check_versions(parse_request, 5);
}

static struct socks5_request request_of(const struct message *m)
{
	struct socks5_request out;

	assert_int_equal(socks5_parse_request((const uint8_t *)m->bytes, m->len, &out), m->len);
	return out;
}

/* conforms: RFC1928/atyp */
static void reads_targets_of_each_type(void **state)
{
	static const struct {
		struct message message;
		enum destination_kind kind;
		const char *host_port;
	} rows[] = {
		{MESSAGE("\5\1\0\1\xc0\0\2\1\0\x50"), DESTINATION_ADDR, "192.0.2.1:80"},
		{MESSAGE("\5\1\0\1\0\0\0\0\0\0"), DESTINATION_ADDR, "0.0.0.0:0"},
		{MESSAGE("\5\1\0\4" IPV6_BYTES "\1\xbb"), DESTINATION_ADDR, "[2001:db8::1]:443"},
		{MESSAGE("\5\1\0\4" MAPPED_BYTES "\1\xbb"), DESTINATION_ADDR, "10.0.0.1:443"},
		{MESSAGE("\5\1\0\3\013example.org\xff\xff"), DESTINATION_NAME, "example.org:65535"},
		{MESSAGE("\5\1\0\3\0\0\x50"), DESTINATION_NAME, ":80"},
		{MESSAGE("\5\1\0\3\1a\0\x50"), DESTINATION_NAME, "a:80"},
	};
	char text[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct socks5_request out = request_of(&rows[i].message);

		assert_int_equal(out.command, SOCKS5_CONNECT);
		assert_int_equal(out.dst.kind, rows[i].kind);
		assert_string_equal(
			destination_format(&out.dst, text, sizeof(text)), rows[i].host_port);
	}
}

/* conforms: RFC1928/network-order */
static void ports_are_in_network_order(void **state)
{
	static const struct message v4 = MESSAGE("\5\1\0\1\x0a\0\0\1\x12\x34"),
				    name = MESSAGE("\5\1\0\3\1a\xff\xfe");
	struct socks5_request out = request_of(&v4);

	(void)state;
	assert_int_equal(out.dst.port, 0x1234);
	assert_int_equal(addr_port(&out.dst.addr), 0x1234);
	out = request_of(&name);
	assert_int_equal(out.dst.port, 0xfffe);
}

/* A domain request for `text` with port 80; valid until the next one. */
static struct socks5_request request_of_name(const char *text, size_t len)
{
	static uint8_t bytes[262] = {5, 1, 0, 3};
	struct socks5_request out;

	bytes[4] = (uint8_t)len;
	memcpy(bytes + 5, text, len);
	bytes[5 + len] = 0;
	bytes[5 + len + 1] = 80;
	assert_int_equal(socks5_parse_request(bytes, 7 + len, &out), 7 + len);
	assert_int_equal(out.dst.port, 80);
	return out;
}

static void literals_in_domains_are_addresses(void **state)
{
	static const struct {
		const char *name, *addr;
	} rows[] = {{"10.0.0.1", "10.0.0.1:80"}, {"::1", "[::1]:80"}, {"[::1]", "[::1]:80"},
		{"0.0.0.0", "0.0.0.0:80"}, {"::", "[::]:80"}, {"2001:db8::1", "[2001:db8::1]:80"},
		{"::ffff:10.0.0.1", "10.0.0.1:80"}, {"[::ffff:10.0.0.1]", "10.0.0.1:80"},
		{"::FFFF:7f00:1", "127.0.0.1:80"}};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct socks5_request out = request_of_name(rows[i].name, strlen(rows[i].name));

		if (out.dst.kind != DESTINATION_ADDR)
			fail_msg("%s is an address", rows[i].name);
		assert_string_equal(addr_format(&out.dst.addr, text), rows[i].addr);
	}
}

static void other_domains_are_names(void **state)
{
	static const struct message rows[] = {MESSAGE("example.org"), MESSAGE("localhost"),
		MESSAGE("10.0.0.1.example.org"), MESSAGE("10.0.0"), MESSAGE("10.0.0.1\0"),
		MESSAGE("10.0.0.1\0.example.org"), MESSAGE("10.0.0.1:80"), MESSAGE("[::1]:80"),
		MESSAGE("[10.0.0.1]"), MESSAGE(" 10.0.0.1"), MESSAGE("")};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct socks5_request out = request_of_name(rows[i].bytes, rows[i].len);

		if (out.dst.kind != DESTINATION_NAME)
			fail_msg("\"%s\" is no address", rows[i].bytes);
		assert_int_equal(out.dst.name_len, rows[i].len);
		assert_memory_equal(out.dst.name, rows[i].bytes, rows[i].len);
		assert_int_equal(out.dst.addr.sa.sa_family, AF_UNSPEC);
	}
}

/* conforms: RFC1928/atyp */
static void names_have_up_to_255_bytes_of_any_value(void **state)
{
	char name[255];
	struct socks5_request out;

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = (char)(i + 1);
	out = request_of_name(name, sizeof(name));
	assert_int_equal(out.dst.name_len, sizeof(name));
	assert_memory_equal(out.dst.name, name, sizeof(name));
	out = request_of_name("a\0b", 3);
	assert_int_equal(out.dst.name_len, 3);
	assert_memory_equal(out.dst.name, "a\0b", 3);
}

/* conforms: RFC1928/request-rsv */
static void rsv_may_have_any_value(void **state)
{
	uint8_t bytes[] = {5, 1, 0, 1, 10, 0, 0, 1, 0, 80};
	struct socks5_request out;

	(void)state;
	for (unsigned rsv = 0; rsv < 256; rsv++) {
		bytes[2] = (uint8_t)rsv;
		assert_int_equal(socks5_parse_request(bytes, sizeof(bytes), &out), sizeof(bytes));
		assert_int_equal(out.dst.kind, DESTINATION_ADDR);
	}
}

static void passes_every_cmd_on(void **state)
{
	uint8_t bytes[] = {5, 0, 0, 1, 10, 0, 0, 1, 0, 80};
	struct socks5_request out;

	(void)state;
	for (unsigned command = 0; command < 256; command++) {
		bytes[1] = (uint8_t)command;
		assert_int_equal(socks5_parse_request(bytes, sizeof(bytes), &out), sizeof(bytes));
		assert_int_equal(out.command, command);
		assert_int_equal(out.dst.port, 80);
	}
}

static void takes_four_bytes_of_an_unknown_atyp(void **state)
{
	uint8_t bytes[10] = {5, 9};
	struct socks5_request out;

	(void)state;
	for (unsigned atyp = 0; atyp < 256; atyp++) {
		bytes[3] = (uint8_t)atyp;
		if (atyp == SOCKS5_IPV4 || atyp == SOCKS5_DOMAIN || atyp == SOCKS5_IPV6)
			continue;
		assert_int_equal(socks5_parse_request(bytes, 3, &out), SOCKS5_MORE);
		for (size_t n = 4; n <= sizeof(bytes); n++)
			assert_int_equal(socks5_parse_request(bytes, n, &out), 4);
		assert_int_equal(out.command, 9);
		assert_int_equal(out.dst.kind, DESTINATION_NONE);
	}
}

/* ---- datagrams ---- */

struct datagram_row {
	struct message bytes;
	uint8_t frag;
	const char *addr; /* NULL: it is the name */
	uint16_t port;
	struct message name, data;
};

/* conforms: RFC1928/udp-header */
static void takes_datagrams(void **state)
{
	static const struct datagram_row rows[] = {
		{MESSAGE("\0\0\0\1\xc0\0\2\1\0\x35hello"), 0, "192.0.2.1", 53, MESSAGE(""),
			MESSAGE("hello")},
		{MESSAGE("\xff\xff\x81\1\xc0\0\2\1\0\x35"), 0x81, "192.0.2.1", 53, MESSAGE(""),
			MESSAGE("")},
		{MESSAGE("\0\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\0x"), 0, "2001:db8::1",
			256, MESSAGE(""), MESSAGE("x")},
		{MESSAGE("\0\0\2\3\4name\0\7data"), 2, NULL, 7, MESSAGE("name"), MESSAGE("data")},
		{MESSAGE("\0\0\0\3\0\0\7data"), 0, NULL, 7, MESSAGE(""), MESSAGE("data")},
		{MESSAGE("\0\0\0\3\x09"
			 "127.0.0.1\0\7data"),
			0, "127.0.0.1", 7, MESSAGE(""), MESSAGE("data")}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct message *m = &rows[i].bytes;
		struct socks5_datagram d;
		int len = socks5_parse_datagram((const uint8_t *)m->bytes, m->len, &d);

		assert_int_equal(len, m->len - rows[i].data.len);
		assert_int_equal(d.frag, rows[i].frag);
		assert_int_equal(d.dst.port, rows[i].port);
		if (rows[i].addr != NULL) {
			struct addr expected = net_addr(rows[i].addr, rows[i].port);

			assert_int_equal(d.dst.kind, DESTINATION_ADDR);
			assert_true(addr_equal(&d.dst.addr, &expected));
		} else {
			assert_int_equal(d.dst.kind, DESTINATION_NAME);
			assert_int_equal(d.dst.name_len, rows[i].name.len);
			assert_memory_equal(d.dst.name, rows[i].name.bytes, d.dst.name_len);
		}
		assert_int_equal(d.len, rows[i].data.len);
		assert_memory_equal(d.data, rows[i].data.bytes, d.len);
		/* Cut anywhere in its header it is none. */
		for (int n = 0; n < len; n++)
			assert_int_equal(
				socks5_parse_datagram((const uint8_t *)m->bytes, (size_t)n, &d),
				SOCKS5_MALFORMED);
	}
}

static void refuses_datagrams_of_an_unknown_atyp(void **state)
{
	static const uint8_t atyps[] = {0, 2, 5, 255};
	uint8_t bytes[64] = {0};
	struct socks5_datagram d;

	(void)state;
	for (size_t i = 0; i < COUNT(atyps); i++) {
		bytes[3] = atyps[i];
		assert_int_equal(socks5_parse_datagram(bytes, sizeof(bytes), &d), SOCKS5_MALFORMED);
	}
}

/* conforms: RFC1928/udp-header RFC1928/udp-encapsulate */
static void headers_tell_the_source_and_are_read_back(void **state)
{
	static const char *const hosts[] = {"192.0.2.1", "2001:db8::1"};
	uint8_t out[SOCKS5_HEADER_MAX];
	struct socks5_datagram d;

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct addr source = net_addr(hosts[i], 4660);
		size_t len = socks5_format_header(out, &source);

		assert_int_equal(socks5_parse_datagram(out, len, &d), len);
		assert_int_equal(d.frag, 0);
		assert_true(addr_equal(&d.dst.addr, &source));
		assert_int_equal(d.len, 0);
	}
}

/* ---- robustness ---- */

static void random_message(unsigned *seed, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)check_random(seed, 256);
	if (n > 0 && check_random(seed, 4) > 0)
		bytes[0] = check_random(seed, 2) == 0 ? 5 : 1;
	if (n > 3 && check_random(seed, 2) == 0)
		bytes[3] = (uint8_t)check_random(seed, 6);
}

/* What was taken as a message is within the bytes, and is taken the same way without the rest. */
static void check_robust(int (*parse)(const uint8_t *p, size_t n), const uint8_t *bytes, size_t n)
{
	int result = parse_alone(parse, bytes, n);

	if (result < SOCKS5_MALFORMED || result > (int)n)
		fail_msg("%d of %zu bytes", result, n);
	if (result > 0)
		assert_int_equal(parse_alone(parse, bytes, (size_t)result), result);
}

static void random_bytes_do_no_harm(void **state)
{
	uint8_t bytes[600];
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		size_t n = check_random(&seed, i % 2 == 0 ? 16 : sizeof(bytes) + 1);

		random_message(&seed, bytes, n);
		check_robust(parse_greeting, bytes, n);
		check_robust(parse_login, bytes, n);
		check_robust(parse_request, bytes, n);
	}
}

/* ---- replies ---- */

static void writes_the_chosen_method(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_int_equal(socks5_format_method(out, SOCKS5_NO_LOGIN), 2);
	assert_memory_equal(out, "\5\0", 2);
	assert_int_equal(socks5_format_method(out, SOCKS5_PASSWORD), 2);
	assert_memory_equal(out, "\5\2", 2);
	assert_int_equal(socks5_format_method(out, SOCKS5_NO_METHOD), 2);
	assert_memory_equal(out, "\5\xff", 2);
}

/* conforms: RFC1929/version RFC1929/success RFC1929/failure */
static void writes_the_status_of_a_login(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_int_equal(socks5_format_login_status(out, true), 2);
	assert_memory_equal(out, "\1\0", 2);
	assert_int_equal(socks5_format_login_status(out, false), 2);
	assert_int_equal(out[0], 1);
	assert_int_not_equal(out[1], 0);
}

/* conforms: RFC1928/complete-reply RFC1928/reply-rsv */
static void writes_complete_replies(void **state)
{
	static const struct {
		const char *bound; /* NULL: none */
		uint8_t rep;
		struct message expected;
	} rows[] = {
		{"192.0.2.1:4660", 0, MESSAGE("\5\0\0\1\xc0\0\2\1\x12\x34")},
		{"[2001:db8::1]:443", 0, MESSAGE("\5\0\0\4" IPV6_BYTES "\1\xbb")},
		{"[::ffff:10.0.0.1]:80", 0, MESSAGE("\5\0\0\1\x0a\0\0\1\0\x50")},
		{"255.255.255.255:65535", 8, MESSAGE("\5\x08\0\1\xff\xff\xff\xff\xff\xff")},
		{NULL, 5, MESSAGE("\5\5\0\1\0\0\0\0\0\0")},
		{NULL, 0xff, MESSAGE("\5\xff\0\1\0\0\0\0\0\0")},
	};
	uint8_t out[SOCKS5_REPLY_MAX];
	bool has_port;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr bound = {.sa = {.sa_family = AF_UNSPEC}};

		if (rows[i].bound != NULL)
			assert_true(addr_parse_port(
				rows[i].bound, strlen(rows[i].bound), &bound, &has_port));
		memset(out, 0xee, sizeof(out));
		assert_int_equal(
			socks5_format_reply(out, rows[i].rep, &bound), rows[i].expected.len);
		assert_memory_equal(out, rows[i].expected.bytes, rows[i].expected.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greetings_may_be_split_anywhere),
		cmocka_unit_test(greetings_of_other_versions_are_malformed),
		cmocka_unit_test(finds_the_methods_that_are_offered),
		cmocka_unit_test(finds_a_method_at_any_of_255_places),
		cmocka_unit_test(logins_may_be_split_anywhere),
		cmocka_unit_test(logins_of_other_versions_are_malformed),
		cmocka_unit_test(names_and_passwords_may_hold_any_byte),
		cmocka_unit_test(logins_have_fields_of_up_to_255_bytes),
		cmocka_unit_test(requests_may_be_split_anywhere),
		cmocka_unit_test(requests_of_other_versions_are_malformed),
		cmocka_unit_test(reads_targets_of_each_type),
		cmocka_unit_test(ports_are_in_network_order),
		cmocka_unit_test(literals_in_domains_are_addresses),
		cmocka_unit_test(other_domains_are_names),
		cmocka_unit_test(names_have_up_to_255_bytes_of_any_value),
		cmocka_unit_test(rsv_may_have_any_value),
		cmocka_unit_test(passes_every_cmd_on),
		cmocka_unit_test(takes_four_bytes_of_an_unknown_atyp),
		cmocka_unit_test(takes_datagrams),
		cmocka_unit_test(refuses_datagrams_of_an_unknown_atyp),
		cmocka_unit_test(headers_tell_the_source_and_are_read_back),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(writes_the_chosen_method),
		cmocka_unit_test(writes_the_status_of_a_login),
		cmocka_unit_test(writes_complete_replies),
	};

	return cmocka_run_group_tests_name("wire/socks5", tests, NULL, NULL);
}
