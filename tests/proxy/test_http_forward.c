/* http_forward: heads as they go on, in the place of what they are written from. */
#include "proxy/http_forward.h"

#include <stdio.h>

#include "../wire/http_text.h"
#include "net.h"

static char memory[HTTP_FORWARD_ROOM + 8192];

/* The head is put behind the room, and what is written of it in front. */
static struct http_writer put(const char *text)
{
	size_t len = strlen(text);

	memcpy(memory + HTTP_FORWARD_ROOM, text, len);
	return (struct http_writer){.at = memory, .end = memory + HTTP_FORWARD_ROOM + len};
}

static const char *forward_request(const char *text, bool has_via)
{
	struct http_writer w = put(text);
	struct http_request r;
	size_t seen = 0;

	assert_int_equal(
		http_parse_request((uint8_t *)memory + HTTP_FORWARD_ROOM, strlen(text), &seen, &r),
		strlen(text));
	http_forward_request(&w, &r, has_via);
	assert_false(w.is_full);
	*w.at = '\0';
	return memory;
}

static const char *forward_response(const char *text, struct http_hop hop)
{
	struct http_writer w = put(text);
	struct http_response r;
	size_t seen = 0;

	assert_int_equal(
		http_parse_response((uint8_t *)memory + HTTP_FORWARD_ROOM, strlen(text), &seen, &r),
		strlen(text));
	http_forward_response(&w, &r, &hop);
	assert_false(w.is_full);
	*w.at = '\0';
	return memory;
}

#define CLOSE "Connection: close\r\n\r\n"

static void the_url_s_authority_is_the_host(void **state)
{
	static const struct {
		const char *url, *line, *host;
	} rows[] = {
		{"http://a/b", "GET /b", "a"},
		{"http://a", "GET /", "a"},
		{"http://a?q", "GET /?q", "a"},
		{"http://A.b:80/c", "GET /c", "A.b:80"},
		{"http://a:/c", "GET /c", "a"},
		{"http://[2001:db8::1]:81/c", "GET /c", "[2001:db8::1]:81"},
	};
	char text[256], wanted[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nX: 1\r\nHost: other\r\n\r\n",
			rows[i].url);
		snprintf(wanted, sizeof(wanted), "%s HTTP/1.1\r\nHost: %s\r\nX: 1\r\n" CLOSE,
			rows[i].line, rows[i].host);
		assert_string_equal(forward_request(text, false), wanted);
	}
}

/* Those that say where the body ends are kept though Connection names them: it is as long as that.
 */
static void what_frames_the_body_stays(void **state)
{
	(void)state;
	assert_string_equal(
		forward_request("POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
				"Connection: content-length, host, Cookie\r\nCookie: c\r\n\r\n",
			false),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" CLOSE);
	assert_string_equal(forward_response("HTTP/1.1 200 OK\r\nConnection: transfer-encoding\r\n"
					     "Transfer-Encoding: chunked\r\n\r\n",
				    (struct http_hop){0}),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" CLOSE);
	assert_string_equal(forward_response("HTTP/1.1 200 OK\r\nConnection: content-length\r\n"
					     "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
				    (struct http_hop){0}),
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" CLOSE);
}

static void another_protocol_is_asked_for_in_one_way_only(void **state)
{
	static const struct {
		const char *fields;
		bool upgrades;
	} rows[] = {
		{"Connection: Upgrade\r\nUpgrade: websocket\r\n", true},
		{"Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n", true},
		{"Connection: close\r\nUpgrade: websocket\r\n", false},
		{"Connection: Upgrade\r\n", false},
		{"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n",
			false},
		{"Connection: Upgrade\r\nUpgrade: a, b\r\n", false},
		{"Connection: Upgrade\r\nUpgrade: a\r\nX: y\r\nupgrade: b\r\n", false},
		{"Connection: Upgrade\r\nUpgrade: a\r\nUpgrade: a\r\n", false},
		{"Connection: Upgrade\r\nUpgrade: ,\r\nUpgrade:\r\n", false},
		{"Connection: Upgrade\r\nUpgrade: websocket,\r\n", true},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n", false},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *head;

		snprintf(text, sizeof(text), "GET http://a/ HTTP/1.1\r\nHost: a\r\n%s\r\n",
			rows[i].fields);
		head = forward_request(text, false);
		assert_int_equal(strstr(head, "\r\nUpgrade: ") != NULL, rows[i].upgrades);
		assert_int_equal(
			strstr(head, "\r\nConnection: Upgrade\r\n") != NULL, rows[i].upgrades);
		assert_null(strstr(head, "HTTP2-Settings"));
	}
}

static void who_speaks_http_1_0_expects_nothing(void **state)
{
	(void)state;
	assert_string_equal(forward_request("POST http://a/ HTTP/1.0\r\nExpect: 100-continue\r\n"
					    "Content-Length: 3\r\n\r\n",
				    false),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" CLOSE);
}

static void via_tells_the_version_of_what_was_received(void **state)
{
	(void)state;
	assert_string_equal(forward_request("GET http://a/ HTTP/1.0\r\n\r\n", true),
		"GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 socks5d\r\n" CLOSE);
	assert_string_equal(forward_response("HTTP/1.1 200 OK\r\nVia: 1.1 x\r\n\r\n",
				    (struct http_hop){.has_via = true}),
		"HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nVia: 1.1 socks5d\r\n" CLOSE);
}

static void answers_go_on_in_each_way(void **state)
{
	static const char answer[] = "HTTP/1.0 200\nTransfer-Encoding: chunked\nUpgrade: x\n"
				     "Trailer: y\nContent-Length: 3\n\n";

	(void)state;
	assert_string_equal(forward_response(answer, (struct http_hop){0}),
		"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nTrailer: y\r\n" CLOSE);
	assert_string_equal(forward_response(answer, (struct http_hop){.takes_chunks_apart = true}),
		"HTTP/1.1 200 \r\n" CLOSE);
	assert_string_equal(forward_response("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n",
				    (struct http_hop){.is_tunnel = true}),
		"HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
	assert_string_equal(forward_response("HTTP/1.1 103 Hints\r\nKeep-Alive: 1\r\n\r\n",
				    (struct http_hop){0}),
		"HTTP/1.1 103 Hints\r\n\r\n");
}

/* A hundred lines that get another end, and all that may be added. */
static void a_head_grows_by_less_than_there_is_room_for(void **state)
{
	char text[2048] = "HTTP/1.1 200\nContent-Length:0\n";

	(void)state;
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		strcat(text, "a:\n");
	strcat(text, "\n");
	assert_true(strlen(forward_response(text, (struct http_hop){.has_via = true})) <
		strlen(text) + HTTP_FORWARD_ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_url_s_authority_is_the_host),
		cmocka_unit_test(what_frames_the_body_stays),
		cmocka_unit_test(another_protocol_is_asked_for_in_one_way_only),
		cmocka_unit_test(who_speaks_http_1_0_expects_nothing),
		cmocka_unit_test(via_tells_the_version_of_what_was_received),
		cmocka_unit_test(answers_go_on_in_each_way),
		cmocka_unit_test(a_head_grows_by_less_than_there_is_room_for),
	};

	return cmocka_run_group_tests_name("proxy/http_forward", tests, NULL, NULL);
}
