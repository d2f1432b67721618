/* addr: literals, ports, text, classes of addresses, networks. */
#include "base/addr.h"

#include <net/if.h>
#include <stdio.h>
#include <sys/un.h>

#include "check.h"

static struct addr addr_of(const char *text)
{
	struct addr a;
	bool has_port;

	if (!addr_parse_port(text, strlen(text), &a, &has_port))
		fail_msg("\"%s\" is no address", text);
	return a;
}

static struct network network_of(const char *text)
{
	struct network n;

	if (!network_parse(text, strlen(text), &n))
		fail_msg("\"%s\" is no network", text);
	return n;
}

static const struct addr nowhere = {.sa = {.sa_family = AF_UNSPEC}};

/* ---- literals ---- */

static void reads_literals(void **state)
{
	static const struct {
		const char *text, *host;
	} rows[] = {
		{"10.0.0.1", "10.0.0.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"::1", "::1"},
		{"[::1]", "::1"},
		{"2001:DB8:0:0::0:1", "2001:db8::1"},
		{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
		{"fe80::1%1", "fe80::1%1"},
		{"[fe80::1%1]", "fe80::1%1"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"::FFFF:0a00:0001", "10.0.0.1"},
		{"[::ffff:192.0.2.7]", "192.0.2.7"},
		{"::fffe:10.0.0.1", "::fffe:a00:1"},
		{"::1:ffff:10.0.0.1", "::1:ffff:a00:1"},
	};
	char host[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!addr_parse(rows[i].text, strlen(rows[i].text), &a))
			fail_msg("\"%s\" was refused", rows[i].text);
		assert_string_equal(addr_format_host(&a, host), rows[i].host);
		assert_int_equal(addr_port(&a), 0);
	}
}

static void reads_names_of_interfaces_as_scopes(void **state)
{
	struct addr a = addr_of("fe80::1%lo");

	(void)state;
	assert_int_equal(a.in6.sin6_scope_id, if_nametoindex("lo"));
}

static void refuses_literal(const char *text, size_t len)
{
	struct addr a, before;

	memset(&before, 0x5a, sizeof(before));
	a = before;
	if (addr_parse(text, len, &a))
		fail_msg("\"%s\" was taken for an address", text);
	assert_memory_equal(&a, &before, sizeof(a));
}

static void refuses_what_is_no_literal(void **state)
{
	static const char *const rows[] = {"", "a", "localhost", "example.org", "10.0.0", "127.1",
		"10.0.0.256", "010.0.0.1", "10.0.0.1.", "10.0.0.1 ", " 10.0.0.1", "1.2.3.4.5",
		"0x7f000001", "2130706433", "[10.0.0.1]", "[::1", "::1]", "[[::1]]", "[]", "[", "]",
		":", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1/64",
		"fe80::1%", "fe80::1%no-such-interface", "fe80::1%1x", "10.0.0.1%1", "%1"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refuses_literal(rows[i], strlen(rows[i]));
}

static void refuses_scopes_that_are_neither_name_nor_number(void **state)
{
	static const char *const rows[] = {
		"fe80::1%-1", "fe80::1%+1", "fe80::1% 1", "fe80::1%4294967296", "fe80::1%lo:80"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refuses_literal(rows[i], strlen(rows[i]));
}

static void refuses_nul_in_literals(void **state)
{
	(void)state;
	refuses_literal("10.0.0.1\0", 9);
	refuses_literal("10.0.0.1\0.example.org", 21);
	refuses_literal("\0", 1);
}

static void refuses_text_of_any_length(void **state)
{
	char text[512];

	(void)state;
	memset(text, '1', sizeof(text));
	for (size_t len = 1; len <= sizeof(text); len++)
		refuses_literal(text, len);
	memset(text, ':', sizeof(text));
	for (size_t len = 3; len <= sizeof(text); len++)
		refuses_literal(text, len);
}

static void looks_at_no_byte_behind_the_length(void **state)
{
	char host[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	assert_true(addr_parse("10.0.0.123", 8, &a));
	assert_string_equal(addr_format_host(&a, host), "10.0.0.1");
}

/* ---- ports ---- */

static void reads_optional_ports(void **state)
{
	static const struct {
		const char *text, *formatted;
		bool has_port;
	} rows[] = {
		{"10.0.0.1", "10.0.0.1:0", false},
		{"10.0.0.1:80", "10.0.0.1:80", true},
		{"10.0.0.1:0", "10.0.0.1:0", true},
		{"10.0.0.1:65535", "10.0.0.1:65535", true},
		{"10.0.0.1:00080", "10.0.0.1:80", true},
		{"::1", "[::1]:0", false},
		{"[::1]", "[::1]:0", false},
		{"[::1]:1080", "[::1]:1080", true},
		{"2001:db8::1:80", "[2001:db8::1:80]:0", false},
		{"[fe80::1%1]:80", "[fe80::1%1]:80", true},
		{"[::ffff:10.0.0.1]:80", "10.0.0.1:80", true},
	};
	char text[ADDR_TEXT_MAX];
	struct addr a;
	bool has_port;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!addr_parse_port(rows[i].text, strlen(rows[i].text), &a, &has_port))
			fail_msg("\"%s\" was refused", rows[i].text);
		assert_string_equal(addr_format(&a, text), rows[i].formatted);
		assert_int_equal(has_port, rows[i].has_port);
	}
}

static void refuses_bad_ports(void **state)
{
	static const char *const rows[] = {"", ":", ":80", "10.0.0.1:", "10.0.0.1:65536",
		"10.0.0.1:99999", "10.0.0.1:000080", "10.0.0.1:-1", "10.0.0.1:+1", "10.0.0.1: 80",
		"10.0.0.1:80 ", "10.0.0.1:8x", "10.0.0.1::80", "[::1]:", "[::1]80", "[::1]x:80",
		"[::1:80", "[10.0.0.1]:80", "localhost:80", "fe80::1%1:80", "1::2::3:80"};
	struct addr a;
	bool has_port;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (addr_parse_port(rows[i], strlen(rows[i]), &a, &has_port))
			fail_msg("\"%s\" was taken for an address", rows[i]);
		assert_false(has_port);
	}
}

static void sets_the_port_of_either_family(void **state)
{
	struct addr v4 = addr_of("10.0.0.1:80"), v6 = addr_of("[::1]:80"), none = nowhere;

	(void)state;
	addr_set_port(&v4, 4660);
	addr_set_port(&v6, 65535);
	addr_set_port(&none, 80);
	assert_int_equal(addr_port(&v4), 4660);
	assert_int_equal(v4.in.sin_port, htons(4660));
	assert_int_equal(addr_port(&v6), 65535);
	assert_int_equal(addr_port(&none), 0);
}

/* ---- bytes and sockaddrs ---- */

static void takes_bytes_in_network_order(void **state)
{
	static const uint8_t v4[4] = {192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
	char text[ADDR_TEXT_MAX];
	struct addr a = addr_from_ipv4(v4, 80), b = addr_from_ipv6(v6, 443);

	(void)state;
	assert_string_equal(addr_format(&a, text), "192.0.2.1:80");
	assert_string_equal(addr_format(&b, text), "[2001:db8::7]:443");
	assert_int_equal(addr_len(&a), sizeof(struct sockaddr_in));
	assert_int_equal(addr_len(&b), sizeof(struct sockaddr_in6));
}

static void turns_mapped_bytes_into_ipv4(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	uint8_t almost[16];
	char text[ADDR_TEXT_MAX];
	struct addr a = addr_from_ipv6(mapped, 80);

	(void)state;
	assert_string_equal(addr_format(&a, text), "10.0.0.1:80");
	for (size_t i = 0; i < 12; i++) {
		memcpy(almost, mapped, sizeof(almost));
		almost[i] ^= 1;
		a = addr_from_ipv6(almost, 80);
		assert_int_equal(a.sa.sa_family, AF_INET6);
	}
}

static void takes_sockaddrs(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(443),
		.sin6_addr = {{{0xfe, 0x80, [15] = 1}}},
		.sin6_scope_id = 3};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char text[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	in.sin_addr.s_addr = htonl(0xc0000201);
	a = addr_from_sockaddr((struct sockaddr *)&in);
	assert_string_equal(addr_format(&a, text), "192.0.2.1:80");
	a = addr_from_sockaddr((struct sockaddr *)&in6);
	assert_string_equal(addr_format(&a, text), "[fe80::1%3]:443");
	a = addr_from_sockaddr((struct sockaddr *)&un);
	assert_int_equal(a.sa.sa_family, AF_UNSPEC);
}

static void turns_mapped_sockaddrs_into_ipv4(void **state)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(443),
		.sin6_addr = {{{[10] = 0xff, 0xff, 192, 0, 2, 9}}}};
	char text[ADDR_TEXT_MAX];
	struct addr a = addr_from_sockaddr((struct sockaddr *)&in6);

	(void)state;
	assert_int_equal(a.sa.sa_family, AF_INET);
	assert_string_equal(addr_format(&a, text), "192.0.2.9:443");
}

static void writes_a_dash_without_an_address(void **state)
{
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_format(&nowhere, text), "-");
	assert_string_equal(addr_format_host(&nowhere, text), "-");
}

static void writes_the_longest_address_whole(void **state)
{
	struct addr a = addr_of("[ff11:ff11:ff11:ff11:ff11:ff11:ff11:ff11%1]:65535");
	char text[ADDR_TEXT_MAX];

	(void)state;
	a.in6.sin6_scope_id = UINT32_MAX;
	assert_string_equal(addr_format(&a, text),
		"[ff11:ff11:ff11:ff11:ff11:ff11:ff11:ff11%4294967295]:65535");
}

/* ---- comparing and classes ---- */

static void compares_hosts_and_ports(void **state)
{
	static const struct {
		const char *a, *b;
		bool same_host, equal;
	} rows[] = {
		{"10.0.0.1:80", "10.0.0.1:80", true, true},
		{"10.0.0.1:80", "10.0.0.1:81", true, false},
		{"10.0.0.1:80", "10.0.0.2:80", false, false},
		{"[::1]:80", "[::1]:80", true, true},
		{"[::1]:80", "[::1]:81", true, false},
		{"[::1]:80", "[::2]:80", false, false},
		{"0.0.0.0:80", "[::]:80", false, false},
		{"[::ffff:10.0.0.1]:80", "10.0.0.1:80", true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = addr_of(rows[i].a), b = addr_of(rows[i].b);

		assert_int_equal(addr_same_host(&a, &b), rows[i].same_host);
		assert_int_equal(addr_equal(&a, &b), rows[i].equal);
	}
	assert_false(addr_same_host(&nowhere, &nowhere));
	assert_false(addr_equal(&nowhere, &nowhere));
}

struct class_row {
	const char *text;
	bool expected;
};

static void check_class(
	bool (*is)(const struct addr *a), const struct class_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr a = addr_of(rows[i].text);

		if (is(&a) != rows[i].expected)
			fail_msg("%s is classified wrongly", rows[i].text);
	}
	assert_false(is(&nowhere));
}

static void knows_unspecified_addresses(void **state)
{
	static const struct class_row rows[] = {{"0.0.0.0", true}, {"0.0.0.0:80", true},
		{"[::]:80", true}, {"::ffff:0.0.0.0", true}, {"0.0.0.1", false}, {"1.0.0.0", false},
		{"::1", false}, {"1::", false}};

	(void)state;
	check_class(addr_is_unspecified, rows, COUNT(rows));
}

static void knows_loopback_addresses(void **state)
{
	static const struct class_row rows[] = {{"126.255.255.255", false}, {"127.0.0.0", true},
		{"127.0.0.1", true}, {"127.255.255.255", true}, {"128.0.0.0", false}, {"::", false},
		{"::1", true}, {"::2", false}, {"7f00::1", false}, {"::ffff:127.0.0.1", true},
		{"::127.0.0.1", false}};

	(void)state;
	check_class(addr_is_loopback, rows, COUNT(rows));
}

static void knows_private_ipv4_addresses(void **state)
{
	static const struct class_row rows[] = {{"9.255.255.255", false}, {"10.0.0.0", true},
		{"10.255.255.255", true}, {"11.0.0.0", false}, {"126.255.255.255", false},
		{"127.0.0.0", true}, {"128.0.0.0", false}, {"169.253.255.255", false},
		{"169.254.0.0", true}, {"169.254.255.255", true}, {"169.255.0.0", false},
		{"172.15.255.255", false}, {"172.16.0.0", true}, {"172.31.255.255", true},
		{"172.32.0.0", false}, {"192.167.255.255", false}, {"192.168.0.0", true},
		{"192.168.255.255", true}, {"192.169.0.0", false}, {"0.0.0.0", false},
		{"100.64.0.1", false}, {"::ffff:192.168.0.1", true}, {"::ffff:192.169.0.1", false}};

	(void)state;
	check_class(addr_is_private, rows, COUNT(rows));
}

static void knows_private_ipv6_addresses(void **state)
{
	static const struct class_row rows[] = {{"::", false}, {"::1", true}, {"::2", false},
		{"fbff:ffff::", false}, {"fc00::", true}, {"fdff:ffff::1", true}, {"fe00::", false},
		{"fe7f:ffff::", false}, {"fe80::", true}, {"febf:ffff::1", true}, {"fec0::", false},
		{"ff02::1", false}, {"2001:db8::1", false}, {"a00::1", false}, {"c0a8::1", false}};

	(void)state;
	check_class(addr_is_private, rows, COUNT(rows));
}

/* ---- networks ---- */

/* `bits` bits, all zero but for `bit`. */
static struct addr with_bit(unsigned bits, unsigned bit)
{
	uint8_t bytes[16] = {0};

	bytes[bit / 8] = (uint8_t)(0x80 >> (bit % 8));
	return bits == 32 ? addr_from_ipv4(bytes, 0) : addr_from_ipv6(bytes, 0);
}

static bool parses_with_prefix(const struct addr *base, unsigned prefix, struct network *out)
{
	char host[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
	int len = snprintf(text, sizeof(text), "%s/%u", addr_format_host(base, host), prefix);

	return network_parse(text, (size_t)len, out);
}

static void check_bits_behind_the_prefix(unsigned bits)
{
	struct network n;

	for (unsigned prefix = 0; prefix <= bits; prefix++) {
		for (unsigned bit = 0; bit < bits; bit++) {
			struct addr base = with_bit(bits, bit);

			if (parses_with_prefix(&base, prefix, &n) != (bit < prefix))
				fail_msg("bit %u, prefix %u of %u", bit, prefix, bits);
		}
	}
}

static void finds_the_network_around_an_address(void **state)
{
	static const struct {
		const char *text, *base;
		unsigned prefix;
	} rows[] = {
		{"192.168.5.7/24", "192.168.5.0", 24},
		{"192.168.5.7/0", "0.0.0.0", 0},
		{"192.168.5.7", "192.168.5.7", 32},
		{"10.255.255.255/9", "10.128.0.0", 9},
		{"2001:db8::ffff:1/33", "2001:db8::", 33},
	};
	char host[ADDR_TEXT_MAX];
	struct network n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(network_parse_around(rows[i].text, strlen(rows[i].text), &n));
		assert_string_equal(addr_format_host(&n.base, host), rows[i].base);
		assert_int_equal(n.prefix, rows[i].prefix);
	}
	assert_false(network_parse_around("10.0.0.1/33", 11, &n));
	assert_false(network_parse_around("host/8", 6, &n));
}

static void refuses_bits_behind_every_prefix(void **state)
{
	(void)state;
	check_bits_behind_the_prefix(32);
	check_bits_behind_the_prefix(128);
}

/* The network of zeros holds an address with one bit exactly when that bit is behind the prefix. */
static void check_edges(const char *zeros, unsigned bits)
{
	struct addr base = addr_of(zeros);
	struct network n;

	for (unsigned prefix = 0; prefix <= bits; prefix++) {
		assert_true(parses_with_prefix(&base, prefix, &n));
		assert_int_equal(n.prefix, prefix);
		assert_true(network_contains(&n, &base));
		for (unsigned bit = 0; bit < bits; bit++) {
			struct addr a = with_bit(bits, bit);

			if (network_contains(&n, &a) != (bit >= prefix))
				fail_msg("bit %u, prefix %u of %u", bit, prefix, bits);
		}
	}
}

static void every_prefix_has_its_edge(void **state)
{
	(void)state;
	check_edges("0.0.0.0", 32);
	check_edges("::", 128);
}

static void networks_contain_their_addresses_only(void **state)
{
	static const struct {
		const char *network, *addr;
		bool expected;
	} rows[] = {
		{"203.0.113.0/24", "203.0.113.0", true},
		{"203.0.113.0/24", "203.0.113.255", true},
		{"203.0.113.0/24", "203.0.112.255", false},
		{"203.0.113.0/24", "203.0.114.0", false},
		{"203.0.113.128/25", "203.0.113.127", false},
		{"203.0.113.128/25", "203.0.113.128:1080", true},
		{"203.0.113.7", "203.0.113.7", true},
		{"203.0.113.7", "203.0.113.6", false},
		{"203.0.113.0/24", "::ffff:203.0.113.1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::1", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::2", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "ffff::1", true},
		{"::/0", "10.0.0.1", false},
		{"::/0", "::ffff:10.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct network n = network_of(rows[i].network);
		struct addr a = addr_of(rows[i].addr);

		if (network_contains(&n, &a) != rows[i].expected)
			fail_msg("%s in %s", rows[i].addr, rows[i].network);
		assert_false(network_contains(&n, &nowhere));
	}
}

static void a_network_of_a_link_contains_what_is_on_it(void **state)
{
	static const struct {
		const char *network, *addr;
		bool expected;
	} rows[] = {
		{"fe80::1%1", "fe80::1%1", true},
		{"fe80::1%1", "fe80::1%2", false},
		{"fe80::1", "fe80::1%2", true},
		{"192.0.2.0/24", "192.0.2.7", true},
		{"192.0.2.0/24", "192.0.3.7", false},
		{"::/0", "192.0.3.7", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct network n = network_of(rows[i].network);
		struct addr a = addr_of(rows[i].addr);

		assert_int_equal(network_contains_on_link(&n, &a), rows[i].expected);
	}
}

static void networks_are_written_as_they_are_read(void **state)
{
	static const char *const rows[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"2001:db8::1", "[2001:db8::1]"},
		{"2001:db8::/64", "[2001:db8::]/64"},
		{"fe80::1%7", "[fe80::1%7]"},
		{"::/0", "[::]/0"},
	};
	char out[NETWORK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct network n = network_of(rows[i][0]), again;

		assert_string_equal(network_format(&n, out), rows[i][1]);
		again = network_of(out);
		assert_true(network_equal(&n, &again));
	}
}

static void addresses_have_an_order(void **state)
{
	static const char *const rows[] = {
		"9.0.0.0", "10.0.0.0", "192.0.2.1", "::1", "2001:db8::1", "fe80::1%1", "fe80::1%2"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t j = 0; j < COUNT(rows); j++) {
			struct addr a = addr_of(rows[i]), b = addr_of(rows[j]);
			int order = addr_compare(&a, &b);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order == 0, i == j);
		}
	}
}

static void a_single_address_is_a_network(void **state)
{
	(void)state;
	assert_int_equal(network_of("192.0.2.1").prefix, 32);
	assert_int_equal(network_of("2001:db8::1").prefix, 128);
	assert_int_equal(network_of("::ffff:192.0.2.1").prefix, 32);
}

static void refuses_what_is_no_network(void **state)
{
	static const char *const rows[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/8x", "10.0.0.0/8/8",
		"10.0.0.0/255.0.0.0", "10.0.0.0/65544", "10.0.0/8", "10/8", "10.0.0.1/8", "::/129",
		"2001:db8::/16", "name/8", "::ffff:10.0.0.0/104"};
	struct network n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (network_parse(rows[i], strlen(rows[i]), &n))
			fail_msg("\"%s\" was taken for a network", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_literals),
		cmocka_unit_test(reads_names_of_interfaces_as_scopes),
		cmocka_unit_test(refuses_what_is_no_literal),
		cmocka_unit_test(refuses_scopes_that_are_neither_name_nor_number),
		cmocka_unit_test(refuses_nul_in_literals),
		cmocka_unit_test(refuses_text_of_any_length),
		cmocka_unit_test(looks_at_no_byte_behind_the_length),
		cmocka_unit_test(reads_optional_ports),
		cmocka_unit_test(refuses_bad_ports),
		cmocka_unit_test(sets_the_port_of_either_family),
		cmocka_unit_test(takes_bytes_in_network_order),
		cmocka_unit_test(turns_mapped_bytes_into_ipv4),
		cmocka_unit_test(takes_sockaddrs),
		cmocka_unit_test(turns_mapped_sockaddrs_into_ipv4),
		cmocka_unit_test(writes_a_dash_without_an_address),
		cmocka_unit_test(writes_the_longest_address_whole),
		cmocka_unit_test(compares_hosts_and_ports),
		cmocka_unit_test(knows_unspecified_addresses),
		cmocka_unit_test(knows_loopback_addresses),
		cmocka_unit_test(knows_private_ipv4_addresses),
		cmocka_unit_test(knows_private_ipv6_addresses),
		cmocka_unit_test(finds_the_network_around_an_address),
		cmocka_unit_test(refuses_bits_behind_every_prefix),
		cmocka_unit_test(every_prefix_has_its_edge),
		cmocka_unit_test(networks_contain_their_addresses_only),
		cmocka_unit_test(a_network_of_a_link_contains_what_is_on_it),
		cmocka_unit_test(networks_are_written_as_they_are_read),
		cmocka_unit_test(addresses_have_an_order),
		cmocka_unit_test(a_single_address_is_a_network),
		cmocka_unit_test(refuses_what_is_no_network),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
