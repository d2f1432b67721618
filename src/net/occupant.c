/*
 * A greeting of SOCKS5 is sent, and two bytes of the answer tell: a SOCKS5 server says its version,
 * and the monitor of a socks5d greets by itself, before it has read anything. It is left without
 * the end of a line, so no login is tried there.
 */
#include "net/occupant.h"

#include <stdbool.h>
#include <string.h>

#include "net/socket.h"
#include "wire/monitor.h"

#define ANSWER_MAX (sizeof(MONITOR_PROMPT) - 1)

static bool wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};

	return socket_wait(&p, 1, deadline) > 0;
}

/* Where nobody listens on 0.0.0.0 itself, loopback is the nearest. */
static struct addr reachable(const struct addr *a)
{
	struct addr at = *a;

	if (!addr_is_unspecified(a))
		return at;
	(void)addr_parse(a->sa.sa_family == AF_INET ? "127.0.0.1" : "::1",
		a->sa.sa_family == AF_INET ? 9 : 3, &at);
	addr_set_port(&at, addr_port(a));
	return at;
}

static enum occupant judge_answer(const char *answer, size_t len)
{
	if (len == ANSWER_MAX && memcmp(answer, MONITOR_PROMPT, len) == 0)
		return OCCUPANT_MONITOR;
	return len >= 2 && answer[0] == 5 ? OCCUPANT_SOCKS : OCCUPANT_UNKNOWN;
}

static enum occupant ask_on(int fd, int64_t deadline)
{
	static const char greeting[] = {5, 1, 0}; /* version, one method: no login */
	char answer[ANSWER_MAX];
	size_t len = 0;

	if (!wait_for(fd, POLLOUT, deadline) || socket_connect_result(fd) != 0 ||
		socket_write(fd, greeting, sizeof(greeting)) != (ssize_t)sizeof(greeting))
		return OCCUPANT_UNKNOWN;
	while (len < sizeof(answer) && (len < 2 || answer[0] != 5) &&
		wait_for(fd, POLLIN, deadline)) {
		ssize_t n = socket_read(fd, answer + len, sizeof(answer) - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return judge_answer(answer, len);
}

enum occupant occupant_ask(const struct addr *a, int64_t deadline)
{
	struct addr at = reachable(a);
	int fd = socket_connect_start(&at, NULL);
	enum occupant found = OCCUPANT_UNKNOWN;

	if (fd >= 0)
		found = ask_on(fd, deadline);
	socket_close(fd);
	return found;
}
