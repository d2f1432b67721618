/* balancer: headers in front of a handshake, however they are cut, what is no header, and whom a
 * balancer may tell. */
#include "handshakes.h"
#include "proxy/balancer.h"

#define V1                                                                                              \
	"50 52 4f 58 59 20 54 43 50 34 20 31 39 32 2e 30 2e 32 2e 39 20 31 39 32 2e 30 2e 32 2e 31 20 " \
	"37 20 38 0d 0a" /* PROXY TCP4 192.0.2.9 192.0.2.1 7 8 */
#define V2 "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a"
#define V2_TOLD V2 " 21 11 00 0f c0 00 02 09 c0 00 02 01 00 07 00 08 04 00 00" /* and a TLV */
#define V2_LOCAL V2 " 20 00 00 00"
#define UNKNOWN "50 52 4f 58 59 20 55 4e 4b 4e 4f 57 4e 0d 0a"
#define V1_OWN /* PROXY TCP4 192.0.2.2 192.0.2.1 4000 8 */                                         \
	"50 52 4f 58 59 20 54 43 50 34 20 31 39 32 2e 30 2e 32 2e 32 20 31 39 32 2e 30 2e 32 2e "  \
	"31 20 34 30 30 30 20 38 0d 0a"
#define GREETING "05 01 00"

static struct addr balancer, told;

static void begin_balanced(const char *hex)
{
	begin("none", nobody);
	balancer = net_addr("192.0.2.2", 4000);
	h.from = &balancer;
	net_send_hex(client, hex);
}

static void expect_told(const char *expected)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(&told, text), expected);
}

/* What follows is there for the handshake. */
static void a_header_may_be_cut_anywhere(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *told;
	} rows[] = {
		{V1 GREETING, 38 + 3, "192.0.2.9:7"},
		{V2_TOLD GREETING, 31 + 3, "192.0.2.9:7"},
		{V2_LOCAL GREETING, 16 + 3, "192.0.2.2:4000"},
		{UNKNOWN GREETING, 15 + 3, "192.0.2.2:4000"},
		{V1_OWN GREETING, 41 + 3, "192.0.2.2:4000"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cut = 1; cut <= rows[i].len + 1; cut++) {
			begin_balanced(rows[i].bytes);
			/* The last round: every byte by itself. */
			first_read = cut <= rows[i].len ? cut : 1;
			other_reads = cut <= rows[i].len ? sizeof(memory) : 1;
			assert_true(balancer_ask(&h, &told));
			expect_told(rows[i].told);
			while (buffer_readable(&in) < 3)
				assert_true(dialect_receive_more(&h, false));
			assert_memory_equal(buffer_head(&in), "\5\1", 3);
			end();
		}
	}
}

/* The handshake goes on with what is there, and does not wait for more before it looks. */
static void the_handshake_goes_on_behind_it(void **state)
{
	(void)state;
	begin_balanced(V2_TOLD GREETING " 05 01 00 01 c0 00 02 01 01 bb 70 61 79");
	assert_true(balancer_ask(&h, &told));
	assert_true(handshake_run(&h));
	expect_target("192.0.2.1:443");
	assert_memory_equal(buffer_head(&in), "pay", 3);
	end();
}

/* What a balancer does to see whether we are there. */
static void who_wants_nothing_has_asked_nothing(void **state)
{
	static const struct {
		const char *sent;
		enum end_reason reason;
	} rows[] = {
		{"", END_NOTHING_ASKED},
		{V2_LOCAL, END_NOTHING_ASKED},
		{UNKNOWN, END_NOTHING_ASKED},
		{V1_OWN, END_NOTHING_ASKED},
		{"50 52", END_CLIENT_LEFT},
		{"0d", END_CLIENT_LEFT},
		{V2 " 21 11 00", END_CLIENT_LEFT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin_balanced(rows[i].sent);
		shutdown(client, SHUT_WR);
		assert_false(balancer_ask(&h, &told));
		assert_int_equal(h.reason, rows[i].reason);
		assert_int_equal(h.guess, GUESS_MORE);
		end();
		begin_balanced(rows[i].sent);
		h.deadline = clock_ms() + 20;
		assert_false(balancer_ask(&h, &told));
		assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
		assert_false(h.answered);
		end();
	}
}

/* It is told what came instead; and kept is nothing, there may be a password in it. */
static void no_header_is_no_session(void **state)
{
	static const struct {
		const char *sent;
		enum guess guess;
	} rows[] = {
		{"05 01 02 01 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74", GUESS_SOCKS5},
		{"04 01 00 50 c0 00 02 01 00", GUESS_SOCKS4},
		{"47 45 54 20 2f 20", GUESS_HTTP},
		{"16 03 01 02 00", GUESS_TLS},
		{"50 52 4f 58 59 20 54 43 50 39 0d 0a", GUESS_PROXY_V1},
		{V2 " 31 11 00 00", GUESS_PROXY_V2},
		{"53 53 48 2d 32 2e 30", GUESS_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin_balanced(rows[i].sent);
		assert_false(balancer_ask(&h, &told));
		assert_int_equal(h.reason, END_BAD_PROXY_HEADER);
		assert_int_equal(h.guess, rows[i].guess);
		assert_false(h.answered);
		assert_int_equal(buffer_readable(&in), 0);
		for (size_t j = 0; j < 18; j++)
			assert_int_equal(memory[j], 0);
		end();
	}
}

/* Of those who connect themselves. */
static void a_header_from_elsewhere_is_no_protocol(void **state)
{
	static const struct {
		const char *sent;
		enum guess guess;
	} rows[] = {{V1 GREETING, GUESS_PROXY_V1}, {UNKNOWN GREETING, GUESS_PROXY_V1},
		{V2_TOLD GREETING, GUESS_PROXY_V2}, {V2_LOCAL GREETING, GUESS_PROXY_V2}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cut = 1; cut <= 15; cut++) {
			begin_balanced(rows[i].sent);
			first_read = other_reads = cut;
			assert_false(handshake_run(&h));
			assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
			assert_int_equal(h.guess, rows[i].guess);
			assert_false(h.answered);
			end();
		}
	}
	/* Nor a second one behind the first. */
	begin_balanced(V2_TOLD V1 GREETING);
	assert_true(balancer_ask(&h, &told));
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
	assert_int_equal(h.guess, GUESS_PROXY_V1);
	end();
}

bool __real_own_has_address(struct own *o, const struct addr *a);
bool __wrap_own_has_address(struct own *o, const struct addr *a);

/* An interface of this host has this one, too. */
bool __wrap_own_has_address(struct own *o, const struct addr *a)
{
	struct addr here = net_addr("203.0.113.5", 0);

	return addr_same_host(a, &here) || __real_own_has_address(o, a);
}

static void a_client_has_an_address_of_his_own(void **state)
{
	static const struct {
		const char *host;
		bool is_credible;
	} rows[] = {
		{"192.0.2.9", true},
		{"10.0.0.1", true},
		{"2001:db8::9", true},
		{"fd00::9", true},
		{"127.0.0.1", false},
		{"127.9.9.9", false},
		{"::1", false},
		{"0.0.0.0", false},
		{"0.0.0.1", false},
		{"::", false},
		{"224.0.0.1", false},
		{"239.255.255.255", false},
		{"255.255.255.255", false},
		{"ff02::1", false},
		{"::127.0.0.1", false},
		{"64:ff9b::7f00:1", false},
		{"2002:7f00:1::", false},
		{"64:ff9b::c000:209", true},
		{"203.0.113.5", false},
		{"::ffff:203.0.113.5", false},
		{"64:ff9b::cb00:7105", false},
	};
	struct own *own = own_new();

	(void)state;
	assert_non_null(own);
	assert_int_equal(own_refresh(own), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = net_addr(rows[i].host, 7);

		if (balancer_is_credible(own, &a) != rows[i].is_credible)
			fail_msg("%s", rows[i].host);
	}
	own_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_may_be_cut_anywhere),
		cmocka_unit_test(the_handshake_goes_on_behind_it),
		cmocka_unit_test(who_wants_nothing_has_asked_nothing),
		cmocka_unit_test(no_header_is_no_session),
		cmocka_unit_test(a_header_from_elsewhere_is_no_protocol),
		cmocka_unit_test(a_client_has_an_address_of_his_own),
	};

	return cmocka_run_group_tests_name("proxy/balancer", tests, set_up, tear_down);
}
