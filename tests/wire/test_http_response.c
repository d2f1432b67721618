/* http_response: answers at every split, odd ones that are taken, and where their bodies end. */
#include "wire/http_response.h"

#include <stdio.h>

#include "http_text.h"
#include "net.h"

static int parse_text(const char *text, struct http_response *out)
{
	size_t seen = 0;

	return http_parse_response((const uint8_t *)text, strlen(text), &seen, out);
}

static int parse_with(const char *lines, struct http_response *out)
{
	static char text[2048]; /* slices point into it */

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s\r\n", lines);
	return parse_text(text, out);
}

static void answers_may_be_split_anywhere(void **state)
{
	static const char *const heads[] = {"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.0 404 Not here\nX: y\n\n",
		"HTTP/1.1 200\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 \r\nX: y\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		size_t len = strlen(heads[i]), kept = 0;

		for (size_t n = 0; n <= len; n++) {
			uint8_t *alone = copy_alone(heads[i], n);
			struct http_response r;
			size_t seen = 0;
			int wanted = n == len ? (int)len : HTTP_MORE;

			assert_int_equal(http_parse_response(alone, n, &seen, &r), wanted);
			assert_int_equal(http_parse_response(alone, n, &kept, &r), wanted);
			free(alone);
		}
	}
}

static void reads_status_lines(void **state)
{
	struct http_response r;

	(void)state;
	assert_true(parse_text("HTTP/1.1 200 OK\r\n\r\n", &r) > 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.minor, 1);
	assert_slice(r.reason, "OK");
	assert_true(parse_text("HTTP/1.0 404\n\n", &r) > 0);
	assert_int_equal(r.status, 404);
	assert_int_equal(r.minor, 0);
	assert_slice(r.reason, "");
	assert_true(parse_text("HTTP/1.1 999 a  b \xe4\r\n\r\n", &r) > 0);
	assert_slice(r.reason, "a  b \xe4");
}

static void refuses_what_is_no_answer(void **state)
{
	static const char *const heads[] = {"\r\n\r\n", "hello\r\n\r\n", "ICY 200 OK\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n",
		"HTTP/1.1 200 O\rK\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct http_response r;

		assert_int_equal(parse_text(heads[i], &r), HTTP_BAD_LINE);
	}
}

static void knows_where_bodies_end(void **state)
{
	static const struct {
		const char *lines;
		enum http_framing framing;
		int64_t length;
		bool is_coded;
	} rows[] = {
		{"", HTTP_UNTIL_CLOSE, 0, false},
		{"Content-Length: 12\r\n", HTTP_LENGTH, 12, false},
		{"Content-Length: 12\r\nContent-Length: 12\r\n", HTTP_LENGTH, 12, false},
		{"Content-Length: 12, 12\r\n", HTTP_LENGTH, 12, false},
		{"Transfer-Encoding: chunked\r\n", HTTP_CHUNKED, 0, false},
		{"Content-Length: 12\r\nTransfer-Encoding: Chunked\r\n", HTTP_CHUNKED, 0, false},
		{"Transfer-Encoding: gzip, chunked\r\n", HTTP_CHUNKED, 0, true},
		{"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", HTTP_CHUNKED, 0,
			true},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked, gzip\r\n", HTTP_UNTIL_CLOSE, 0,
			true},
		{"Transfer-Encoding: identity\r\n", HTTP_UNTIL_CLOSE, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_response r;

		assert_true(parse_with(rows[i].lines, &r) > 0);
		assert_int_equal(r.body.framing, rows[i].framing);
		assert_int_equal(r.body.length, rows[i].length);
		assert_int_equal(r.is_coded, rows[i].is_coded);
	}
}

static void refuses_lengths_that_contradict(void **state)
{
	static const char *const lines[] = {"Content-Length: 12\r\nContent-Length: 13\r\n",
		"Content-Length: 12, 13\r\n", "Content-Length: -1\r\n", "Content-Length:\r\n",
		"Content-Length: ,\r\n", "Content-Length: 12x\r\n",
		"Content-Length: 9223372036854775808\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct http_response r;

		assert_int_equal(parse_with(lines[i], &r), HTTP_BAD_LENGTH);
	}
}

static void some_answers_have_no_body(void **state)
{
	static const struct {
		bool to_head;
		unsigned status;
		enum http_framing framing;
	} rows[] = {
		{false, 200, HTTP_LENGTH},
		{true, 200, HTTP_NO_BODY},
		{false, 204, HTTP_NO_BODY},
		{false, 304, HTTP_NO_BODY},
		{false, 100, HTTP_NO_BODY},
		{false, 205, HTTP_LENGTH},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_response r = {
			.status = rows[i].status, .body = {.framing = HTTP_LENGTH, .length = 3}};

		assert_int_equal(http_response_body(&r, rows[i].to_head).framing, rows[i].framing);
	}
}

static void takes_fields_as_servers_write_them(void **state)
{
	struct http_response r;
	struct http_field field;

	(void)state;
	assert_true(parse_with("A : b\r\nno field\r\nC: d\r\n\te\r\n f\nG:\n", &r) > 0);
	assert_true(http_next_field(&r.fields, &field));
	assert_slice(field.name, "A");
	assert_slice(field.value, "b");
	assert_true(http_next_field(&r.fields, &field));
	assert_slice(field.name, "C");
	assert_slice(field.value, "d\r\n\te\r\n f");
	assert_true(http_next_field(&r.fields, &field));
	assert_slice(field.name, "G");
	assert_slice(field.value, "");
	assert_false(http_next_field(&r.fields, &field));
	assert_int_equal(parse_with("A: \x01\r\n", &r), HTTP_BAD_FIELD);
	assert_int_equal(parse_with("A: b\r\n \x01\r\n", &r), HTTP_BAD_FIELD);
	assert_int_equal(parse_with("no\x01 field\r\n", &r), HTTP_BAD_FIELD);
	assert_int_equal(parse_with("A: b\rc\r\n", &r), HTTP_BAD_FIELD);
}

static void has_at_most_100_fields(void **state)
{
	char lines[1024] = "";
	struct http_response r;

	(void)state;
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		strcat(lines, "X:y\r\n");
	assert_true(parse_with(lines, &r) > 0);
	strcat(lines, "X:y\r\n");
	assert_int_equal(parse_with(lines, &r), HTTP_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_may_be_split_anywhere),
		cmocka_unit_test(reads_status_lines),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(knows_where_bodies_end),
		cmocka_unit_test(refuses_lengths_that_contradict),
		cmocka_unit_test(some_answers_have_no_body),
		cmocka_unit_test(takes_fields_as_servers_write_them),
		cmocka_unit_test(has_at_most_100_fields),
	};

	return cmocka_run_group_tests_name("wire/http_response", tests, NULL, NULL);
}
