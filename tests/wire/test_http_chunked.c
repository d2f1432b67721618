/* http_chunked: bodies cut at every byte, their data, and what is no body of chunks. */
#include "wire/http_chunked.h"

#include <stdio.h>

#include "http_text.h"
#include "net.h"

/* Takes it in pieces of `step` bytes; how many were taken, and the data in `data`. */
static size_t run(struct http_chunked *c, const char *text, size_t len, size_t step, char *data)
{
	size_t at = 0;

	*data = '\0';
	while (at < len && !http_chunked_has_ended(c) && !http_chunked_is_malformed(c)) {
		size_t n = step < len - at ? step : len - at;
		uint8_t *alone = copy_alone(text + at, n);
		bool is_data;
		size_t taken = http_chunked_take(c, alone, n, &is_data);

		if (is_data)
			strncat(data, (const char *)alone, taken);
		at += taken;
		free(alone);
	}
	return at;
}

static const struct {
	const char *text, *data;
} bodies[] = {
	{"0\r\n\r\n", ""},
	{"5\r\nhello\r\n0\r\n\r\n", "hello"},
	{"5\r\nhello\r\nA\r\n0123456789\r\n00\r\n\r\n", "hello0123456789"},
	{"5 \t;a=b;c=\"d;e\"\r\nhello\r\n0;f\r\n\r\n", "hello"},
	{"000000000000000c\r\n5\r\nhello\r\n0\r\r\n0\r\nX: y\r\nZ:\r\n\r\n", "5\r\nhello\r\n0\r"},
};

static void bodies_may_be_cut_anywhere(void **state)
{
	char text[256], data[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		size_t len = strlen(bodies[i].text);

		snprintf(text, sizeof(text), "%sGET / HTTP/1.1\r\n", bodies[i].text);
		for (size_t step = 1; step <= len + 3; step++) {
			struct http_chunked c = {0};

			assert_int_equal(run(&c, text, strlen(text), step, data), len);
			assert_true(http_chunked_has_ended(&c));
			assert_string_equal(data, bodies[i].data);
		}
	}
}

/* Pitfall 37: sizes without overflow, and nothing that others may read in another way. */
static void refuses_what_is_no_chunk(void **state)
{
	static const char *const texts[] = {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n",
		"0x1\r\n", "1 \r\na", "1\na", "1\r\nab", "1\r\na\n0", "1\r\na\rb", "1\r\r\n",
		";a\r\n", "1;a\nb", "1;a\x01\r\n", "1;\rb", "10000000000000000\r\n",
		"ffffffffffffffff\r\n", "00000000000000001\r\n", "fffffffffffffff0\r\n",
		"4000000000000000\r\n", "0\r\n\n", "0\r\n: a\r\n", "0\r\n a\r\n", "0\r\na\r\n",
		"0\r\na : b\r\n", "0\r\na: \x01\r\n", "0\r\na: b\n", "0\r\n\ra"};
	char data[256];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t step = 1; step <= strlen(texts[i]); step++) {
			struct http_chunked c = {0};

			run(&c, texts[i], strlen(texts[i]), step, data);
			assert_true(http_chunked_is_malformed(&c));
		}
	}
}

static void servers_may_be_lax(void **state)
{
	static const char text[] = "5  \nhello\n5\t\r\nworld\r\n3;x\nabc\n0\nX: y\n\n";
	char data[256];

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct http_chunked c = {.is_lax = true};

		assert_int_equal(run(&c, text, sizeof(text) - 1, step, data), sizeof(text) - 1);
		assert_true(http_chunked_has_ended(&c));
		assert_string_equal(data, "helloworldabc");
	}
}

static void extensions_and_trailers_have_a_bound(void **state)
{
	char *text = calloc(1, HTTP_TRAILER_MAX + 100), data[16];
	struct http_chunked c = {0};

	(void)state;
	assert_non_null(text);
	memset(text, 'x', HTTP_TRAILER_MAX + 99);
	memcpy(text, "1;", 2);
	run(&c, text, HTTP_CHUNK_LINE_MAX, HTTP_CHUNK_LINE_MAX, data);
	assert_false(http_chunked_is_malformed(&c));
	run(&c, "x", 1, 1, data);
	assert_true(http_chunked_is_malformed(&c));
	c = (struct http_chunked){0};
	run(&c, "0\r\n", 3, 3, data);
	memcpy(text, "a:", 2);
	run(&c, text, HTTP_TRAILER_MAX, HTTP_TRAILER_MAX, data);
	assert_false(http_chunked_is_malformed(&c));
	run(&c, "x", 1, 1, data);
	assert_true(http_chunked_is_malformed(&c));
	free(text);
}

static void the_largest_chunk_has_2_to_the_62_bytes(void **state)
{
	struct http_chunked c = {0};
	char data[16];

	(void)state;
	run(&c, "3fffffffffffffff\r\n", 18, 18, data);
	assert_false(http_chunked_is_malformed(&c));
	assert_true(c.left == UINT64_C(0x3fffffffffffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_may_be_cut_anywhere),
		cmocka_unit_test(refuses_what_is_no_chunk),
		cmocka_unit_test(servers_may_be_lax),
		cmocka_unit_test(extensions_and_trailers_have_a_bound),
		cmocka_unit_test(the_largest_chunk_has_2_to_the_62_bytes),
	};

	return cmocka_run_group_tests_name("wire/http_chunked", tests, NULL, NULL);
}
