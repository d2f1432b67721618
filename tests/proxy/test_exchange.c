/* exchange: whole requests and answers, read in pieces of every size: what the server gets, what
 * the client gets, and how it ended. */
#include "proxy/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "net.h"
#include "net/socket.h"
#include "proxy/dialect.h"

ssize_t __real_socket_read(int fd, void *bytes, size_t len);
ssize_t __wrap_socket_read(int fd, void *bytes, size_t len);

/* Bytes that a read gives at most. */
static size_t piece;

ssize_t __wrap_socket_read(int fd, void *bytes, size_t len)
{
	return __real_socket_read(fd, bytes, len < piece ? len : piece);
}

static uint8_t memory[2][65536];
static struct buffer to_target, to_client;
static struct traffic traffic;
static struct idle_limits limits;
static struct relay relay;
static struct exchange exchange;
static int client, server; /* the tests' ends */
static unsigned answered; /* the status that was */
static int64_t timeout_ms = NET_PATIENCE_S * 1000;
static int client_room; /* bytes that may wait for a client that does not read; 0: many */

static bool note_answer(void *who, unsigned status)
{
	assert_ptr_equal(who, &exchange);
	answered = status;
	return true;
}

static int make_pair(int *theirs)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	*theirs = pair[1];
	return pair[0];
}

/* The request has come, or its beginning; the rest of it is sent, and the answer. */
static enum end_reason run(const char *request, size_t came, const char *answer, bool ends)
{
	enum end_reason reason;

	atomic_store(&limits.timeout, timeout_ms);
	atomic_store(&limits.half_close_timeout, timeout_ms);
	buffer_init(&to_target, memory[0], sizeof(memory[0]));
	buffer_init(&to_client, memory[1], sizeof(memory[1]));
	relay = (struct relay){.to_target = &to_target,
		.to_client = &to_client,
		.path = RELAY_COPY,
		.limits = &limits,
		.traffic = &traffic};
	client = make_pair(&relay.client);
	server = make_pair(&relay.target);
	if (client_room > 0)
		assert_int_equal(setsockopt(relay.client, SOL_SOCKET, SO_SNDBUF, &client_room,
					 sizeof(client_room)),
			0);
	memcpy(buffer_tail(&to_target), request, came);
	buffer_commit(&to_target, came);
	net_send(client, request + came, strlen(request) - came);
	net_send(server, answer, strlen(answer));
	if (ends)
		shutdown(server, SHUT_WR);
	answered = 0;
	exchange = (struct exchange){.relay = &relay, .answer = note_answer, .who = &exchange};
	reason = exchange_run(&exchange);
	close(relay.client);
	close(relay.target);
	return reason;
}

static void expect_all(int fd, const char *wanted)
{
	char got[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, got + len, sizeof(got) - 1 - len, 0)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	assert_string_equal(got, wanted);
	close(fd);
}

static size_t head_len(const char *request)
{
	return (size_t)(strstr(request, "\r\n\r\n") + 4 - request);
}

#define GET "GET http://a/ HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_OUT "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CLOSE "Connection: close\r\n\r\n"

struct row {
	const char *request, *answer; /* as they are sent */
	const char *asked, *got; /* as they arrive */
	unsigned status; /* 0: nothing is passed on */
	enum end_reason failure;
	bool ends; /* the server closes behind it; else it keeps open */
	bool is_torn, has_more;
};

static const struct row rows[] = {
	{GET, OK "Content-Length: 2\r\n\r\nok", GET_OUT, OK "Content-Length: 2\r\n" CLOSE "ok", 200,
		END_REASONS, false, false, false},
	{GET, OK "Content-Length: 2\r\n\r\nokrest", GET_OUT, OK "Content-Length: 2\r\n" CLOSE "ok",
		200, END_REASONS, false, false, false},
	{GET, OK "\r\nok", GET_OUT, OK CLOSE "ok", 200, END_REASONS, true, false, false},
	{GET GET, OK "Content-Length: 0\r\n\r\n", GET_OUT, OK "Content-Length: 0\r\n" CLOSE, 200,
		END_REASONS, false, false, true},
	{GET, OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nrest", GET_OUT,
		OK "Transfer-Encoding: chunked\r\n" CLOSE "2\r\nok\r\n0\r\n\r\n", 200, END_REASONS,
		false, false, false},
	/* Pitfall 40 */
	{"GET http://a/ HTTP/1.0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" OK
		"Transfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n3\r\n\r\n0\r\n0\r\nX: y\r\n\r\n",
		GET_OUT, OK CLOSE "ok\r\n0", 200, END_REASONS, false, false, false},
	/* Pitfall 41: an end before the end. */
	{"GET http://a/ HTTP/1.0\r\n\r\n", OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
		GET_OUT, NULL, 200, END_BAD_ANSWER, true, true, false},
	{GET, OK "Content-Length: 9\r\n\r\nok", GET_OUT, OK "Content-Length: 9\r\n" CLOSE "ok", 200,
		END_REASONS, true, true, false},
	{GET, "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hint\nLink: a\n\nHTTP/1.0 404 No\n\n", GET_OUT,
		"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hint\r\nLink: a\r\n\r\nHTTP/1.1 404 "
		"No\r\n" CLOSE,
		404, END_REASONS, true, false, false},
	/* Pitfall 42 */
	{"POST http://a/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" GET,
		OK "Content-Length: 2\r\n\r\nok",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
		OK "Content-Length: 2\r\n" CLOSE "ok", 200, END_REASONS, false, false, true},
	{"POST http://a/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET,
		OK "Content-Length: 2\r\n\r\nok",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n",
		OK "Content-Length: 2\r\n" CLOSE "ok", 200, END_REASONS, false, false, true},
	{GET, "hello\r\n\r\n", GET_OUT, "", 0, END_BAD_ANSWER, true, false, false},
	{GET, "HTTP/1.1 200 OK\r\n", GET_OUT, "", 0, END_BAD_ANSWER, true, false, false},
	{GET, "", GET_OUT, "", 0, END_BAD_ANSWER, true, false, false},
	{GET, "HTTP/1.1 101 Switch\r\n\r\n", GET_OUT, "", 0, END_BAD_ANSWER, false, false, false},
};

/* What the client has sent behind its request by the time the answer ends may not have been read:
 * whether it has more is only sure where it came at once. */
static void check_row(const struct row *row, size_t came)
{
	(void)run(row->request, came, row->answer, row->ends);
	assert_int_equal(exchange.failure, row->failure);
	assert_int_equal(answered, row->status);
	assert_int_equal(exchange.is_answered, row->status != 0);
	assert_int_equal(exchange.is_torn, row->is_torn);
	if (came == strlen(row->request))
		assert_int_equal(exchange.has_more, row->has_more);
	if (row->got != NULL)
		expect_all(client, row->got);
	else
		close(client);
	expect_all(server, row->asked);
}

static void messages_may_be_cut_anywhere(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 5, 7, 16, 64, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t p = 0; p < COUNT(pieces); p++) {
			piece = pieces[p];
			check_row(&rows[i], strlen(rows[i].request));
			/* A body that is still to come is waited for where the answer waits. */
			if (strncmp(rows[i].request, "GET", 3) == 0)
				check_row(&rows[i], head_len(rows[i].request));
		}
	}
}

/* The client's part of the rewriting is whole whatever there is no room for. */
static void a_head_is_rewritten_in_a_full_buffer(void **state)
{
	static char request[65536], asked[65536];
	const size_t most = 65536 - DIALECT_SPARE;
	size_t len = (size_t)sprintf(
		request, "POST http://a/ HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
	size_t out = (size_t)sprintf(asked,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n"
		"Connection: close\r\n\r\n");
	char *got = malloc(65536);

	(void)state;
	assert_non_null(got);
	memset(request + len, 'b', most - len);
	memset(asked + out, 'b', 60000);
	request[most] = '\0';
	piece = 100000;
	(void)run(request, most, OK "Content-Length: 0\r\n\r\n", false);
	net_receive(server, got, out + 60000);
	assert_memory_equal(got, asked, out + 60000);
	net_expect_gone(server);
	assert_true(exchange.has_more);
	close(server);
	close(client);
	free(got);
}

/* Its server has said all of it, and closed. */
static void an_answer_that_does_not_reach_the_client_is_torn(void **state)
{
	static const char *const heads[] = {OK "\r\n", OK "Content-Length: 50000\r\n\r\n"};
	static char answer[65536];

	(void)state;
	piece = 100000;
	timeout_ms = 100;
	client_room = 4096;
	for (size_t i = 0; i < COUNT(heads); i++) {
		memset(stpcpy(answer, heads[i]), 'b', 50000);
		answer[strlen(heads[i]) + 50000] = '\0';
		assert_true(end_reason_is_idle(run(GET, head_len(GET), answer, true)));
		assert_true(exchange.is_torn);
		close(client);
		close(server);
	}
	timeout_ms = NET_PATIENCE_S * 1000;
	client_room = 0;
}

/* Pitfall 37: what cannot be read in one way only goes no further. */
static void a_malformed_chunk_is_the_end(void **state)
{
	static const char request[] = "POST http://a/ HTTP/1.1\r\nHost: x\r\n"
				      "Transfer-Encoding: chunked\r\n\r\n"
				      "3\r\nabc\r\n-1\r\n";

	(void)state;
	for (piece = 1; piece < sizeof(request); piece++) {
		(void)run(request, head_len(request), "", false);
		assert_int_equal(exchange.failure, END_MALFORMED);
		assert_false(exchange.is_answered);
		close(client);
		close(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_may_be_cut_anywhere),
		cmocka_unit_test(a_head_is_rewritten_in_a_full_buffer),
		cmocka_unit_test(an_answer_that_does_not_reach_the_client_is_torn),
		cmocka_unit_test(a_malformed_chunk_is_the_end),
	};

	return cmocka_run_group_tests_name("proxy/exchange", tests, NULL, NULL);
}
