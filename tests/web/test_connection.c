/* connection: requests however they come, what is refused, and what nobody may have others do. */
#include "browser.h"

#define GET_HEALTH "GET /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n"

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

/* Who asks here has no worker, so one is enough. */
static void health_says_when_nobody_should_be_sent(void **state)
{
	(void)state;
	places_init(&parts.places, 1);
	assert_non_null(strstr(ask_raw(GET_HEALTH), "\r\n\r\nok\n"));
	places_take(&parts.places);
	assert_status(ask_raw(GET_HEALTH), 503);
	assert_string_equal(body_of(heard), "saturated\n");
	places_close(&parts.places);
	assert_status(ask_raw(GET_HEALTH), 503);
	assert_string_equal(body_of(heard), "draining\n");
	places_init(&parts.places, 0);
}

static void health_is_told_to_anybody_under_any_name(void **state)
{
	(void)state;
	assert_status(ask_raw(GET_HEALTH), 200);
	assert_string_equal(body_of(heard), "ok\n");
	places_close(&parts.places);
	assert_status(ask_raw(GET_HEALTH), 503);
	assert_string_equal(body_of(heard), "draining\n");
	places_init(&parts.places, 0);
}

static void every_answer_forbids_what_pages_of_others_could_do(void **state)
{
	static const char *const fields[] = {"Content-Security-Policy: default-src 'self'; ",
		"frame-ancestors 'none'", "X-Content-Type-Options: nosniff\r\n",
		"Referrer-Policy: no-referrer\r\n"};
	static const char *const requests[] = {GET_HEALTH,
		"GET /login HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
		"GET /api/stats HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", "nonsense\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		const char *answer = ask_raw(requests[i]);

		for (size_t k = 0; k < COUNT(fields); k++)
			assert_contains(answer, fields[k]);
	}
}

static void only_names_of_its_own_are_asked_for(void **state)
{
	static const struct {
		const char *host;
		unsigned status;
	} rows[] = {{"192.0.2.1", 200}, {"192.0.2.1:8081", 200}, {"[2001:db8::1]:8081", 200},
		{"localhost", 200}, {"LocalHost:8081", 200}, {"evil.example", 421},
		{"localhost.evil.example", 421}, {"192.0.2.1.evil.example", 421}, {"", 421},
		{"monitor.example.org", 421}};
	struct config *config = config_get(parts.config);
	char request[256], why[SETTING_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(request, sizeof(request), "GET /login HTTP/1.1\r\nHost: %s\r\n\r\n",
			rows[i].host);
		if (status_of(ask_raw(request)) != rows[i].status)
			fail_msg("%s: %s", rows[i].host, heard);
	}
	assert_true(setting_set(settings_find("web_names"), &config->settings,
		&(struct setting_input){.text = "monitor.example.org"}, why));
	config_release(config);
	assert_status(ask_raw(request), 200);
}

static void nobody_without_a_login_gets_more_than_the_login(void **state)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"};
	static const struct {
		const char *path;
		unsigned statuses[2]; /* of GET and POST */
	} rows[] = {{"/", {303, 405}}, {"/login", {200, 403}}, {"/logout", {405, 303}},
		{"/base.css", {200, 405}}, {"/nothing", {303, 405}}, {"/api/", {401, 401}},
		{"/api/stats", {401, 401}}, {"/api/add_user", {401, 401}},
		{"/api/session", {401, 401}}, {"/api/../stats", {401, 401}}, {"//", {303, 405}},
		{"/%2e%2e/etc/passwd", {303, 405}}, {"/login/", {303, 405}}};
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t k = 0; k < COUNT(methods); k++) {
			unsigned wanted = k < 2 ? rows[i].statuses[0]
				: k == 2        ? rows[i].statuses[1]
						: 405;

			snprintf(line, sizeof(line), "%s %s", methods[k], rows[i].path);
			if (status_of(ask(line, "", "")) != wanted)
				fail_msg("%s: %s", line, heard);
		}
	}
}

static void what_is_no_request_is_refused_and_ends_the_connection(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} rows[] = {{"GET /healthz HTTP/1.1\nHost: a\n\n", 400},
		{"GET /healthz HTTP/1.1\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505},
		{"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400},
		{"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
		 "\r\n",
			400},
		{"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
			400},
		{"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
		{"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413},
		{"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
			413},
		{"POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			411},
		{"\x16\x03\x01\x02", 400}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = ask_raw(rows[i].request);

		if (i + 1 == COUNT(rows)) {
			parts_now += WEB_REQUEST_MS;
			connection_step(&c, 0);
			answer = hear();
			assert_status(answer, 408);
		} else if (status_of(answer) != rows[i].status) {
			fail_msg("%s: %s", rows[i].request, answer);
		}
		assert_contains(answer, "Connection: close\r\n");
		assert_int_equal(c.phase, WEB_CLOSING);
		parts_now += 2000;
		connection_step(&c, 0);
		assert_int_equal(c.phase, WEB_FREE);
	}
}

static void other_forms_of_targets_are_not_served(void **state)
{
	static const char *const lines[] = {
		"GET http://192.0.2.1:8081/login", "CONNECT 192.0.2.9:443", "OPTIONS *"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char request[128];

		snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
			lines[i]);
		assert_status(ask_raw(request), 400);
	}
}

static void a_head_that_is_too_large_is_refused(void **state)
{
	static char request[WEB_HEAD_MAX + 1024];
	size_t len;

	(void)state;
	strcpy(request, "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ");
	len = strlen(request);
	memset(request + len, 'x', sizeof(request) - len - 1);
	assert_status(ask_raw(request), 431);
}

static void a_body_of_64_kib_is_taken(void **state)
{
	static char body[WEB_BODY_MAX + 1];

	(void)state;
	memset(body, 'x', WEB_BODY_MAX);
	memcpy(body, "name=root&password=secret&x=", 28);
	assert_status(ask("POST /login", OWN, body), 303);
}

static void a_request_is_complete_within_ten_seconds(void **state)
{
	(void)state;
	open_from("192.0.2.7");
	say("GET /healthz HTT");
	serve();
	parts_now += WEB_REQUEST_MS - 1;
	say("P/1.1\r\nHost");
	serve();
	connection_step(&c, 0);
	assert_int_equal(c.phase, WEB_READING);
	parts_now += 1;
	connection_step(&c, 0);
	assert_status(hear(), 408);
	open_from("192.0.2.7");
	say("POST /login HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: 9\r\n\r\n");
	serve();
	parts_now += WEB_REQUEST_MS;
	connection_step(&c, 0);
	assert_status(hear(), 408);
}

static void who_says_nothing_is_closed_without_a_word(void **state)
{
	(void)state;
	open_from("192.0.2.7");
	parts_now += WEB_REQUEST_MS;
	connection_step(&c, 0);
	assert_int_equal(c.phase, WEB_FREE);
	assert_string_equal(hear(), "");
}

static void a_connection_is_kept_for_a_minute(void **state)
{
	(void)state;
	assert_status(ask_raw(GET_HEALTH), 200);
	parts_now += WEB_KEPT_MS - 1;
	connection_step(&c, 0);
	say(GET_HEALTH);
	assert_status(hear(), 200);
	assert_null(c.in);
	parts_now += WEB_KEPT_MS;
	connection_step(&c, 0);
	assert_int_equal(c.phase, WEB_FREE);
}

static void requests_that_are_sent_ahead_are_answered_in_turn(void **state)
{
	const char *answer = ask_raw(GET_HEALTH "POST /login HTTP/1.1\r\nHost: [::1]\r\n" OWN
						"Content-Length: 25\r\n\r\n"
						"name=root&password=secret" GET_HEALTH);

	(void)state;
	assert_int_equal(count_of(answer, "HTTP/1.1 200"), 2);
	assert_int_equal(count_of(answer, "HTTP/1.1 303"), 1);
	assert_string_equal(answer + strlen(answer) - 3, "ok\n");
}

static void head_gets_the_length_and_no_body(void **state)
{
	(void)state;
	(void)ask_raw("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n" GET_HEALTH);
	assert_int_equal(count_of(heard, "Content-Length: 3\r\n"), 2);
	assert_int_equal(count_of(heard, "ok\n"), 1);
}

static void old_clients_and_those_who_ask_for_it_are_closed(void **state)
{
	static const char *const requests[] = {"GET /healthz HTTP/1.0\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		assert_contains(ask_raw(requests[i]), "Connection: close\r\n");
		assert_int_equal(c.phase, WEB_CLOSING);
	}
}

static void who_waits_to_send_the_body_is_told_to(void **state)
{
	(void)state;
	open_from("192.0.2.7");
	say("POST /login HTTP/1.1\r\nHost: [::1]\r\nExpect: 100-continue\r\n" OWN
	    "Content-Length: 25\r\n\r\n");
	assert_string_equal(hear(), "HTTP/1.1 100 Continue\r\n\r\n");
	say("name=root&password=secret");
	assert_status(hear(), 303);
}

static void it_does_not_matter_how_bytes_are_cut(void **state)
{
	static char whole[1 << 16];

	(void)state;
	strcpy(whole, ask("GET /base.css", "", ""));
	for (most_bytes = 1; most_bytes < 40; most_bytes++)
		assert_string_equal(ask("GET /base.css", "", ""), whole);
}

static void a_move_that_fails_ends_no_more_than_the_connection(void **state)
{
	unsigned at = 0;

	(void)state;
	do {
		at++;
		fail_move(at, at % 2 == 0 ? ECONNRESET : EAGAIN);
		(void)ask("POST /login", OWN, "name=root&password=secret");
		hang_up();
	} while (move_failed());
	assert_true(at > 2);
}

static void take_etag(const char *answer, char out[64])
{
	const char *at = strstr(answer, "ETag: ");

	assert_non_null(at);
	snprintf(out, 64, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
}

static unsigned ask_knowing(const char *format, const char *etag)
{
	char fields[256];

	snprintf(fields, sizeof(fields), "%s%s\r\n", format, etag);
	return status_of(ask("GET /base.css", fields, ""));
}

static void a_page_that_is_known_is_not_sent_again(void **state)
{
	char etag[64];

	(void)state;
	take_etag(ask("GET /base.css", "", ""), etag);
	assert_contains(heard, "Cache-Control: no-cache\r\n");
	assert_int_equal(ask_knowing("If-None-Match: ", etag), 304);
	assert_string_equal(body_of(heard), "");
	assert_contains(heard, etag);
	assert_null(strstr(heard, "Content-Length"));
	assert_int_equal(ask_knowing("If-None-Match: W/", etag), 304);
	assert_int_equal(ask_knowing("If-None-Match: \"a\", ", etag), 304);
	assert_int_equal(ask_knowing("If-None-Match: \"a\"\r\nIf-None-Match: ", etag), 304);
	assert_int_equal(ask_knowing("If-None-Match: ", "*"), 304);
	assert_int_equal(ask_knowing("If-None-Match: ", "\"x\""), 200);
	etag[1] ^= 1;
	assert_int_equal(ask_knowing("If-None-Match: ", etag), 200);
}

/* What there is of it in the two forms is told apart by caches, too. */
static void a_page_is_packed_for_whoever_takes_that(void **state)
{
	char plain[64], packed[64];
	size_t plain_len = strlen(body_of(ask("GET /base.css", "", "")));

	(void)state;
	take_etag(heard, plain);
	assert_contains(heard, "Vary: Accept-Encoding\r\n");
	assert_null(strstr(heard, "Content-Encoding"));
	assert_status(ask("GET /base.css", "Accept-Encoding: br, gzip\r\n", ""), 200);
	assert_contains(heard, "Content-Encoding: gzip\r\n");
	assert_contains(heard, "Vary: Accept-Encoding\r\n");
	assert_memory_equal(body_of(heard), "\x1f\x8b", 2);
	assert_true((size_t)atoi(strstr(heard, "Content-Length: ") + 16) < plain_len / 2);
	take_etag(heard, packed);
	assert_string_not_equal(plain, packed);
	assert_int_equal(ask_knowing("Accept-Encoding: gzip\r\nIf-None-Match: ", packed), 304);
	assert_int_equal(ask_knowing("Accept-Encoding: gzip\r\nIf-None-Match: ", plain), 200);
}

static void who_leaves_during_an_errand_is_forgotten_when_it_is_back(void **state)
{
	(void)state;
	open_from("192.0.2.7");
	say("POST /login HTTP/1.1\r\nHost: [::1]\r\n" OWN "Content-Length: 25\r\n\r\n"
	    "name=root&password=secret");
	assert_true(serve_connection());
	assert_int_equal(c.phase, WEB_AWAY);
	connection_close(&c);
	assert_int_equal(c.phase, WEB_AWAY);
	assert_true(work(&hasher));
	assert_true(work(&back));
	assert_int_equal(c.phase, WEB_FREE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(health_is_told_to_anybody_under_any_name),
		TEST(health_says_when_nobody_should_be_sent),
		TEST(every_answer_forbids_what_pages_of_others_could_do),
		TEST(only_names_of_its_own_are_asked_for),
		TEST(nobody_without_a_login_gets_more_than_the_login),
		TEST(what_is_no_request_is_refused_and_ends_the_connection),
		TEST(other_forms_of_targets_are_not_served),
		TEST(a_head_that_is_too_large_is_refused),
		TEST(a_body_of_64_kib_is_taken),
		TEST(a_request_is_complete_within_ten_seconds),
		TEST(who_says_nothing_is_closed_without_a_word),
		TEST(a_connection_is_kept_for_a_minute),
		TEST(requests_that_are_sent_ahead_are_answered_in_turn),
		TEST(head_gets_the_length_and_no_body),
		TEST(old_clients_and_those_who_ask_for_it_are_closed),
		TEST(who_waits_to_send_the_body_is_told_to),
		TEST(it_does_not_matter_how_bytes_are_cut),
		TEST(a_move_that_fails_ends_no_more_than_the_connection),
		TEST(a_page_that_is_known_is_not_sent_again),
		TEST(a_page_is_packed_for_whoever_takes_that),
		TEST(who_leaves_during_an_errand_is_forgotten_when_it_is_back),
	};

	return cmocka_run_group_tests_name("web/connection", tests, NULL, NULL);
}
