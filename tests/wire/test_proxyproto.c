/* proxyproto: headers of both versions at every split, and what is not one to the letter. */
#include "wire/proxyproto.h"

#include <stdio.h>

#include "alone.h"

static struct proxyproto_header out;

static int parse_into_out(const uint8_t *p, size_t n)
{
	return proxyproto_parse(p, n, &out);
}

/* Every proper prefix wants more, and what follows the header is left alone; it tells `source`, or
 * nothing ("-"). */
static void check_header(const void *bytes, size_t len, const char *source)
{
	static uint8_t longer[PROXYPROTO_MAX + 600];
	char text[ADDR_TEXT_MAX];

	memset(longer, 0xee, sizeof(longer));
	memcpy(longer, bytes, len);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(parse_alone(parse_into_out, bytes, n), PROXYPROTO_MORE);
	for (size_t n = len; n <= sizeof(longer); n += n < len + 40 ? 1 : 97)
		assert_int_equal(parse_alone(parse_into_out, longer, n), len);
	assert_int_equal(out.tells, strcmp(source, "-") != 0);
	assert_string_equal(addr_format(&out.source, text), source);
}

/* ---- version 1 ---- */

#define LONGEST_TCP6                                                                               \
	"PROXY TCP6 ffff:f7ff:ffff:ffff:ffff:ffff:ffff:ffff "                                      \
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"

static void lines_of_version_1_may_be_split_anywhere(void **state)
{
	static const struct {
		const char *line, *source;
	} rows[] = {
		{"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n", "192.0.2.7:56324"},
		{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
			"255.255.255.255:65535"},
		{"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0"},
		{"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "[2001:db8::7]:56324"},
		{"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7:1"},
		{LONGEST_TCP6, "[ffff:f7ff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
		{"PROXY UNKNOWN\r\n", "-"},
		{"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "-"},
		{"PROXY UNKNOWN  \r\n", "-"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_header(rows[i].line, strlen(rows[i].line), rows[i].source);
}

/* conforms: PROXY/line */
static void a_line_has_at_most_107_bytes(void **state)
{
	char line[200];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + 105, "\r\n", 2);
	check_header(line, 107, "-");
	line[105] = 'x';
	memcpy(line + 106, "\r\n", 2);
	for (size_t n = 6; n < 107; n++)
		assert_int_equal(parse_alone(parse_into_out, line, n), PROXYPROTO_MORE);
	for (size_t n = 107; n <= sizeof(line); n++)
		assert_int_equal(parse_alone(parse_into_out, line, n), PROXYPROTO_MALFORMED);
}

static void a_line_is_right_to_the_letter(void **state)
{
	static const char *const lines[] = {
		"PROXY\r\n",
		"PROXY \r\n",
		"PROXY  UNKNOWN\r\n",
		"PROXY UNKNOWNS\r\n",
		"PROXY unknown\r\n",
		"proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY tcp4 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP5 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP4\r\n",
		"PROXY TCP4 \r\n",
		"PROXY TCP4 192.0.2.7\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 \r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n",
		"PROXY TCP4  192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2.7  192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1  1 2\r\n",
		"PROXY TCP4\t192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2.07 192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n",
		"PROXY TCP4 3221225991 192.0.2.1 1 2\r\n",
		"PROXY TCP4 example.org 192.0.2.1 1 2\r\n",
		"PROXY TCP4 192.0.2.7 example.org 1 2\r\n",
		"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
		"PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n",
		"PROXY TCP6 2001:db8::7 192.0.2.1 1 2\r\n",
		"PROXY TCP6 [2001:db8::7] [2001:db8::1] 1 2\r\n",
		"PROXY TCP6 fe80::7%1 2001:db8::1 1 2\r\n",
		"PROXY TCP6 2001:db8::7/64 2001:db8::1 1 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 02\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 00 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 +1 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 -1 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1x 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 65536 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 65537\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 4294967297 2\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n\r\n",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (parse_alone(parse_into_out, lines[i], strlen(lines[i])) != PROXYPROTO_MALFORMED)
			fail_msg("\"%s\" is malformed", lines[i]);
	}
}

/* conforms: PROXY/line */
static void a_line_ends_with_both_cr_and_lf(void **state)
{
	static const char *const lines[] = {"PROXY UNKNOWN\n", "PROXY UNKNOWN\r",
		"PROXY UNKNOWN\n\r", "PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(
			parse_alone(parse_into_out, lines[i], strlen(lines[i])), PROXYPROTO_MORE);
}

/* ---- version 2 ---- */

/* A header with this in the place of version and command, family and transport, and so many bytes
 * behind, each with its number; the length of it. */
static size_t put_v2(uint8_t *bytes, uint8_t command, uint8_t family, size_t len)
{
	memcpy(bytes, PROXYPROTO_V2_START, PROXYPROTO_V2_START_LEN);
	bytes[12] = command;
	bytes[13] = family;
	bytes[14] = (uint8_t)(len >> 8);
	bytes[15] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		bytes[16 + i] = (uint8_t)(i + 1);
	return 16 + len;
}

#define V4_SOURCE "1.2.3.4:2314" /* 9 and 10 */
#define V6_SOURCE "[102:304:506:708:90a:b0c:d0e:f10]:8482" /* 33 and 34 */

/* conforms: PROXY/binary */
static void headers_of_version_2_may_be_split_anywhere(void **state)
{
	static const struct {
		uint8_t command, family;
		size_t len;
		const char *source;
	} rows[] = {
		{0x21, 0x11, 12, V4_SOURCE},
		{0x21, 0x11, 13, V4_SOURCE}, /* TLVs */
		{0x21, 0x11, 300, V4_SOURCE},
		{0x21, 0x21, 36, V6_SOURCE},
		{0x21, 0x21, 4096, V6_SOURCE},
		{0x20, 0x00, 0, "-"}, /* LOCAL, whatever is behind it */
		{0x20, 0x11, 12, "-"},
		{0x20, 0xff, 3, "-"},
		{0x21, 0x00, 0, "-"}, /* UNSPEC */
		{0x21, 0x00, 7, "-"},
		{0x21, 0x01, 0, "-"},
		{0x21, 0x10, 12, "-"},
		{0x21, 0x20, 36, "-"},
		{0x21, 0x31, 216, "-"}, /* UNIX */
		{0x21, 0x32, 216, "-"},
	};
	uint8_t bytes[PROXYPROTO_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = put_v2(bytes, rows[i].command, rows[i].family, rows[i].len);

		check_header(bytes, len, rows[i].source);
	}
}

static void where_it_came_to_is_told(void **state)
{
	static const char line[] = "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.1 56324 443\r\n";
	uint8_t bytes[64];
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_true(parse_into_out((const uint8_t *)line, strlen(line)) > 0);
	assert_string_equal(addr_format(&out.destination, text), "192.0.2.1:443");
	assert_true(parse_into_out(bytes, put_v2(bytes, 0x21, 0x11, 12)) > 0);
	assert_string_equal(addr_format(&out.destination, text), "5.6.7.8:2828");
	assert_true(parse_into_out(bytes, put_v2(bytes, 0x21, 0x21, 36)) > 0);
	assert_string_equal(addr_format(&out.destination, text),
		"[1112:1314:1516:1718:191a:1b1c:1d1e:1f20]:8996");
	assert_true(parse_into_out(bytes, put_v2(bytes, 0x20, 0x11, 12)) > 0);
	assert_int_equal(out.destination.sa.sa_family, AF_UNSPEC);
}

static void ipv4_in_ipv6_is_ipv4(void **state)
{
	uint8_t bytes[64];
	size_t len = put_v2(bytes, 0x21, 0x21, 36);

	(void)state;
	memset(bytes + 16, 0, 10);
	memset(bytes + 26, 0xff, 2);
	check_header(bytes, len, "13.14.15.16:8482");
}

static void what_version_2_does_not_have_is_malformed(void **state)
{
	static const struct {
		uint8_t command, family;
		size_t len;
	} rows[] = {
		{0x11, 0x11, 12}, /* version */
		{0x31, 0x11, 12},
		{0x01, 0x11, 12},
		{0x22, 0x11, 12}, /* command */
		{0x2f, 0x11, 12},
		{0x21, 0x41, 216}, /* family */
		{0x21, 0xf1, 216},
		{0x21, 0x13, 12}, /* transport */
		{0x21, 0x2f, 36},
		{0x21, 0x12, 12}, /* of datagrams */
		{0x21, 0x22, 36},
		{0x21, 0x11, 11}, /* too short */
		{0x21, 0x21, 35},
		{0x21, 0x21, 12},
		{0x21, 0x11, 4097}, /* too long */
		{0x20, 0x00, 4097},
		{0x21, 0x11, 65535},
	};
	static uint8_t bytes[16 + 65535];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = put_v2(bytes, rows[i].command, rows[i].family, rows[i].len);

		assert_int_equal(parse_alone(parse_into_out, bytes, len), PROXYPROTO_MALFORMED);
		/* A length that cannot be is not waited for. */
		if (rows[i].len > PROXYPROTO_V2_MOST)
			assert_int_equal(
				parse_alone(parse_into_out, bytes, 16), PROXYPROTO_MALFORMED);
	}
}

/* From the first byte on that differs. */
static void what_begins_otherwise_is_malformed(void **state)
{
	static const char v2[] = PROXYPROTO_V2_START "\x20\0\0\0";
	char bytes[16];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bytes[0] = (char)c;
		assert_int_equal(parse_alone(parse_into_out, bytes, 1),
			c == 'P' || c == '\r' ? PROXYPROTO_MORE : PROXYPROTO_MALFORMED);
	}
	for (size_t i = 1; i < PROXYPROTO_V2_START_LEN; i++) {
		memcpy(bytes, v2, sizeof(bytes));
		bytes[i] ^= 1;
		assert_int_equal(parse_alone(parse_into_out, bytes, i), PROXYPROTO_MORE);
		assert_int_equal(parse_alone(parse_into_out, bytes, i + 1), PROXYPROTO_MALFORMED);
	}
	assert_int_equal(parse_alone(parse_into_out, "POST / HTTP/1.1", 15), PROXYPROTO_MALFORMED);
	assert_int_equal(parse_alone(parse_into_out, "\5\1\0", 3), PROXYPROTO_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_version_1_may_be_split_anywhere),
		cmocka_unit_test(a_line_has_at_most_107_bytes),
		cmocka_unit_test(a_line_is_right_to_the_letter),
		cmocka_unit_test(a_line_ends_with_both_cr_and_lf),
		cmocka_unit_test(headers_of_version_2_may_be_split_anywhere),
		cmocka_unit_test(where_it_came_to_is_told),
		cmocka_unit_test(ipv4_in_ipv6_is_ipv4),
		cmocka_unit_test(what_version_2_does_not_have_is_malformed),
		cmocka_unit_test(what_begins_otherwise_is_malformed),
	};

	return cmocka_run_group_tests_name("wire/proxyproto", tests, NULL, NULL);
}
