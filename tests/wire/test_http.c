/* http: requests at every split, in every form, and what is refused of them; logins. */
#include "wire/http.h"

#include <stdio.h>

#include "http_text.h"
#include "net.h"

static int parse(const char *text, size_t n, struct http_request *out)
{
	size_t seen = 0;

	return http_parse_request((const uint8_t *)text, n, &seen, out);
}

static int parse_text(const char *text, struct http_request *out)
{
	return parse(text, strlen(text), out);
}

/* What a head with these lines behind its request line comes to. */
static int fault_with(const char *lines)
{
	struct http_request r;
	char text[2048];

	snprintf(text, sizeof(text), "POST http://a/ HTTP/1.1\r\n%s\r\n", lines);
	return parse_text(text, &r);
}

static int fault_of_target(const char *method, const char *target)
{
	struct http_request r;
	char text[2048];

	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
	return parse_text(text, &r);
}

/* ---- splits ---- */

static const char *const heads[] = {
	"GET / HTTP/1.0\r\n\r\n",
	"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n",
	"POST http://a:8080/b?c=d HTTP/1.1\r\nHost:a:8080\r\nContent-Length: 3\r\nX:\r\n\r\n",
};

static void requests_may_be_split_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		size_t len = strlen(heads[i]), kept = 0;

		for (size_t n = 0; n <= len; n++) {
			uint8_t *alone = copy_alone(heads[i], n);
			struct http_request r;
			size_t seen = 0;
			int wanted = n == len ? (int)len : HTTP_MORE;

			assert_int_equal(http_parse_request(alone, n, &seen, &r), wanted);
			assert_int_equal(http_parse_request(alone, n, &kept, &r), wanted);
			free(alone);
		}
	}
}

static void leaves_alone_what_follows_the_head(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct http_request r;

		snprintf(text, sizeof(text), "%sGET / HTTP/9.9\n\n", heads[i]);
		assert_int_equal(parse_text(text, &r), strlen(heads[i]));
	}
}

/* ---- forms ---- */

static void takes_apart_absolute_forms(void **state)
{
	static const struct {
		const char *target, *scheme, *authority, *host, *path;
		uint16_t port;
	} rows[] = {
		{"http://a/", "http", "a", "a", "/", 80},
		{"http://a", "http", "a", "a", "", 80},
		{"http://a?q", "http", "a", "a", "?q", 80},
		{"http://a:8080/b/c?d=e", "http", "a:8080", "a", "/b/c?d=e", 8080},
		{"HTTP://A.example:/x", "HTTP", "A.example:", "A.example", "/x", 80},
		{"https://a/", "https", "a", "a", "/", 443},
		{"ftp://a/", "ftp", "a", "a", "/", 0},
		{"http://a//b@c:d", "http", "a", "a", "//b@c:d", 80},
		{"http://a/|{}\\\xc3\xa4", "http", "a", "a", "/|{}\\\xc3\xa4", 80},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_request r;

		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: other\r\n\r\n",
			rows[i].target);
		assert_true(parse_text(text, &r) > 0);
		assert_int_equal(r.form, HTTP_ABSOLUTE_FORM);
		assert_slice(r.scheme, rows[i].scheme);
		assert_slice(r.authority, rows[i].authority);
		assert_slice(r.path, rows[i].path);
		assert_int_equal(r.dst.kind, DESTINATION_NAME);
		assert_int_equal(r.dst.port, rows[i].port);
		assert_int_equal(r.dst.name_len, strlen(rows[i].host));
		assert_memory_equal(r.dst.name, rows[i].host, r.dst.name_len);
	}
}

static void knows_the_other_forms(void **state)
{
	struct http_request r;

	(void)state;
	assert_true(parse_text("GET /a?b HTTP/1.1\r\nHost: c\r\n\r\n", &r) > 0);
	assert_int_equal(r.form, HTTP_ORIGIN_FORM);
	assert_slice(r.path, "/a?b");
	assert_slice(r.host, "c");
	assert_int_equal(r.minor, 1);
	assert_true(parse_text("OPTIONS * HTTP/1.0\r\n\r\n", &r) > 0);
	assert_int_equal(r.form, HTTP_ASTERISK_FORM);
	assert_int_equal(r.minor, 0);
	assert_true(parse_text("CONNECT a.example:443 HTTP/1.0\r\n\r\n", &r) > 0);
	assert_int_equal(r.form, HTTP_AUTHORITY_FORM);
	assert_int_equal(r.dst.port, 443);
	assert_true(parse_text("CONNECT [::1]:443 HTTP/1.0\r\n\r\n", &r) > 0);
	assert_int_equal(r.dst.kind, DESTINATION_ADDR);
	assert_int_equal(r.dst.addr.sa.sa_family, AF_INET6);
	assert_int_equal(r.dst.port, 443);
	assert_true(parse_text("CONNECT 10.0.0.1:443 HTTP/1.0\r\n\r\n", &r) > 0);
	assert_int_equal(r.dst.kind, DESTINATION_ADDR);
}

/* Pitfall 36: a port is digits, 1 to 65535. */
static void refuses_what_is_no_port(void **state)
{
	static const char *const ports[] = {"0", "65536", "65616", "65979", "131152", "80x", "x80",
		"+80", "-1", "0x50", " 80", "80 ", "80:80", "4294967376", "18446744073709551696",
		"99999999999999999999999"};
	char target[256];

	(void)state;
	for (size_t i = 0; i < COUNT(ports); i++) {
		snprintf(target, sizeof(target), "a:%s", ports[i]);
		assert_true(fault_of_target("CONNECT", target) < 0);
		snprintf(target, sizeof(target), "http://a:%s/", ports[i]);
		assert_true(fault_of_target("GET", target) < 0);
		snprintf(target, sizeof(target), "http://[::1]:%s/", ports[i]);
		assert_true(fault_of_target("GET", target) < 0);
	}
	assert_int_equal(fault_of_target("CONNECT", "a"), HTTP_BAD_TARGET);
	assert_int_equal(fault_of_target("CONNECT", "a:"), HTTP_BAD_TARGET);
	assert_true(fault_of_target("CONNECT", "a:1") > 0);
	assert_true(fault_of_target("CONNECT", "a:0065535") > 0);
}

static void refuses_targets_that_are_none(void **state)
{
	static const struct {
		const char *method, *target;
	} rows[] = {
		{"GET", "http://user:secret@a/"},
		{"GET", "http://user@a/"},
		{"GET", "http://@a/"},
		{"CONNECT", "user@a:443"},
		{"GET", "http:///path"},
		{"GET", "http://"},
		{"GET", "http://:80/"},
		{"GET", "http:/a"},
		{"GET", "http:a"},
		{"GET", "://a/"},
		{"GET", "a/b"},
		{"GET", "a:80"},
		{"GET", "*"},
		{"options", "*"},
		{"GET", "/a#b"},
		{"GET", "http://a/#b"},
		{"GET", "http://a#b"},
		{"GET", "/a\x7f"},
		{"GET", "http://a%62c/"},
		{"GET", "http://a\\b/"},
		{"GET", "http://\xc3\xa4/"},
		{"GET", "http://[::1/"},
		{"GET", "http://::1/"},
		{"GET", "http://[1.2.3.4]/"},
		{"GET", "http://[a]/"},
		{"GET", "http://[fe80::1%25lo]/"},
		{"GET", "http://[::1]x/"},
		{"GET", "http://[[::1]]/"},
		{"CONNECT", "::1:443"},
		{"CONNECT", "/"},
		{"CONNECT", "http://a:443/"},
		{"CONNECT", "a:443/"},
		{"CONNECT", "*"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(fault_of_target(rows[i].method, rows[i].target), HTTP_BAD_TARGET);
}

static void a_name_has_255_bytes_at_most(void **state)
{
	char target[512];

	(void)state;
	snprintf(target, sizeof(target), "%0255d:1", 0);
	target[0] = 'a';
	assert_true(fault_of_target("CONNECT", target) > 0);
	snprintf(target, sizeof(target), "%0256d:1", 0);
	target[0] = 'a';
	assert_int_equal(fault_of_target("CONNECT", target), HTTP_BAD_TARGET);
}

/* ---- request line ---- */

static void refuses_request_lines_that_are_none(void **state)
{
	static const struct {
		const char *line;
		int fault;
	} rows[] = {
		{"GET /", HTTP_BAD_LINE},
		{"GET  / HTTP/1.1", HTTP_BAD_LINE},
		{"GET /  HTTP/1.1", HTTP_BAD_LINE},
		{"GET / HTTP/1.1 ", HTTP_BAD_LINE},
		{" GET / HTTP/1.1", HTTP_BAD_LINE},
		{"GET\t/ HTTP/1.1", HTTP_BAD_LINE},
		{"GE(T / HTTP/1.1", HTTP_BAD_LINE},
		{"GET / http/1.1", HTTP_BAD_LINE},
		{"GET / HTTP/1", HTTP_BAD_LINE},
		{"GET / HTTP/1.10", HTTP_BAD_LINE},
		{"GET / HTTP/11.1", HTTP_BAD_LINE},
		{"GET / HTTP/1,1", HTTP_BAD_LINE},
		{"GET /a b HTTP/1.1", HTTP_BAD_LINE},
		{"", HTTP_BAD_LINE},
		{"GET / HTTP/2.0", HTTP_BAD_VERSION},
		{"PRI * HTTP/2.0", HTTP_BAD_VERSION},
		{"GET / HTTP/0.9", HTTP_BAD_VERSION},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_request r;

		snprintf(text, sizeof(text), "%s\r\nHost: a\r\n\r\n", rows[i].line);
		assert_int_equal(parse_text(text, &r), rows[i].fault);
	}
}

/* ---- fields ---- */

/* Pitfall 37: one way to read a length, and nothing that others may read in another way. */
static void refuses_every_odd_length(void **state)
{
	static const char *const values[] = {"+3", "-3", "0x3", "3,3", "3, 3", "3;", "3 3", "\"3\"",
		"", "3.0", "a", "9223372036854775808", "18446744073709551619",
		"99999999999999999999999999"};
	char lines[256];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(lines, sizeof(lines), "Host: a\r\nContent-Length: %s\r\n", values[i]);
		assert_int_equal(fault_with(lines), HTTP_BAD_LENGTH);
	}
	assert_true(fault_with("Host: a\r\nContent-Length: 9223372036854775807\r\n") > 0);
	assert_true(fault_with("Host: a\r\nContent-Length: \t3 \r\n") > 0);
}

static void refuses_what_is_said_twice(void **state)
{
	static const struct {
		const char *lines;
		int fault;
	} rows[] = {
		{"Content-Length: 3\r\nContent-Length: 3\r\n", HTTP_BAD_LENGTH},
		{"Content-Length: 3\r\ncontent-length: 4\r\n", HTTP_BAD_LENGTH},
		{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_LENGTH},
		{"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", HTTP_BAD_LENGTH},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_LENGTH},
		{"Transfer-Encoding: gzip, chunked\r\n", HTTP_BAD_CODING},
		{"Transfer-Encoding: chunked, chunked\r\n", HTTP_BAD_CODING},
		{"Transfer-Encoding: identity\r\n", HTTP_BAD_CODING},
		{"Transfer-Encoding: xchunked\r\n", HTTP_BAD_CODING},
		{"Transfer-Encoding: \x0b"
		 "chunked\r\n",
			HTTP_BAD_FIELD},
		{"Transfer-Encoding:\r\n", HTTP_BAD_CODING},
		{"Proxy-Authorization: Basic YQ==\r\nProxy-Authorization: Basic YQ==\r\n",
			HTTP_BAD_FIELD},
	};
	char lines[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(lines, sizeof(lines), "Host: a\r\n%s", rows[i].lines);
		assert_int_equal(fault_with(lines), rows[i].fault);
	}
	assert_true(fault_with("Host: a\r\nTransfer-Encoding: Chunked\r\n") > 0);
}

static void chunks_are_nothing_for_http_1_0(void **state)
{
	struct http_request r;

	(void)state;
	assert_int_equal(parse_text("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", &r),
		HTTP_BAD_LENGTH);
}

/* Pitfall 37 likewise. */
static void refuses_lines_that_are_no_fields(void **state)
{
	static const char *const lines[] = {"X : a", "X\t: a", "X", ": a", "X: a\r\n b",
		"X: a\r\n\tb", " X: a", "X Y: a", "X: a\rb", "X: a\x01", "X: \x7f", "(X): a",
		"X\xc3\xa4: a"};
	char text[256];
	struct http_request r;
	static const char nul[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		snprintf(text, sizeof(text), "Host: a\r\n%s\r\n", lines[i]);
		assert_int_equal(fault_with(text), HTTP_BAD_FIELD);
	}
	assert_int_equal(parse(nul, sizeof(nul) - 1, &r), HTTP_BAD_FIELD);
}

static void a_bare_line_feed_is_refused_at_once(void **state)
{
	static const char *const beginnings[] = {"\n", "GET / HTTP/1.1\n",
		"GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\n\n"};
	struct http_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(beginnings); i++)
		assert_int_equal(parse_text(beginnings[i], &r), HTTP_BAD_LINE);
}

/* Pitfall 38: two Hosts. */
static void there_is_one_host(void **state)
{
	struct http_request r;

	(void)state;
	assert_int_equal(fault_with("Host: a\r\nHost: a\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("Host: a\r\nHOST: b\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("X: a\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("Host: a b\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("Host: a:99999\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("Host: u@a\r\n"), HTTP_BAD_HOST);
	assert_int_equal(fault_with("Host: a, b\r\n"), HTTP_BAD_HOST);
	assert_true(fault_with("Host:\r\n") > 0);
	assert_true(parse_text("GET http://a/ HTTP/1.0\r\n\r\n", &r) > 0);
	assert_slice(r.host, "");
}

static void knows_how_the_body_ends(void **state)
{
	struct http_request r;

	(void)state;
	assert_true(parse_text("GET / HTTP/1.0\r\n\r\n", &r) > 0);
	assert_int_equal(r.body.framing, HTTP_NO_BODY);
	assert_true(parse_text("PUT / HTTP/1.0\r\nContent-Length: 0012\r\n\r\n", &r) > 0);
	assert_int_equal(r.body.framing, HTTP_LENGTH);
	assert_int_equal(r.body.length, 12);
	assert_true(parse_text("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
			       "Expect: 100-Continue\r\n\r\n",
			    &r) > 0);
	assert_int_equal(r.body.framing, HTTP_CHUNKED);
	assert_true(r.expects_continue);
}

static void has_at_most_100_fields_and_64_kilobytes(void **state)
{
	char *text = malloc(2 * HTTP_HEAD_MAX);
	struct http_request r;
	size_t len, seen = 0;

	(void)state;
	assert_non_null(text);
	for (int fields = HTTP_FIELDS_MAX; fields <= HTTP_FIELDS_MAX + 1; fields++) {
		len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (int i = 1; i < fields; i++)
			len += (size_t)sprintf(text + len, "X: %d\r\n", i);
		len += (size_t)sprintf(text + len, "\r\n");
		assert_int_equal(parse(text, len, &r),
			fields == HTTP_FIELDS_MAX ? (int)len : HTTP_TOO_LARGE);
	}
	len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(text + len, 'x', 2 * HTTP_HEAD_MAX - len);
	assert_int_equal(parse(text, HTTP_HEAD_MAX - 1, &r), HTTP_MORE);
	assert_int_equal(parse(text, HTTP_HEAD_MAX, &r), HTTP_TOO_LARGE);
	memcpy(text + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(parse(text, HTTP_HEAD_MAX, &r), HTTP_HEAD_MAX);
	memcpy(text + HTTP_HEAD_MAX - 4, "xxx\r\n\r\n", 7);
	assert_int_equal(
		http_parse_request((uint8_t *)text, HTTP_HEAD_MAX + 3, &seen, &r), HTTP_TOO_LARGE);
	free(text);
}

/* ---- logins ---- */

/* Pitfall 45: a NUL or a colon in the password is not the end of it, bad base64 is wrong. */
static void reads_logins_to_the_byte(void **state)
{
	static const struct {
		const char *value, *name;
		const char *password;
		size_t password_len;
	} rows[] = {
		{"Basic YWxpY2U6c2VjcmV0", "alice", "secret", 6},
		{"basic   YWxpY2U6c2VjcmV0", "alice", "secret", 6},
		{"Basic YTpiOmM=", "a", "b:c", 3},
		{"Basic YTpiAGM=", "a", "b\0c", 4 - 1},
		{"Basic YTo=", "a", "", 0},
		{"Basic Og==", "", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice value = slice_of(rows[i].value);
		struct http_basic login;

		assert_true(http_parse_basic(&value, &login));
		assert_int_equal(login.name_len, strlen(rows[i].name));
		assert_memory_equal(login.bytes, rows[i].name, login.name_len);
		assert_int_equal(login.password_len, rows[i].password_len);
		assert_memory_equal(
			login.bytes + login.password_at, rows[i].password, rows[i].password_len);
	}
}

static void refuses_logins_that_are_none(void **state)
{
	static const char *const values[] = {"", "Basic", "Basic ", "BasicYTpi", "Bearer YTpi",
		"Basic YTpi!", "Basic YTp", "Basic YTo", "Basic YTo==", "Basic YTpi YTpi",
		"Basic YWJj", "Basic YTpi=", "Basic a:b", "Digest username=\"a\""};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct http_slice value = slice_of(values[i]);
		struct http_basic login;

		assert_false(http_parse_basic(&value, &login));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_may_be_split_anywhere),
		cmocka_unit_test(leaves_alone_what_follows_the_head),
		cmocka_unit_test(takes_apart_absolute_forms),
		cmocka_unit_test(knows_the_other_forms),
		cmocka_unit_test(refuses_what_is_no_port),
		cmocka_unit_test(refuses_targets_that_are_none),
		cmocka_unit_test(a_name_has_255_bytes_at_most),
		cmocka_unit_test(refuses_request_lines_that_are_none),
		cmocka_unit_test(refuses_every_odd_length),
		cmocka_unit_test(refuses_what_is_said_twice),
		cmocka_unit_test(chunks_are_nothing_for_http_1_0),
		cmocka_unit_test(refuses_lines_that_are_no_fields),
		cmocka_unit_test(a_bare_line_feed_is_refused_at_once),
		cmocka_unit_test(there_is_one_host),
		cmocka_unit_test(knows_how_the_body_ends),
		cmocka_unit_test(has_at_most_100_fields_and_64_kilobytes),
		cmocka_unit_test(reads_logins_to_the_byte),
		cmocka_unit_test(refuses_logins_that_are_none),
	};

	return cmocka_run_group_tests_name("wire/http", tests, NULL, NULL);
}
