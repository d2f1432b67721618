/*
 * How exactly rates are held, over many streams and by short downloads one behind the other: a
 * socks5d for each row, with packets of Ethernet's size on a loopback of its own where that may be
 * made. One thread is clients and targets at once. What rates cost is in the bench.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "place.h"

#define MOST 42
#define KBIT 125.0 /* bytes a second */

static const char *program;
static uint16_t proxy_port = 21080, target_port;
static int target_listener;

struct stream {
	int from, to;
	uint64_t moved;
};

static struct stream streams[MOST];

/* ---- the place ---- */

static void enter_network(void)
{
	if (place_enter() < 0)
		printf("(no network of its own: with the loopback's packets)\n");
}

static struct sockaddr_in here(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void listen_as_target(void)
{
	struct sockaddr_in a = here(0);
	socklen_t len = sizeof(a);

	target_listener = socket(AF_INET, SOCK_STREAM, 0);
	if (target_listener < 0 || bind(target_listener, (struct sockaddr *)&a, len) < 0 ||
		listen(target_listener, 64) < 0 ||
		getsockname(target_listener, (struct sockaddr *)&a, &len) < 0)
		fail_by_errno("listen");
	target_port = ntohs(a.sin_port);
}

static int connect_to_proxy(void)
{
	struct sockaddr_in a = here(proxy_port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* With that rate for each client without a login. */
static pid_t start_proxy(const char *rate)
{
	char port[16], limit[32];
	pid_t pid;

	proxy_port++;
	snprintf(port, sizeof(port), "%u", proxy_port);
	snprintf(limit, sizeof(limit), "rate=%s", rate);
	pid = fork();
	if (pid == 0) {
		setsid();
		execl(program, program, "--listen", "127.0.0.1", "--port", port, "--monitor-port",
			"21079", "--log-level", "error", "--max-sessions", "128",
			"--anonymous-defaults", limit, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		int fd = connect_to_proxy();

		if (fd >= 0) {
			close(fd);
			return pid;
		}
		usleep(10000);
	}
	fail("the server does not answer");
}

static void stop_proxy(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- sessions ---- */

static void read_all(int fd, void *bytes, size_t len)
{
	if (recv(fd, bytes, len, MSG_WAITALL) != (ssize_t)len)
		fail_by_errno("recv");
}

/* A session; the target's end in `*target`. */
static int open_session(int *target)
{
	uint8_t request[] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 0}, reply[12];
	int fd = connect_to_proxy();

	if (fd < 0)
		fail_by_errno("connect");
	request[11] = (uint8_t)(target_port >> 8);
	request[12] = (uint8_t)target_port;
	if (send(fd, request, sizeof(request), 0) < 0)
		fail_by_errno("send");
	read_all(fd, reply, sizeof(reply));
	*target = accept(target_listener, NULL, NULL);
	return fd;
}

static void open_streams(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int target, fd = open_session(&target);

		(void)fcntl(target, F_SETFL, O_NONBLOCK);
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		streams[i] = (struct stream){.from = target, .to = fd};
	}
}

static void close_streams(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		close(streams[i].from);
		close(streams[i].to);
	}
}

static void move_one(struct stream *s, const struct pollfd *from, const struct pollfd *to)
{
	static char bytes[262144];

	if ((from->revents & POLLOUT) != 0)
		(void)!send(s->from, bytes, sizeof(bytes), MSG_NOSIGNAL);
	if ((to->revents & POLLIN) != 0) {
		ssize_t n = recv(s->to, bytes, sizeof(bytes), 0);

		s->moved += n > 0 ? (uint64_t)n : 0;
	}
}

/* Moves as much as goes until `end`; what came out. */
static uint64_t move_until(size_t count, double end)
{
	struct pollfd fds[2 * MOST];
	uint64_t moved = 0;

	for (size_t i = 0; i < count; i++) {
		fds[2 * i] = (struct pollfd){.fd = streams[i].from, .events = POLLOUT};
		fds[2 * i + 1] = (struct pollfd){.fd = streams[i].to, .events = POLLIN};
		moved -= streams[i].moved;
	}
	while (clock_seconds() < end) {
		if (poll(fds, 2 * count, 1 + (int)((end - clock_seconds()) * 1000)) < 0)
			fail_by_errno("poll");
		for (size_t i = 0; i < count; i++)
			move_one(&streams[i], &fds[2 * i], &fds[2 * i + 1]);
	}
	for (size_t i = 0; i < count; i++)
		moved += streams[i].moved;
	return moved;
}

/* ---- rows ---- */

/* The whole time counts, from the first byte on. */
static void measure_exactness(const char *rate, double bytes, size_t count)
{
	pid_t pid = start_proxy(rate);
	double begun, took;
	uint64_t moved;

	open_streams(count);
	begun = clock_seconds();
	moved = move_until(count, begun + 10);
	took = clock_seconds() - begun;
	printf("%-9s %2zu streams, 10 s     %8.1f %% of the rate\n", rate, count,
		(double)moved / took / bytes * 100);
	close_streams(count);
	stop_proxy(pid);
}

static void measure_chain(const char *rate, double bytes)
{
	static char buffer[10000];
	pid_t pid = start_proxy(rate);
	double begun = clock_seconds();
	uint64_t moved = 0;

	while (clock_seconds() < begun + 10) {
		int target, fd = open_session(&target);

		if (send(target, buffer, sizeof(buffer), 0) < 0)
			fail_by_errno("send");
		close(target);
		read_all(fd, buffer, sizeof(buffer));
		close(fd);
		moved += sizeof(buffer);
	}
	printf("%-9s chain of 10 kB, 10 s  %8.1f %% of the rate\n", rate,
		(double)moved / (clock_seconds() - begun) / bytes * 100);
	stop_proxy(pid);
}

int main(void)
{
	static const struct {
		const char *text;
		double bytes;
	} rates[] = {{"512kbit", 512 * KBIT}, {"2Mbit", 2000 * KBIT}, {"16Mbit", 16000 * KBIT},
		{"100Mbit", 100000 * KBIT}};

	program = getenv("SOCKS5D") != NULL ? getenv("SOCKS5D") : "bin/socks5d";
	setvbuf(stdout, NULL, _IOLBF, 0);
	enter_network();
	listen_as_target();
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		measure_exactness(rates[i].text, rates[i].bytes, 1);
		measure_exactness(rates[i].text, rates[i].bytes, 10);
		measure_exactness(rates[i].text, rates[i].bytes, 40);
		measure_chain(rates[i].text, rates[i].bytes);
	}
	return 0;
}
