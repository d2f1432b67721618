/* dialect_http: requests cut anywhere, who is served by them, and the pages of those that are not.
 */
#include "handshakes.h"

#define ALICE "Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA==\r\n" /* alice:se:cret */
#define MALLORY "Proxy-Authorization: Basic YWxpY2U6c2U=\r\n" /* alice:se */
#define CONNECT "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n"
#define GET "GET http://a.test/b HTTP/1.1\r\nHost: a.test\r\n"
#define HEAD "HEAD http://a.test/b HTTP/1.1\r\nHost: a.test\r\n"

static bool run_text(const char *auth, struct users *who, const char *text)
{
	bool result;

	begin(auth, who);
	net_send(client, text, strlen(text));
	result = handshake_run(&h);
	shutdown(h.client, SHUT_WR);
	return result;
}

/* All that was answered. */
static const char *answer(void)
{
	static char text[2048];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(client, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

/* Pitfall 44: what is behind a CONNECT is there for the tunnel, wherever the stream is cut. */
static void a_connect_may_be_cut_anywhere(void **state)
{
	static const char all[] = CONNECT "\r\npay";
	const size_t len = sizeof(all) - 1 - 3;

	(void)state;
	for (size_t cut = 1; cut <= len + 1; cut++) {
		begin("auto", nobody);
		net_send(client, all, sizeof(all) - 1);
		/* The last round: every byte by itself. */
		first_read = cut <= len ? cut : 1;
		other_reads = cut <= len ? sizeof(memory) : 1;
		assert_true(handshake_run(&h));
		assert_string_equal(h.dialect->door, "http");
		expect_target("a.test:443");
		assert_int_equal(h.request.command, REQUEST_CONNECT);
		assert_false(h.is_exchange);
		if (cut < len) {
			assert_int_equal(buffer_readable(&in), 3);
			assert_memory_equal(buffer_head(&in), "pay", 3);
		}
		end();
	}
}

static void a_request_for_a_url_stays_in_the_buffer(void **state)
{
	static const char all[] = "POST http://[2001:db8::1]:8080/ HTTP/1.1\r\nHost: a\r\n" ALICE
				  "Content-Length: 3\r\n\r\npay";

	(void)state;
	for (size_t cut = 1; cut < sizeof(all); cut++) {
		begin("required", users);
		net_send(client, all, sizeof(all) - 1);
		first_read = cut;
		assert_true(handshake_run(&h));
		assert_true(h.is_exchange);
		assert_int_equal(h.request.command, REQUEST_CONNECT);
		expect_target("[2001:db8::1]:8080");
		assert_int_equal(h.user_len, 5);
		assert_memory_equal(buffer_head(&in), "POST http://[2001", 17);
		/* But for the login, which goes no further. */
		assert_null(memmem(memory, sizeof(memory), "YWxpY2U", 7));
		end();
	}
}

/* However much comes with the head, it can be rewritten in its place. */
static void a_large_body_leaves_room_for_the_head(void **state)
{
	static const char head[] = "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n"
				   "Content-Length: 80000\r\n\r\n";
	static char body[80000];

	(void)state;
	for (size_t cut = 1; cut <= 2; cut++) {
		begin("auto", nobody);
		net_send(client, head, sizeof(head) - 1);
		net_send(client, body, sizeof(body));
		first_read = cut == 1 ? sizeof(memory) : 10;
		assert_true(handshake_run(&h));
		assert_true(h.is_exchange);
		assert_int_equal(buffer_readable(&in), sizeof(memory) - DIALECT_SPARE);
		end();
	}
}

static void whom_it_serves_by_auth_and_login(void **state)
{
	static const struct {
		const char *auth, *login;
		enum end_reason refused; /* END_REASONS: served */
		bool is_alice, is_ignored;
	} rows[] = {
		{"required", "", END_NO_METHOD, false, false},
		{"required", ALICE, END_REASONS, true, false},
		{"required", MALLORY, END_WRONG_PASSWORD, false, false},
		{"required", "Proxy-Authorization: Basic !\r\n", END_LOGIN_REFUSED, false, false},
		{"required", "Proxy-Authorization: Negotiate YQ==\r\n", END_LOGIN_REFUSED, false,
			false},
		{"optional", "", END_REASONS, false, false},
		{"optional", ALICE, END_REASONS, true, false},
		{"optional", MALLORY, END_REASONS, false, true},
		{"optional", "Proxy-Authorization: Basic !\r\n", END_REASONS, false, true},
		{"none", "", END_REASONS, false, false},
		{"none", ALICE, END_REASONS, false, true},
		{"none", MALLORY, END_REASONS, false, true},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "%s%s\r\n", i % 2 == 0 ? CONNECT : GET, rows[i].login);
		assert_int_equal(
			run_text(rows[i].auth, users, text), rows[i].refused == END_REASONS);
		assert_int_equal(h.user_entry != NULL, rows[i].is_alice);
		assert_int_equal(h.login_ignored, rows[i].is_ignored);
		if (rows[i].refused == END_REASONS) {
			assert_string_equal(answer(), "");
		} else {
			assert_int_equal(h.reason, rows[i].refused);
			assert_true(h.answered);
			assert_begins(answer(), "HTTP/1.1 407 ");
		}
		end();
	}
}

/* Each has a status, words, and a length; none tells what is known of users or rules. */
static void each_refusal_is_a_page(void **state)
{
	static const struct {
		enum end_reason reason;
		const char *status;
	} rows[] = {
		{END_TARGET_DENIED, "403"},
		{END_TOO_MANY_SESSIONS, "429"},
		{END_QUOTA_REACHED, "429"},
		{END_NAME_NOT_FOUND, "502"},
		{END_CONNECT_REFUSED, "502"},
		{END_CONNECT_TIMEOUT, "504"},
		{END_BAD_ANSWER, "502"},
		{END_IDLE, "504"},
		{END_NO_LOCAL_PORT, "503"},
		{END_NO_SOCKET, "503"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char begins[32], reason[64];
		const char *page;

		begin("auto", nobody);
		net_send(client, GET "\r\n", sizeof(GET) + 1);
		assert_true(handshake_run(&h));
		h.id = 4711;
		assert_true(dialect_reply(&h, rows[i].reason, NULL));
		assert_int_equal(h.code, atoi(rows[i].status));
		shutdown(h.client, SHUT_WR);
		page = answer();
		snprintf(begins, sizeof(begins), "HTTP/1.1 %s ", rows[i].status);
		assert_begins(page, begins);
		assert_contains(page, "\r\nConnection: close\r\n");
		snprintf(reason, sizeof(reason), "\n\nReason: %s, session 4711 of this proxy.\n",
			end_reason_word(rows[i].reason));
		assert_contains(page, reason);
		end();
	}
}

static void a_page_for_head_has_no_body(void **state)
{
	const char *page;

	(void)state;
	begin("auto", nobody);
	net_send(client, HEAD "\r\n", sizeof(HEAD) + 1);
	assert_true(handshake_run(&h));
	assert_true(dialect_reply(&h, END_CONNECT_REFUSED, NULL));
	shutdown(h.client, SHUT_WR);
	page = answer();
	assert_contains(page, "\r\nContent-Length: ");
	assert_string_equal(strstr(page, "\r\n\r\n"), "\r\n\r\n");
	end();
}

/* Pitfall 44 likewise: the 2xx has no length. */
static void a_tunnel_is_granted_in_one_line(void **state)
{
	(void)state;
	begin("auto", nobody);
	net_send(client, CONNECT "\r\n", sizeof(CONNECT) + 1);
	assert_true(handshake_run(&h));
	assert_true(dialect_reply(&h, END_REASONS, NULL));
	shutdown(h.client, SHUT_WR);
	assert_int_equal(h.code, 200);
	assert_string_equal(answer(), "HTTP/1.1 200 Connection established\r\n\r\n");
	end();
}

static void what_is_malformed_is_told_and_forgotten(void **state)
{
	(void)state;
	assert_false(run_text("required", users, CONNECT "X : y\r\n" ALICE "\r\n"));
	assert_int_equal(h.reason, END_MALFORMED);
	assert_begins(answer(), "HTTP/1.1 400 ");
	assert_null(memmem(memory, sizeof(memory), "YWxpY2U", 7));
	end();
}

static void who_speaks_something_else_is_a_stranger(void **state)
{
	static const char *const texts[] = {"SSH-2.0-OpenSSH_9.2\r\n", "EHLO a.test\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_false(run_text("auto", nobody, texts[i]));
		assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
		assert_null(h.dialect);
		assert_string_equal(answer(), "");
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connect_may_be_cut_anywhere),
		cmocka_unit_test(a_request_for_a_url_stays_in_the_buffer),
		cmocka_unit_test(a_large_body_leaves_room_for_the_head),
		cmocka_unit_test(whom_it_serves_by_auth_and_login),
		cmocka_unit_test(each_refusal_is_a_page),
		cmocka_unit_test(a_page_for_head_has_no_body),
		cmocka_unit_test(a_tunnel_is_granted_in_one_line),
		cmocka_unit_test(what_is_malformed_is_told_and_forgotten),
		cmocka_unit_test(who_speaks_something_else_is_a_stranger),
	};

	return cmocka_run_group_tests_name("proxy/dialect_http", tests, set_up, tear_down);
}
