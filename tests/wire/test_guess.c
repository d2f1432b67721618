/* guess: each protocol by its first bytes, whatever their number. */
#include "wire/guess.h"

#include <string.h>

#include "../base/check.h"

struct sample {
	const char *bytes;
	size_t len; /* 0: a string */
	enum guess guess;
	size_t needed; /* bytes that decide; 0: does not matter */
};

static const struct sample samples[] = {
	{"GET / HTTP/1.1\r\n", 0, GUESS_HTTP, 5},
	{"GET http://www.example.org/ HTTP/1.1\r\n", 0, GUESS_HTTP, 11},
	{"POST /a HTTP/1.0\r\n", 0, GUESS_HTTP, 6},
	{"PROPFIND / HTTP/1.1\r\n", 0, GUESS_HTTP, 10},
	{"PUT /x HTTP/1.1\r\n", 0, GUESS_HTTP, 5},
	{"M-SEARCH * HTTP/1.1\r\n", 0, GUESS_HTTP, 10},
	{"OPTIONS * HTTP/1.1\r\n", 0, GUESS_HTTP, 9},
	{"CONNECT www.example.org:443 HTTP/1.1\r\n", 0, GUESS_HTTP, 8},
	{"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n", 0, GUESS_HTTP, 8},
	{"PRI * HTTP/2.0\r\n", 0, GUESS_HTTP, 5},
	{"GET /\r\n", 0, GUESS_HTTP, 5},
	{"\x16\x03\x01\x02\x00\x01", 6, GUESS_TLS, 3},
	{"\x16\x03\x03\x02\x00\x01", 6, GUESS_TLS, 3},
	{"\x05\x01\x00", 3, GUESS_SOCKS5, 1},
	{"\x04\x01\x00\x50\x7f\x00\x00\x01", 8, GUESS_SOCKS4, 2},
	{"\x04\x02\x00\x50\x7f\x00\x00\x01", 8, GUESS_SOCKS4, 2},
	{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 0, GUESS_PROXY_V1, 6},
	{"PROXY UNKNOWN\r\n", 0, GUESS_PROXY_V1, 6},
	{"PROXY * HTTP/1.1\r\n", 0, GUESS_PROXY_V1, 6},
	{"\r\n\r\n\0\r\nQUIT\n\x21\x11", 14, GUESS_PROXY_V2, 12},
	/* What is none of them. */
	{"\x04\x03", 2, GUESS_UNKNOWN, 2},
	{"\x16\x01", 2, GUESS_UNKNOWN, 2},
	{"\x16\x03\x05", 3, GUESS_UNKNOWN, 3},
	{"SSH-2.0-OpenSSH_9.2\r\n", 0, GUESS_UNKNOWN, 5},
	{"EHLO mail.example.org\r\n", 0, GUESS_UNKNOWN, 0},
	{"USER anonymous\r\n", 0, GUESS_UNKNOWN, 0},
	{"HELO WORLDWORLDWORLDWORLD", 0, GUESS_UNKNOWN, 0},
	{"GET\t/ HTTP/1.1\r\n", 0, GUESS_UNKNOWN, 4},
	{"GET  / HTTP/1.1\r\n", 0, GUESS_UNKNOWN, 5},
	{" GET / HTTP/1.1\r\n", 0, GUESS_UNKNOWN, 1},
	{"get / HTTP/1.1\r\n", 0, GUESS_UNKNOWN, 1},
	{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0, GUESS_UNKNOWN, 25},
	{"GET aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, GUESS_UNKNOWN, 21},
	{"\r\nGET / HTTP/1.1\r\n", 0, GUESS_UNKNOWN, 3},
	{"\r\n\r\n\1\r\nQUIT\n", 12, GUESS_UNKNOWN, 5},
	{"\0", 1, GUESS_UNKNOWN, 1},
	{"\xff\xff", 2, GUESS_UNKNOWN, 1},
};

static void each_is_known_by_its_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct sample *s = &samples[i];
		size_t len = s->len > 0 ? s->len : strlen(s->bytes);
		size_t n = 0;

		/* With every number of them: first it is open, and what is decided stays. */
		while (n < len && guess_protocol((const uint8_t *)s->bytes, n) == GUESS_MORE)
			n++;
		if (s->needed > 0)
			assert_int_equal(n, s->needed);
		for (; n <= len; n++)
			assert_int_equal(guess_protocol((const uint8_t *)s->bytes, n), s->guess);
	}
}

static void it_is_decided_soon(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		memset(bytes, (int)c, sizeof(bytes));
		assert_int_not_equal(guess_protocol(bytes, sizeof(bytes)), GUESS_MORE);
	}
}

static void what_is_guessed_has_a_word(void **state)
{
	(void)state;
	assert_null(guess_word(GUESS_MORE));
	assert_null(guess_word(GUESS_UNKNOWN));
	assert_string_equal(guess_word(GUESS_HTTP), "http");
	assert_string_equal(guess_word(GUESS_TLS), "tls");
	assert_string_equal(guess_word(GUESS_SOCKS5), "socks5");
	assert_string_equal(guess_word(GUESS_SOCKS4), "socks4");
	assert_string_equal(guess_word(GUESS_PROXY_V1), "proxy_v1");
	assert_string_equal(guess_word(GUESS_PROXY_V2), "proxy_v2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_known_by_its_first_bytes),
		cmocka_unit_test(it_is_decided_soon),
		cmocka_unit_test(what_is_guessed_has_a_word),
	};

	return cmocka_run_group_tests_name("wire/guess", tests, NULL, NULL);
}
