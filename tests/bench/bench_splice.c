/*
 * bench_splice: the yardstick of bulk transfers: a SOCKS5 server without anything that a server
 * needs, which has the kernel pass bytes in nothing but a loop of splice(2) and poll(2).
 *
 * DESIGN
 * A thread a client. CONNECT to an IPv4 address without a login is all that it knows; requests come
 * in whole segments, as the bench sends them. Each direction has a pipe of its own from the first
 * byte, nothing is counted and nothing times out. What a real server costs beyond that is the price
 * of all it does besides. Usage: bench_splice HOST PORT [PIPE_BYTES]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPE_BYTES (1024 * 1024)
#define BACKLOG 1024
#define PAUSE_MS 10

static int pipe_bytes = PIPE_BYTES;

/* ---- relay ---- */

struct way {
	int from, to;
	int pipe[2];
	size_t held; /* in the pipe */
	bool blocked; /* more does not go in before some came out */
	bool over; /* nothing more comes in */
	bool told; /* and the other side knows */
};

static ssize_t move(int from, int to, size_t len)
{
	return splice(from, NULL, to, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

static bool open_way(struct way *w, int from, int to)
{
	*w = (struct way){.from = from, .to = to};
	if (pipe2(w->pipe, O_NONBLOCK | O_CLOEXEC) < 0)
		return false;
	(void)fcntl(w->pipe[1], F_SETPIPE_SZ, pipe_bytes);
	return true;
}

static void close_way(struct way *w)
{
	close(w->pipe[0]);
	close(w->pipe[1]);
}

/* Fills the pipe once and empties it as far as the other side takes it; false when that broke. */
static bool step(struct way *w)
{
	ssize_t n = 0;

	if (!w->over && !w->blocked) {
		n = move(w->from, w->pipe[1], (size_t)pipe_bytes);
		if (n < 0 && errno != EAGAIN)
			return false;
		w->over = n == 0;
		w->blocked = n < 0 && w->held > 0;
		w->held += n > 0 ? (size_t)n : 0;
	}
	if (w->held > 0) {
		n = move(w->pipe[0], w->to, w->held);
		if (n < 0 && errno != EAGAIN)
			return false;
		w->held -= n > 0 ? (size_t)n : 0;
		w->blocked &= n <= 0;
	}
	if (w->over && w->held == 0 && !w->told) {
		shutdown(w->to, SHUT_WR);
		w->told = true;
	}
	return true;
}

static struct pollfd wanted(const struct way *out, const struct way *in)
{
	struct pollfd p = {.fd = out->from};

	if (!out->over && out->held <= (size_t)pipe_bytes / 2)
		p.events |= POLLIN;
	if (in->held > 0)
		p.events |= POLLOUT;
	if (p.events == 0)
		p.fd = -1;
	return p;
}

static void relay(int client, int target)
{
	struct way out, in;

	if (!open_way(&out, client, target))
		return;
	if (open_way(&in, target, client)) {
		while (step(&out) && step(&in) && !(out.told && in.told)) {
			struct pollfd fds[2] = {wanted(&out, &in), wanted(&in, &out)};

			if (poll(fds, 2, -1) < 0)
				break;
		}
		close_way(&in);
	}
	close_way(&out);
}

/* ---- SOCKS5 ---- */

static bool read_exactly(int fd, void *bytes, size_t len)
{
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

/* The connection to what the client asks for; -1 when that is not served. */
static int connect_as_asked(int client)
{
	static const uint8_t greeting[] = {5, 0};
	struct sockaddr_in to = {.sin_family = AF_INET};
	uint8_t bytes[256];
	int fd;

	if (!read_exactly(client, bytes, 2) || !read_exactly(client, bytes + 2, bytes[1]) ||
		send(client, greeting, sizeof(greeting), MSG_NOSIGNAL) < 0 ||
		!read_exactly(client, bytes, 10) || bytes[1] != 1 || bytes[3] != 1)
		return -1;
	memcpy(&to.sin_addr, bytes + 4, 4);
	memcpy(&to.sin_port, bytes + 8, 2);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void make_ready(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void *serve(void *arg)
{
	static const uint8_t granted[10] = {5, 0, 0, 1};
	int client = (int)(intptr_t)arg;
	int target = connect_as_asked(client);

	if (target >= 0) {
		if (send(client, granted, sizeof(granted), MSG_NOSIGNAL) > 0) {
			make_ready(client);
			make_ready(target);
			relay(client, target);
		}
		close(target);
	}
	close(client);
	return NULL;
}

/* ---- the server ---- */

static int listen_at(const char *host, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, host, &at.sin_addr) != 1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	pthread_attr_t detached;
	pthread_t thread;
	int listener, client;

	if (argc < 3) {
		fprintf(stderr, "Usage: bench_splice HOST PORT [PIPE_BYTES]\n");
		return 2;
	}
	if (argc > 3)
		pipe_bytes = atoi(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	listener = listen_at(argv[1], argv[2]);
	if (listener < 0) {
		perror("bench_splice");
		return EXIT_FAILURE;
	}
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			poll(NULL, 0, PAUSE_MS); /* out of descriptors, perhaps */
		else if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)client) != 0)
			close(client);
	}
}
