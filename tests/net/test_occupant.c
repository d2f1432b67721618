/* occupant: what is told of whoever listens, by what it answers; an answer may come in pieces. */
#include "net/occupant.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"
#include "wire/monitor.h"

struct server_of_one {
	int listener;
	const char *answer; /* byte by byte; NULL: nothing until the other has left */
	size_t len;
};

static void *serve_one(void *arg)
{
	const struct server_of_one *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char bytes[64];

	for (size_t i = 0; s->answer != NULL && i < s->len; i++) {
		if (send(fd, s->answer + i, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	if (s->answer != NULL)
		shutdown(fd, SHUT_WR);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
	return NULL;
}

/* Who is found at `asked` when that is answered. */
static enum occupant ask(const char *asked, const char *answer, size_t len, int64_t deadline)
{
	uint16_t port;
	struct server_of_one s = {net_listen("127.0.0.1", &port), answer, len};
	struct addr at = net_addr(asked, port);
	enum occupant found;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, serve_one, &s), 0);
	found = occupant_ask(&at, deadline);
	pthread_join(thread, NULL);
	close(s.listener);
	return found;
}

static void tells_by_the_answer(void **state)
{
	static const struct {
		const char *answer;
		size_t len;
		enum occupant found;
	} rows[] = {
		{"\x05\x00", 2, OCCUPANT_SOCKS},
		{"\x05\xff", 2, OCCUPANT_SOCKS},
		{"\x05", 1, OCCUPANT_UNKNOWN},
		{MONITOR_PROMPT "\n", sizeof(MONITOR_PROMPT), OCCUPANT_MONITOR},
		{MONITOR_PROMPT, 10, OCCUPANT_UNKNOWN},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", 28, OCCUPANT_UNKNOWN},
		{"", 0, OCCUPANT_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (ask("127.0.0.1", rows[i].answer, rows[i].len, CLOCK_NEVER) != rows[i].found)
			fail_msg("row %zu", i);
	}
}

static void asks_loopback_for_all_addresses(void **state)
{
	(void)state;
	assert_int_equal(ask("0.0.0.0", "\x05\x02", 2, CLOCK_NEVER), OCCUPANT_SOCKS);
}

static void who_says_nothing_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(ask("127.0.0.1", NULL, 0, clock_deadline(50)), OCCUPANT_UNKNOWN);
}

static void nobody_is_unknown(void **state)
{
	uint16_t port;
	int fd = net_listen("127.0.0.1", &port);
	struct addr at = net_addr("127.0.0.1", port);

	(void)state;
	close(fd);
	assert_int_equal(occupant_ask(&at, CLOCK_NEVER), OCCUPANT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_by_the_answer),
		cmocka_unit_test(asks_loopback_for_all_addresses),
		cmocka_unit_test(who_says_nothing_is_not_waited_for),
		cmocka_unit_test(nobody_is_unknown),
	};

	return cmocka_run_group_tests_name("net/occupant", tests, NULL, NULL);
}
