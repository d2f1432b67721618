/* handshake: from the first byte to the request and its replies, in every dialect, however the
 * client's bytes are cut. */
#include "../base/faults.h"
#include "handshakes.h"

/* What happens just before others can see who the session's user is. */
static void (*meanwhile)(void);

void __real_registry_set_user(struct registry *r, size_t slot, const char *user, size_t len);
void __wrap_registry_set_user(struct registry *r, size_t slot, const char *user, size_t len);

void __wrap_registry_set_user(struct registry *r, size_t slot, const char *user, size_t len)
{
	if (meanwhile != NULL)
		meanwhile();
	__real_registry_set_user(r, slot, user, len);
}

#define LOGIN " 01 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74" /* alice, se:cret */
#define WRONG_LOGIN " 01 05 61 6c 69 63 65 01 78"
#define CONNECT_ADDR " 05 01 00 01 c0 00 02 01 01 bb" /* 192.0.2.1:443 */
#define CONNECT_NAME " 05 01 00 03 01 61 00 50" /* a:80 */

/* ---- the first byte ---- */

/* Whatever comes behind the first byte; none of these is HTTP. */
static void what_no_dialect_begins_with_is_unknown(void **state)
{
	char hex[16];

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		if (first == 4 || first == 5)
			continue;
		snprintf(hex, sizeof(hex), "%02x 01 00", first);
		assert_false(run_after("optional", users, hex));
		assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
		assert_int_equal(h.guess, GUESS_UNKNOWN);
		assert_false(h.answered);
		assert_null(h.dialect);
		net_expect_end(client);
		end();
	}
}

/* What it is may come in pieces. */
static void what_else_it_may_be_is_guessed(void **state)
{
	static const struct {
		const char *sent;
		enum guess guess;
	} rows[] = {
		{"16 03 01 02 00 01 00", GUESS_TLS},
		{"50 52 4f 58 59 20 54 43 50 34", GUESS_PROXY_V1},
		{"0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21", GUESS_PROXY_V2},
		{"53 53 48 2d 32 2e 30", GUESS_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cut = 1; cut <= 4; cut++) {
			begin("auto", nobody);
			first_read = other_reads = cut;
			net_send_hex(client, rows[i].sent);
			assert_false(handshake_run(&h));
			assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
			assert_int_equal(h.guess, rows[i].guess);
			assert_false(h.answered);
			end();
		}
	}
}

/* Each of the protocols alone is on; what the others are closed for is that they are not. */
static void what_is_switched_off_is_not_spoken(void **state)
{
	static const struct {
		const char *word, *sent;
		enum guess guess;
	} rows[] = {
		{"socks5", "05 01 00", GUESS_SOCKS5},
		{"socks4", "04 01 00 50 c0 00 02 01 00", GUESS_SOCKS4},
		{"http", "47 45 54 20 2f", GUESS_HTTP},
	};

	(void)state;
	for (size_t on = 0; on < COUNT(rows); on++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			if (i == on)
				continue;
			begin("none", nobody);
			switch_on(rows[on].word);
			net_send_hex(client, rows[i].sent);
			assert_false(handshake_run(&h));
			assert_int_equal(h.reason, END_PROTOCOL_OFF);
			assert_int_equal(h.guess, rows[i].guess);
			assert_int_equal(h.answered, rows[i].guess == GUESS_HTTP);
			assert_null(h.dialect);
			end();
		}
	}
	begin("none", nobody);
	switch_on("socks4, http");
	net_send_hex(client, "16 03 01 02 00 01 00");
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_UNKNOWN_PROTOCOL);
	end();
}

static void who_leaves_before_it_can_be_guessed_has_left(void **state)
{
	(void)state;
	begin("auto", nobody);
	net_send(client, "GE", 2);
	shutdown(client, SHUT_WR);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_CLIENT_LEFT);
	assert_int_equal(h.guess, GUESS_MORE);
	end();
	begin("auto", nobody);
	h.deadline = clock_ms() + 20;
	net_send(client, "GE", 2);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
	end();
}

/* The answer to this request: its head, and where its body begins. */
static char *http_answer(const char *request, char answer[1024])
{
	size_t len = 0;
	ssize_t n;
	char *body;

	begin("required", users);
	switch_on("socks5, socks4");
	net_send(client, request, strlen(request));
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_PROTOCOL_OFF);
	assert_int_equal(h.guess, GUESS_HTTP);
	assert_true(h.answered);
	shutdown(h.client, SHUT_WR);
	while ((n = recv(client, answer + len, 1023 - len, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	end();
	body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	*body = '\0';
	return body + 4;
}

static void http_is_told_what_the_port_is(void **state)
{
	char answer[1024], expected[64];
	const char *body = http_answer("GET / HTTP/1.1\r\nHost: x\r\n\r\n", answer);

	(void)state;
	assert_int_equal(strncmp(answer, "HTTP/1.1 400 Bad Request\r\n", 26), 0);
	assert_contains(answer, "\r\nConnection: close");
	snprintf(expected, sizeof(expected), "\r\nContent-Length: %zu", strlen(body));
	assert_contains(answer, expected);
	assert_contains(body, "SOCKS5 proxy");
	/* The same to HEAD, without the body. */
	assert_string_equal(http_answer("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", answer), "");
	assert_contains(answer, expected);
	assert_int_not_equal(*http_answer("CONNECT a:443 HTTP/1.1\r\n\r\n", answer), '\0');
}

static void who_leaves_before_a_byte_asked_nothing(void **state)
{
	(void)state;
	begin("auto", nobody);
	shutdown(client, SHUT_WR);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_NOTHING_ASKED);
	end();
}

/* ---- SOCKS5 ---- */

struct stage {
	const char *sent, *answered;
};

/* What a client has sent when it leaves or falls silent. */
static const struct stage stages[] = {
	{"05", ""},
	{"05 02 00", ""},
	{"05 01 02", "05 02"},
	{"05 01 02 01 05 61 6c", "05 02"},
	{"05 01 02" LOGIN, "05 02 01 00"},
	{"05 01 02" LOGIN " 05 01 00", "05 02 01 00"},
	{"05 01 02" LOGIN " 05 01 00 03 02 61", "05 02 01 00"},
};

static void who_leaves_in_the_middle_has_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stages); i++) {
		begin("auto", users);
		net_send_hex(client, stages[i].sent);
		shutdown(client, SHUT_WR);
		assert_false(handshake_run(&h));
		assert_int_equal(h.reason, END_CLIENT_LEFT);
		assert_false(h.answered);
		shutdown(h.client, SHUT_WR);
		expect_answers(stages[i].answered);
		end();
	}
}

static void silence_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	begin("auto", users);
	h.deadline = clock_ms();
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
	end();
	for (size_t i = 0; i < COUNT(stages); i++) {
		begin("auto", users);
		h.deadline = clock_ms() + 20;
		net_send_hex(client, stages[i].sent);
		assert_false(handshake_run(&h));
		assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
		assert_true(clock_ms() >= h.deadline);
		end();
	}
}

static void takes_a_request_cut_anywhere(void **state)
{
	static const char all[] = "05 02 00 02" LOGIN CONNECT_NAME " 70 61 79";
	const size_t len = 4 + 15 + 8;

	(void)state;
	for (size_t cut = 1; cut <= len + 1; cut++) {
		begin("auto", users);
		net_send_hex(client, all);
		/* The last round: every byte by itself. */
		first_read = cut <= len ? cut : 1;
		other_reads = cut <= len ? sizeof(memory) : 1;
		assert_true(handshake_run(&h));
		assert_int_equal(h.request.command, REQUEST_CONNECT);
		expect_target("a:80");
		assert_int_equal(h.user_len, 5);
		assert_memory_equal(h.user, "alice", 5);
		/* What it sent behind the request is there for the relay. */
		if (cut < len) {
			assert_int_equal(buffer_readable(&in), 3);
			assert_memory_equal(buffer_head(&in), "pay", 3);
		}
		shutdown(h.client, SHUT_WR);
		expect_answers("05 02 01 00");
		end();
	}
}

/* conforms: RFC1928/select */
static void chooses_a_method_by_auth_and_offer(void **state)
{
	static const struct {
		const char *auth;
		bool has_users;
		const char *greeting, *chosen;
	} rows[] = {
		{"auto", false, "05 01 00", "05 00"},
		{"auto", false, "05 02 00 02", "05 00"},
		{"auto", false, "05 01 02", "05 ff"},
		{"auto", false, "05 01 01", "05 ff"},
		{"auto", false, "05 00", "05 ff"},
		{"auto", true, "05 01 02", "05 02"},
		{"auto", true, "05 02 00 02", "05 02"},
		{"auto", true, "05 01 00", "05 ff"},
		{"auto", true, "05 00", "05 ff"},
		{"required", false, "05 02 00 02", "05 02"},
		{"required", false, "05 01 00", "05 ff"},
		{"optional", true, "05 01 00", "05 00"},
		{"optional", true, "05 02 00 02", "05 02"},
		{"optional", true, "05 01 02", "05 02"},
		{"optional", true, "05 01 01", "05 ff"},
		{"optional", false, "05 01 00", "05 00"},
		{"optional", false, "05 02 00 02", "05 02"},
		{"optional", false, "05 01 02", "05 02"},
		{"none", true, "05 01 00", "05 00"},
		{"none", true, "05 02 00 02", "05 00"},
		{"none", true, "05 02 02 00", "05 00"},
		{"none", true, "05 01 02", "05 02"},
		{"none", true, "05 01 01", "05 ff"},
		{"none", true, "05 00", "05 ff"},
		{"none", false, "05 02 00 02", "05 00"},
		{"none", false, "05 01 02", "05 02"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool refused = strcmp(rows[i].chosen, "05 ff") == 0;

		begin(rows[i].auth, rows[i].has_users ? users : nobody);
		net_send_hex(client, rows[i].greeting);
		shutdown(client, SHUT_WR);
		assert_false(handshake_run(&h));
		assert_int_equal(h.reason, refused ? END_NO_METHOD : END_CLIENT_LEFT);
		assert_int_equal(h.answered, refused);
		shutdown(h.client, SHUT_WR);
		expect_answers(rows[i].chosen);
		end();
	}
}

/* No hash is computed for it. */
#define NO_PASSWORD " 01 05 61 6c 69 63 65 00"

/* A name that is nobody's may be a password. */
static void expect_no_name(void)
{
	static const char nothing[sizeof(h.user)];

	assert_memory_equal(h.user, nothing, sizeof(nothing));
}

static void a_login_that_is_not_right_is_refused(void **state)
{
	static const struct {
		const char *login;
		enum end_reason reason;
	} rows[] = {
		{WRONG_LOGIN, END_WRONG_PASSWORD},
		{NO_PASSWORD, END_WRONG_PASSWORD},
		{" 01 03 62 6f 62 07 73 65 3a 63 72 65 74", END_LOGIN_REFUSED},
		{" 01 06 61 6c 69 63 65 00 07 73 65 3a 63 72 65 74", END_LOGIN_REFUSED},
		{" 01 05 61 6c 69 63 65 08 73 65 3a 63 72 65 74 00", END_WRONG_PASSWORD},
		{" 01 00 00", END_LOGIN_REFUSED},
		{" 05 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74", END_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char hex[200];

		snprintf(hex, sizeof(hex), "05 01 02%s" CONNECT_ADDR, rows[i].login);
		assert_false(run_after("auto", users, hex));
		assert_int_equal(h.reason, rows[i].reason);
		assert_true(h.answered);
		assert_int_equal(h.user_len, 0);
		assert_int_equal(h.login_refused, rows[i].reason == END_WRONG_PASSWORD);
		assert_int_equal(h.claimed_len, h.login_refused ? strlen("alice") : 0);
		if (h.login_refused)
			assert_memory_equal(h.user, "alice", h.claimed_len);
		else
			expect_no_name();
		assert_int_equal(h.request.command, REQUEST_NONE);
		assert_int_equal(published().user_len, 0);
		expect_answers("05 02 01 01");
		end();
	}
}

#define NO_SUCH_USER " 01 03 62 6f 62 07 73 65 3a 63 72 65 74"

static void expect_served_as(
	const char *auth, struct users *who, const char *login, const char *user)
{
	uint64_t ignored = login_counts_get(&stats.logins, LOGIN_AT_SOCKS5, LOGIN_IGNORED);
	char hex[200];

	snprintf(hex, sizeof(hex), "05 01 02%s" CONNECT_ADDR, login);
	assert_true(run_after(auth, who, hex));
	assert_int_equal(h.user_len, strlen(user));
	assert_memory_equal(h.user, user, strlen(user));
	assert_int_equal(h.user_entry != NULL, *user != '\0');
	assert_int_equal(h.login_ignored, *user == '\0');
	assert_int_equal(login_counts_get(&stats.logins, LOGIN_AT_SOCKS5, LOGIN_IGNORED),
		ignored + (*user == '\0'));
	assert_int_equal(published().user_len, strlen(user));
	expect_target("192.0.2.1:443");
	expect_answers("05 02 01 00");
	end();
}

static void where_it_is_optional_who_does_not_log_in_rightly_is_anonymous(void **state)
{
	(void)state;
	expect_served_as("optional", users, LOGIN, "alice");
	expect_served_as("optional", users, WRONG_LOGIN, "");
	expect_served_as("optional", users, NO_SUCH_USER, "");
	hashing_set_most(hashing, 0); /* nothing is hashed any more */
	expect_served_as("optional", users, LOGIN, "alice");
	expect_served_as("optional", users, NO_PASSWORD, "");
	expect_served_as("optional", users, " 01 03 62 6f 62 00", "");
	expect_served_as("optional", nobody, LOGIN, "");
	hashing_set_most(hashing, 2);
}

static void where_nobody_logs_in_everybody_is_anonymous(void **state)
{
	(void)state;
	hashing_set_most(hashing, 0);
	expect_served_as("none", users, LOGIN, "");
	expect_served_as("none", users, WRONG_LOGIN, "");
	expect_served_as("none", nobody, NO_PASSWORD, "");
	hashing_set_most(hashing, 2);
}

static void expect_refused(const char *auth, const char *login, enum end_reason reason)
{
	char hex[200];

	snprintf(hex, sizeof(hex), "05 01 02%s" CONNECT_ADDR, login);
	begin(auth, users);
	h.deadline = clock_ms();
	net_send_hex(client, hex);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, reason);
	assert_false(h.login_ignored);
	shutdown(h.client, SHUT_WR);
	expect_answers("05 02 01 01");
	end();
}

/* Else somebody who is right would get others' rules. */
static void what_cannot_be_checked_is_refused_even_where_it_is_optional(void **state)
{
	(void)state;
	hashing_set_most(hashing, 0);
	expect_refused("optional", WRONG_LOGIN, END_LOGIN_BUSY);
	expect_refused("required", WRONG_LOGIN, END_LOGIN_BUSY);
	hashing_set_most(hashing, 2);
	faults_fail(3); /* behind the party's and the job's: crypt(3)'s own */
	expect_refused("optional", WRONG_LOGIN, END_LOGIN_NO_MEMORY);
	assert_true(faults_struck());
}

/* ---- failed logins that count for bans ---- */

#define EMPTY_NAME " 01 00 01 78"

/* One bans here, and the same one again finds that it has. */
static void these_failed_logins_count(void **state)
{
	static const struct {
		const char *auth, *login;
		bool counts;
	} rows[] = {
		{"required", LOGIN, false},
		{"required", WRONG_LOGIN, true},
		{"required", NO_SUCH_USER, true},
		{"required", EMPTY_NAME, true},
		{"required", NO_PASSWORD, false},
		{"required", " 01 00 00", false},
		{"required", " 01 05 61 6c", false}, /* and no more */
		{"auto", WRONG_LOGIN, true},
		{"auto", NO_SUCH_USER, true},
		{"optional", LOGIN, false},
		{"optional", WRONG_LOGIN, true},
		{"optional", NO_SUCH_USER, false},
		{"optional", NO_PASSWORD, false},
		{"none", WRONG_LOGIN, false},
		{"none", NO_SUCH_USER, false},
	};
	struct addr from = net_addr("192.0.2.7", 1234);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bans *bans = bans_new(NULL, NULL);
		char hex[200];

		assert_non_null(bans);
		snprintf(hex, sizeof(hex), "05 01 02%s", rows[i].login);
		for (unsigned times = 0; times < 2; times++) {
			begin(rows[i].auth, users);
			config->settings.ban.failures = 1;
			h.bans = bans;
			h.from = &from;
			net_send_hex(client, hex);
			shutdown(client, SHUT_WR);
			(void)handshake_run(&h);
			if (h.failure.is_due != rows[i].counts)
				fail_msg("%s,%s", rows[i].auth, rows[i].login);
			assert_int_equal(h.failure.has_banned, rows[i].counts && times == 0);
			assert_int_equal(bans_any(bans), rows[i].counts);
			end();
		}
		bans_free(bans);
	}
}

static void a_login_that_could_not_be_checked_does_not_count(void **state)
{
	struct addr from = net_addr("192.0.2.7", 1234);
	struct bans *bans = bans_new(NULL, NULL);

	(void)state;
	assert_non_null(bans);
	hashing_set_most(hashing, 0);
	begin("required", users);
	config->settings.ban.failures = 1;
	h.bans = bans;
	h.from = &from;
	h.deadline = clock_ms();
	net_send_hex(client, "05 01 02" WRONG_LOGIN);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_LOGIN_BUSY);
	assert_false(h.failure.is_due);
	assert_false(bans_any(bans));
	end();
	hashing_set_most(hashing, 2);
	bans_free(bans);
}

/* ---- what stays in memory ---- */

static bool is_in_memory(const char *text)
{
	return memmem(memory, sizeof(memory), text, strlen(text)) != NULL;
}

static void a_password_stays_in_memory_nowhere(void **state)
{
	static const char *const rows[] = {("05 01 02" LOGIN CONNECT_ADDR),
		("05 01 02" WRONG_LOGIN " 73 65 3a 63 72 65 74"), /* with it behind the name */
		"05 01 02 01 05 61 6c 69 63 65 08 73 65 3a 63 72 65 74", /* not complete */
		"05 01 02 02 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74", /* malformed */
		("05 01 01" LOGIN)};
	/* not asked for */ /* not asked for */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(memory, 0, sizeof(memory));
		begin("auto", users);
		net_send_hex(client, rows[i]);
		shutdown(client, SHUT_WR);
		(void)!handshake_run(&h);
		assert_false(is_in_memory("se:cret"));
		end();
	}
}

/* Nobody has a turn, so each waits for one. */
static void who_leaves_while_his_login_waits_has_left(void **state)
{
	(void)state;
	hashing_set_most(hashing, 0);
	begin("auto", users);
	h.deadline = CLOCK_NEVER;
	net_send_hex(client, "05 01 02" WRONG_LOGIN);
	close(client);
	client = -1;
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_CLIENT_LEFT);
	assert_false(h.answered);
	end();
	hashing_set_most(hashing, 2);
}

static void who_has_finished_while_his_login_waits_is_told_so_after_a_while(void **state)
{
	(void)state;
	hashing_set_most(hashing, 0);
	begin("auto", users);
	h.deadline = CLOCK_NEVER;
	h.watch.finished = true;
	h.watch.until = clock_deadline(20);
	net_send_hex(client, "05 01 02" WRONG_LOGIN);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_CLIENT_FINISHED);
	shutdown(h.client, SHUT_WR);
	expect_answers("05 02 01 01");
	end();
	/* And is served when its turn comes in time. */
	hashing_set_most(hashing, 2);
	begin("auto", users);
	net_send_hex(client, "05 01 02" LOGIN CONNECT_ADDR);
	shutdown(client, SHUT_WR);
	assert_true(handshake_run(&h));
	shutdown(h.client, SHUT_WR);
	expect_answers("05 02 01 00");
	end();
}

static void shows_how_far_it_is_and_who_it_is(void **state)
{
	struct session_info info;

	(void)state;
	assert_false(run_after("auto", users, "05 01 02" WRONG_LOGIN));
	assert_int_equal(published().phase, PHASE_LOGIN);
	end();
	assert_true(run_after("auto", users, "05 01 02" LOGIN CONNECT_ADDR));
	info = published();
	assert_int_equal(info.phase, PHASE_REQUEST);
	assert_int_equal(info.user_len, 5);
	assert_memory_equal(info.user, "alice", 5);
	end();
}

/* conforms: RFC1928/commands RFC1928/atyp */
static void yields_every_command_and_target(void **state)
{
	static const struct {
		const char *request;
		enum request_command command;
		uint8_t code;
		const char *target;
	} rows[] = {
		{CONNECT_ADDR, REQUEST_CONNECT, 1, "192.0.2.1:443"},
		{" 05 02 00 03 01 61 00 00", REQUEST_BIND, 2, "a:0"},
		{" 05 03 ff 01 00 00 00 00 00 00", REQUEST_UDP_ASSOCIATE, 3, "0.0.0.0:0"},
		{" 05 00 00 01 c0 00 02 01 01 bb", REQUEST_UNKNOWN, 0, "192.0.2.1:443"},
		{" 05 ff 00 03 01 61 00 50", REQUEST_UNKNOWN, 255, "a:80"},
		{" 05 01 00 02", REQUEST_CONNECT, 1, "-"},
		{" 05 01 00 03 00 00 50", REQUEST_CONNECT, 1, ":80"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char hex[100];

		snprintf(hex, sizeof(hex), "05 01 00%s", rows[i].request);
		assert_true(run_after("auto", nobody, hex));
		assert_int_equal(h.request.command, rows[i].command);
		assert_int_equal(h.request.code, rows[i].code);
		expect_target(rows[i].target);
		assert_int_equal(buffer_readable(&in), 0);
		expect_answers("05 00");
		end();
	}
}

static void a_request_of_another_version_is_told_so(void **state)
{
	(void)state;
	assert_false(run_after("auto", nobody, "05 01 00 04 01 00 01 c0 00 02 01 01 bb"));
	assert_int_equal(h.reason, END_MALFORMED);
	assert_true(h.answered);
	assert_int_equal(h.request.command, REQUEST_NONE);
	expect_answers("05 00 05 01 00 01 00 00 00 00 00 00");
	end();
}

/* conforms: RFC1928/rep-failure RFC1928/rep-ruleset RFC1928/rep-network RFC1928/rep-host */
/* conforms: RFC1928/rep-refused RFC1928/rep-ttl RFC1928/rep-command RFC1928/rep-atyp */
static void replies_tell_what_happened(void **state)
{
	static const struct {
		enum end_reason failure;
		unsigned code;
	} rows[] = {{END_REASONS, 0}, {END_COMMAND_UNSUPPORTED, 7}, {END_ATYP_UNSUPPORTED, 8},
		{END_TARGET_DENIED, 2}, {END_NAME_NOT_FOUND, 4}, {END_NAME_FAILED, 4},
		{END_CONNECT_REFUSED, 5}, {END_HOST_UNREACHABLE, 4}, {END_NETWORK_UNREACHABLE, 3},
		{END_CONNECT_TIMEOUT, 6}, {END_CONNECT_FAILED, 1}, {END_BIND_TIMEOUT, 6},
		{END_NO_SOCKET, 1}, {END_KILLED, 1}, {END_STOPPED, 1}, {END_CLIENT_LEFT, 1},
		{END_MALFORMED, 1}, {END_HANDSHAKE_TIMEOUT, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char expected[64];

		begin("auto", nobody);
		net_send_hex(client, "05 01 00" CONNECT_ADDR);
		assert_true(handshake_run(&h));
		assert_int_equal(dialect_code(&h, rows[i].failure), rows[i].code);
		assert_true(dialect_reply(&h, rows[i].failure, NULL));
		assert_true(h.answered);
		assert_int_equal(h.code, rows[i].code);
		shutdown(h.client, SHUT_WR);
		snprintf(expected, sizeof(expected), "05 00 05 %02x 00 01 00 00 00 00 00 00",
			rows[i].code);
		expect_answers(expected);
		end();
	}
}

/* conforms: RFC1928/bind-replies */
static void bind_is_replied_to_twice(void **state)
{
	struct addr bound = net_addr("192.0.2.1", 4660), peer = net_addr("2001:db8::1", 443);

	(void)state;
	begin("auto", nobody);
	net_send_hex(client, "05 01 00 05 02 00 01 c0 00 02 01 00 00");
	assert_true(handshake_run(&h));
	assert_true(dialect_reply(&h, END_REASONS, &bound));
	assert_true(dialect_reply(&h, END_REASONS, &peer));
	shutdown(h.client, SHUT_WR);
	expect_answers("05 00 05 00 00 01 c0 00 02 01 12 34 05 00 00 04"
		       "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 01 bb");
	end();
}

/* ---- accounts ---- */

static struct ledger_figures figures_of_alice(void)
{
	struct user_info info;

	assert_true(users_get(users, "alice", &info));
	return info.figures;
}

static void who_has_logged_in_is_counted_for(void **state)
{
	uint64_t before = figures_of_alice().received;

	(void)state;
	assert_true(run_after("auto", users, "05 01 02" LOGIN CONNECT_ADDR));
	assert_int_equal(figures_of_alice().sessions, 1);
	traffic_count(registry_traffic(h.slot), TRAFFIC_RECEIVED, 7);
	assert_int_equal(figures_of_alice().received, before + 7);
	end();
	assert_int_equal(figures_of_alice().sessions, 0);
}

static void who_did_not_log_in_is_nobody_s(void **state)
{
	(void)state;
	assert_false(run_after("auto", users, "05 01 02" WRONG_LOGIN));
	assert_null(h.user_entry);
	assert_int_equal(figures_of_alice().sessions, 0);
	end();
	assert_true(run_after("optional", users, "05 01 00" CONNECT_ADDR));
	assert_null(h.user_entry);
	end();
}

static void delete_and_add_alice(void)
{
	char error[USERS_ERROR_MAX], hash[PASSWORD_HASH_SIZE];

	cheap_hash("se:cret", hash);
	assert_int_equal(users_remove(users, "alice", error), 0);
	assert_int_equal(users_add(users, "alice", hash, USER_ROLE_USER, error), 0);
}

/* Whoever deletes her ends the sessions that are known as hers: this one is not yet. */
static void who_is_deleted_just_then_is_refused(void **state)
{
	(void)state;
	meanwhile = delete_and_add_alice;
	assert_false(run_after("auto", users, "05 01 02" LOGIN CONNECT_ADDR));
	meanwhile = NULL;
	assert_int_equal(h.reason, END_LOGIN_REFUSED);
	assert_int_equal(figures_of_alice().sessions, 0);
	end();
	assert_true(run_after("auto", users, "05 01 02" LOGIN CONNECT_ADDR));
	end();
}

/* ---- sending ---- */

/* Sends until no byte more fits. */
static void fill(int fd)
{
	static const uint8_t bytes[4096];

	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	while (send(fd, bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

static void who_does_not_read_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	begin("auto", nobody);
	h.deadline = clock_ms() + 20;
	fill(h.client);
	net_send_hex(client, "05 01 00" CONNECT_ADDR);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
	assert_false(h.answered);
	end();
	/* A refusal that does not get out is none, but its reason stands. */
	begin("auto", nobody);
	h.deadline = clock_ms() + 20;
	fill(h.client);
	net_send_hex(client, "05 01 01");
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_NO_METHOD);
	assert_false(h.answered);
	end();
}

/* Of reading at first, and then of writing. */
static void a_lack_of_memory_is_waited_for(void **state)
{
	static const int errors[] = {ENOBUFS, ENOMEM};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		begin("auto", nobody);
		net_send_hex(client, "05 01 00" CONNECT_ADDR);
		fault = errors[i];
		faults = 2;
		assert_true(handshake_run(&h));
		faults = 2;
		assert_true(dialect_reply(&h, END_CONNECT_REFUSED, NULL));
		shutdown(h.client, SHUT_WR);
		expect_answers("05 00 05 05 00 01 00 00 00 00 00 00");
		end();
	}
}

static void a_lack_of_memory_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	fault = ENOBUFS;
	begin("auto", nobody);
	faults = 1000000;
	h.deadline = clock_ms() + 50;
	net_send_hex(client, "05 01 00" CONNECT_ADDR);
	assert_false(handshake_run(&h));
	assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
	assert_true(clock_ms() >= h.deadline);
	assert_true(faults > 1000000 - 20);
	end();
	faults = 0;
	begin("auto", nobody);
	net_send_hex(client, "05 01 00" CONNECT_ADDR);
	assert_true(handshake_run(&h));
	faults = 1000000;
	h.deadline = clock_ms() + 50;
	assert_false(dialect_reply(&h, END_REASONS, NULL));
	assert_int_equal(h.reason, END_HANDSHAKE_TIMEOUT);
	assert_true(faults > 1000000 - 20);
	faults = 0;
	end();
}

static void who_is_gone_cannot_be_replied_to(void **state)
{
	(void)state;
	begin("auto", nobody);
	net_send_hex(client, "05 01 00" CONNECT_ADDR);
	assert_true(handshake_run(&h));
	shutdown(h.client, SHUT_WR);
	assert_false(dialect_reply(&h, END_REASONS, NULL));
	assert_int_equal(h.reason, END_CLIENT_LEFT);
	assert_false(h.answered);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_dialect_begins_with_is_unknown),
		cmocka_unit_test(what_else_it_may_be_is_guessed),
		cmocka_unit_test(what_is_switched_off_is_not_spoken),
		cmocka_unit_test(who_leaves_before_it_can_be_guessed_has_left),
		cmocka_unit_test(http_is_told_what_the_port_is),
		cmocka_unit_test(who_leaves_before_a_byte_asked_nothing),
		cmocka_unit_test(who_leaves_in_the_middle_has_left),
		cmocka_unit_test(silence_is_waited_for_until_the_deadline),
		cmocka_unit_test(takes_a_request_cut_anywhere),
		cmocka_unit_test(chooses_a_method_by_auth_and_offer),
		cmocka_unit_test(a_login_that_is_not_right_is_refused),
		cmocka_unit_test(where_it_is_optional_who_does_not_log_in_rightly_is_anonymous),
		cmocka_unit_test(where_nobody_logs_in_everybody_is_anonymous),
		cmocka_unit_test(what_cannot_be_checked_is_refused_even_where_it_is_optional),
		cmocka_unit_test(these_failed_logins_count),
		cmocka_unit_test(a_login_that_could_not_be_checked_does_not_count),
		cmocka_unit_test(a_password_stays_in_memory_nowhere),
		cmocka_unit_test(who_leaves_while_his_login_waits_has_left),
		cmocka_unit_test(who_has_finished_while_his_login_waits_is_told_so_after_a_while),
		cmocka_unit_test(shows_how_far_it_is_and_who_it_is),
		cmocka_unit_test(yields_every_command_and_target),
		cmocka_unit_test(a_request_of_another_version_is_told_so),
		cmocka_unit_test(replies_tell_what_happened),
		cmocka_unit_test(bind_is_replied_to_twice),
		cmocka_unit_test(who_has_logged_in_is_counted_for),
		cmocka_unit_test(who_did_not_log_in_is_nobody_s),
		cmocka_unit_test(who_is_deleted_just_then_is_refused),
		cmocka_unit_test(who_does_not_read_is_waited_for_until_the_deadline),
		cmocka_unit_test(a_lack_of_memory_is_waited_for),
		cmocka_unit_test(a_lack_of_memory_is_waited_for_until_the_deadline),
		cmocka_unit_test(who_is_gone_cannot_be_replied_to),
	};

	return cmocka_run_group_tests_name("proxy/handshake", tests, set_up, tear_down);
}
