/* dialect_socks4: requests of SOCKS4 and 4a, who is served by them, and the replies. */
#include "handshakes.h"

#define CONNECT4 "04 01 01 bb c0 00 02 01" /* 192.0.2.1:443 */
#define BIND4 "04 02 00 15 c0 00 02 01"
#define CONNECT4A "04 01 00 50 00 00 00 01" /* port 80 of a name */
#define ALICE " 61 6c 69 63 65 00"
#define NOBODY " 00"
#define NAME " 61 2e 74 65 73 74 00" /* a.test */
#define REJECTED "00 5b 00 00 00 00 00 00"

static void yields_every_command_and_target_of_socks4(void **state)
{
	static const struct {
		const char *request;
		enum request_command command;
		const char *target, *userid;
	} rows[] = {
		{CONNECT4 NOBODY, REQUEST_CONNECT, "192.0.2.1:443", ""},
		{CONNECT4 ALICE, REQUEST_CONNECT, "192.0.2.1:443", "alice"},
		{BIND4 ALICE, REQUEST_BIND, "192.0.2.1:21", "alice"},
		{CONNECT4A ALICE NAME, REQUEST_CONNECT, "a.test:80", "alice"},
		{CONNECT4A NOBODY " 00", REQUEST_CONNECT, ":80", ""},
		{"04 03 00 50 c0 00 02 01 00", REQUEST_UNKNOWN, "192.0.2.1:80", ""},
	};
	char word[16];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(run_after("auto", nobody, rows[i].request));
		assert_string_equal(h.dialect->door, "socks4");
		assert_int_equal(h.request.command, rows[i].command);
		expect_target(rows[i].target);
		assert_int_equal(h.userid_len, strlen(rows[i].userid));
		assert_memory_equal(h.user, rows[i].userid, h.userid_len);
		assert_int_equal(h.user_len + h.claimed_len, 0);
		assert_null(h.user_entry);
		assert_int_equal(published().user_len, 0);
		assert_int_equal(published().phase, PHASE_REQUEST);
		assert_int_equal(buffer_readable(&in), 0);
		expect_answers("");
		end();
	}
	assert_string_equal(request_command_word(&h.request, word), "CMD-3");
}

/* What follows is there for the target, and nothing else is. */
static void a_socks4_request_may_be_cut_anywhere(void **state)
{
	static const char all[] = CONNECT4A ALICE NAME " 70 61 79";
	const size_t len = 8 + 6 + 7;

	(void)state;
	for (size_t cut = 1; cut <= len + 1; cut++) {
		begin("auto", nobody);
		net_send_hex(client, all);
		/* The last round: every byte by itself. */
		first_read = cut <= len ? cut : 1;
		other_reads = cut <= len ? sizeof(memory) : 1;
		assert_true(handshake_run(&h));
		expect_target("a.test:80");
		if (cut < len) {
			assert_int_equal(buffer_readable(&in), 3);
			assert_memory_equal(buffer_head(&in), "pay", 3);
		}
		end();
	}
}

/* A request with a USERID of so many bytes, and something for the target. */
static void send_long_userid(size_t len)
{
	static char userid[5000];

	memset(userid, 'u', sizeof(userid));
	net_send_hex(client, CONNECT4);
	net_send(client, userid, len);
	net_send(client, "\0pay", 4);
}

static void a_long_userid_is_read_to_its_end(void **state)
{
	(void)state;
	for (size_t len = sizeof(h.user) - 1; len <= 4096; len += len < 300 ? 1 : 949) {
		size_t kept = len < sizeof(h.user) ? len : sizeof(h.user);

		begin("auto", nobody);
		other_reads = 700;
		send_long_userid(len);
		assert_true(handshake_run(&h));
		assert_int_equal(h.userid_len, kept);
		assert_int_equal(h.user[kept - 1], 'u');
		while (buffer_readable(&in) < 3)
			assert_true(dialect_receive_more(&h, false));
		assert_int_equal(buffer_readable(&in), 3);
		assert_memory_equal(buffer_head(&in), "pay", 3);
		end();
	}
	begin("auto", nobody);
	send_long_userid(4097);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_MALFORMED);
	assert_true(h.answered);
	assert_int_equal(buffer_readable(&in), 0);
	shutdown(h.client, SHUT_WR);
	expect_answers(REJECTED);
	end();
}

static void socks4_is_served_where_nobody_has_to_log_in(void **state)
{
	static const struct {
		const char *auth;
		bool has_users, served;
	} rows[] = {{"auto", false, true}, {"auto", true, false}, {"required", false, false},
		{"required", true, false}, {"optional", true, true}, {"none", true, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct users *who = rows[i].has_users ? users : nobody;

		/* To be called as a user is does not help. */
		assert_int_equal(
			run_after(rows[i].auth, who, CONNECT4 ALICE "70 61 79"), rows[i].served);
		assert_int_equal(h.user_len + h.claimed_len, 0);
		assert_false(h.login_refused);
		assert_int_equal(h.answered, !rows[i].served);
		if (!rows[i].served)
			assert_int_equal(h.reason, END_NO_METHOD);
		expect_answers(rows[i].served ? "" : REJECTED);
		end();
	}
}

static void who_leaves_in_the_middle_of_socks4_has_left(void **state)
{
	static const char *const stages[] = {
		"04", CONNECT4, CONNECT4 " 61", CONNECT4A NOBODY, CONNECT4A ALICE " 61"};

	(void)state;
	for (size_t i = 0; i < COUNT(stages); i++) {
		begin("auto", nobody);
		net_send_hex(client, stages[i]);
		shutdown(client, SHUT_WR);
		assert_false(handshake_run(&h));
		assert_int_equal(h.reason, END_CLIENT_LEFT);
		assert_false(h.answered);
		end();
		begin("auto", nobody);
		h.deadline = clock_ms() + 20;
		net_send_hex(client, stages[i]);
		assert_false(handshake_run(&h));
		assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
		end();
	}
}

/* The codes for identd are never said. */
static void whatever_went_wrong_is_code_91(void **state)
{
	struct addr bound = net_addr("192.0.2.8", 4660);

	(void)state;
	begin("auto", nobody);
	net_send_hex(client, CONNECT4 NOBODY);
	assert_true(handshake_run(&h));
	for (enum end_reason why = 0; why < END_REASONS; why++)
		assert_int_equal(dialect_code(&h, why), 91);
	assert_true(dialect_reply(&h, END_TARGET_DENIED, NULL));
	assert_int_equal(h.code, 91);
	assert_true(dialect_reply(&h, END_REASONS, &bound));
	assert_int_equal(h.code, 90);
	shutdown(h.client, SHUT_WR);
	expect_answers(REJECTED "00 5a 12 34 c0 00 02 08");
	end();
}

/* What an IPv4 address cannot tell is the address by which the client has reached us. */
static void bind_of_socks4_is_replied_to_twice(void **state)
{
	struct addr bound = net_addr("192.0.2.1", 4660), peer = net_addr("2001:db8::1", 443);

	(void)state;
	begin("auto", nobody);
	net_send_hex(client, BIND4 NOBODY);
	assert_true(handshake_run(&h));
	assert_true(dialect_reply(&h, END_REASONS, &bound));
	assert_true(dialect_reply(&h, END_REASONS, &peer));
	shutdown(h.client, SHUT_WR);
	expect_answers("00 5a 12 34 c0 00 02 01 00 5a 01 bb 00 00 00 00");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yields_every_command_and_target_of_socks4),
		cmocka_unit_test(a_socks4_request_may_be_cut_anywhere),
		cmocka_unit_test(a_long_userid_is_read_to_its_end),
		cmocka_unit_test(socks4_is_served_where_nobody_has_to_log_in),
		cmocka_unit_test(who_leaves_in_the_middle_of_socks4_has_left),
		cmocka_unit_test(whatever_went_wrong_is_code_91),
		cmocka_unit_test(bind_of_socks4_is_replied_to_twice),
	};

	return cmocka_run_group_tests_name("proxy/dialect_socks4", tests, set_up, tear_down);
}
