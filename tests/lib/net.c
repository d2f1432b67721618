#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct addr net_addr(const char *host, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(host, strlen(host), &a));
	addr_set_port(&a, port);
	return a;
}

static void be_patient(int fd)
{
	struct timeval tv = {.tv_sec = NET_PATIENCE_S};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
}

static int bound_socket(const char *host, uint16_t *port)
{
	struct addr a = net_addr(host, 0);
	socklen_t len = addr_len(&a);
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	be_patient(fd);
	assert_int_equal(bind(fd, &a.sa, len), 0);
	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	*port = addr_port(&a);
	return fd;
}

int net_listen(const char *host, uint16_t *port)
{
	int fd = bound_socket(host, port);

	assert_int_equal(listen(fd, 4096), 0);
	return fd;
}

/* Can a listener have it, at all addresses of both families? */
static bool is_unused_port(uint16_t port)
{
	struct addr any[] = {net_addr("0.0.0.0", port), net_addr("::", port)};
	int fds[2];
	bool unused = true;

	for (int i = 0; i < 2; i++) {
		int on = 1;

		fds[i] = socket(any[i].sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (i == 1)
			setsockopt(fds[i], IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		unused = unused && bind(fds[i], &any[i].sa, addr_len(&any[i])) == 0;
	}
	close(fds[0]);
	close(fds[1]);
	return unused;
}

uint16_t net_unused_port(void)
{
	static unsigned tries;
	uint16_t port;

	/* Below what the kernel gives out; tests at the same time begin elsewhere. */
	do
		port = (uint16_t)(10000 + ((unsigned)getpid() * 61 + tries++) % 22000);
	while (!is_unused_port(port));
	return port;
}

int net_refusing_port(uint16_t *port)
{
	return bound_socket("127.0.0.1", port);
}

int net_mute_port(uint16_t *port, int fillers[3])
{
	int fd = bound_socket("127.0.0.1", port);
	struct addr a = net_addr("127.0.0.1", *port);

	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], &a.sa, addr_len(&a));
	}
	return fd;
}

int net_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	be_patient(fd);
	return fd;
}

int net_connect_from(const char *source, const char *host, uint16_t port)
{
	struct addr a = net_addr(host, port);
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	be_patient(fd);
	if (source != NULL) {
		struct addr from = net_addr(source, 0);

		assert_int_equal(bind(fd, &from.sa, addr_len(&from)), 0);
	}
	assert_int_equal(connect(fd, &a.sa, addr_len(&a)), 0);
	return fd;
}

int net_connect(const char *host, uint16_t port)
{
	return net_connect_from(NULL, host, port);
}

int net_connect_local(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	be_patient(fd);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void net_send(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		p += n;
		len -= (size_t)n;
	}
}

void net_receive(int fd, void *bytes, size_t len)
{
	char *p = bytes;

	while (len > 0) {
		ssize_t n = recv(fd, p, len, 0);

		assert_true(n > 0);
		p += n;
		len -= (size_t)n;
	}
}

void net_expect(int fd, const void *bytes, size_t len)
{
	char *got = malloc(len > 0 ? len : 1);

	assert_non_null(got);
	net_receive(fd, got, len);
	assert_memory_equal(got, bytes, len);
	free(got);
}

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = 0;
	unsigned value;
	int used;

	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		assert_true(len < size);
		out[len++] = (uint8_t)value;
		hex += used;
	}
	return len;
}

void net_send_hex(int fd, const char *hex)
{
	uint8_t bytes[1024];

	net_send(fd, bytes, from_hex(hex, bytes, sizeof(bytes)));
}

void net_expect_hex(int fd, const char *hex)
{
	uint8_t bytes[1024];

	net_expect(fd, bytes, from_hex(hex, bytes, sizeof(bytes)));
}

void net_expect_end(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

void net_expect_reset(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

void net_expect_gone(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

bool net_is_silent(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void net_reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* ---- patterns ---- */

#define CHUNK 65536

/* xorshift: cheap, and never the same twice at any offset that matters here. */
static void fill_pattern(uint32_t *words, size_t count, uint64_t *state)
{
	for (size_t i = 0; i < count; i++) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		words[i] = (uint32_t)*state;
	}
}

static uint64_t pattern_state(unsigned seed)
{
	return UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
}

void net_send_pattern(int fd, size_t total, unsigned seed)
{
	uint32_t *chunk = malloc(CHUNK);
	uint64_t state = pattern_state(seed);

	assert_non_null(chunk);
	for (size_t done = 0; done < total; done += CHUNK) {
		fill_pattern(chunk, CHUNK / 4, &state);
		net_send(fd, chunk, total - done < CHUNK ? total - done : CHUNK);
	}
	free(chunk);
}

void net_expect_pattern(int fd, size_t total, unsigned seed)
{
	uint32_t *chunk = malloc(CHUNK);
	uint64_t state = pattern_state(seed);

	assert_non_null(chunk);
	for (size_t done = 0; done < total; done += CHUNK) {
		fill_pattern(chunk, CHUNK / 4, &state);
		net_expect(fd, chunk, total - done < CHUNK ? total - done : CHUNK);
	}
	free(chunk);
}

struct net_sender {
	pthread_t thread;
	int fd;
	size_t total;
	unsigned seed;
	bool finish;
	bool failed;
};

/* Assertions belong to the test's own thread, so this one only reports. */
static void *send_all(void *arg)
{
	struct net_sender *s = arg;
	uint32_t *chunk = malloc(CHUNK);
	uint64_t state = pattern_state(s->seed);
	size_t left = s->total;

	assert_non_null(chunk);
	while (left > 0 && !s->failed) {
		size_t len = left < CHUNK ? left : CHUNK;

		fill_pattern(chunk, CHUNK / 4, &state);
		for (size_t done = 0; done < len && !s->failed;) {
			ssize_t n = send(s->fd, (char *)chunk + done, len - done, MSG_NOSIGNAL);

			s->failed = n <= 0;
			done += n > 0 ? (size_t)n : 0;
		}
		left -= len;
	}
	if (s->finish)
		shutdown(s->fd, SHUT_WR);
	free(chunk);
	return NULL;
}

struct net_sender *net_send_in_background(int fd, size_t total, unsigned seed, bool finish)
{
	struct net_sender *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	*s = (struct net_sender){.fd = fd, .total = total, .seed = seed, .finish = finish};
	assert_int_equal(pthread_create(&s->thread, NULL, send_all, s), 0);
	return s;
}

void net_join(struct net_sender *s)
{
	bool failed;

	pthread_join(s->thread, NULL);
	failed = s->failed;
	free(s);
	assert_false(failed);
}

/* ---- echo ---- */

struct net_echo {
	pthread_t thread;
	int listener;
	int stop;
	struct pollfd *fds;
	size_t count;
	size_t room;
};

static void add_fd(struct net_echo *e, int fd)
{
	if (e->count == e->room) {
		e->room = e->room * 2 + 16;
		e->fds = reallocarray(e->fds, e->room, sizeof(*e->fds));
		assert_non_null(e->fds);
	}
	e->fds[e->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void echo_once(struct net_echo *e, size_t i)
{
	char bytes[4096];
	ssize_t n = recv(e->fds[i].fd, bytes, sizeof(bytes), 0);

	if (n > 0 && send(e->fds[i].fd, bytes, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	close(e->fds[i].fd);
	e->fds[i] = e->fds[--e->count];
}

static void *echo_all(void *arg)
{
	struct net_echo *e = arg;

	add_fd(e, e->stop);
	add_fd(e, e->listener);
	while (poll(e->fds, e->count, -1) >= 0 && e->fds[0].revents == 0) {
		for (size_t i = e->count; i-- > 2;) {
			if (e->fds[i].revents != 0)
				echo_once(e, i);
		}
		if (e->fds[1].revents != 0) {
			int fd = accept4(e->listener, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0)
				add_fd(e, fd);
		}
	}
	for (size_t i = 1; i < e->count; i++)
		close(e->fds[i].fd);
	free(e->fds);
	return NULL;
}

struct net_echo *net_echo_start(const char *host, uint16_t *port)
{
	struct net_echo *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->listener = net_listen(host, port);
	e->stop = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pthread_create(&e->thread, NULL, echo_all, e), 0);
	return e;
}

void net_echo_stop(struct net_echo *e)
{
	uint64_t one = 1;

	assert_int_equal(write(e->stop, &one, sizeof(one)), sizeof(one));
	pthread_join(e->thread, NULL);
	close(e->stop);
	free(e);
}

/* ---- SOCKS ---- */

void net_socks_greet(int fd)
{
	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 00");
}

void net_socks_send_connect(int fd, const char *host, uint16_t port)
{
	uint8_t message[4 + 1 + 255 + 2] = {5, 1, 0};
	size_t len = 4;
	struct addr a;

	if (!addr_parse(host, strlen(host), &a)) {
		message[3] = 3;
		message[len++] = (uint8_t)strlen(host);
		memcpy(message + len, host, strlen(host));
		len += strlen(host);
	} else if (a.sa.sa_family == AF_INET) {
		message[3] = 1;
		memcpy(message + len, &a.in.sin_addr, 4);
		len += 4;
	} else {
		message[3] = 4;
		memcpy(message + len, &a.in6.sin6_addr, 16);
		len += 16;
	}
	message[len++] = (uint8_t)(port >> 8);
	message[len++] = (uint8_t)port;
	net_send(fd, message, len);
}

uint8_t net_socks_read_reply(int fd, struct addr *bound)
{
	uint8_t head[4], rest[18];
	size_t addr_size;

	net_receive(fd, head, sizeof(head));
	assert_int_equal(head[0], 5);
	assert_int_equal(head[2], 0);
	assert_true(head[3] == 1 || head[3] == 4);
	addr_size = head[3] == 1 ? 4 : 16;
	net_receive(fd, rest, addr_size + 2);
	*bound = head[3] == 1 ? addr_from_ipv4(rest, 0) : addr_from_ipv6(rest, 0);
	addr_set_port(bound, (uint16_t)(rest[addr_size] << 8 | rest[addr_size + 1]));
	return head[1];
}

int net_socks_connect(uint16_t proxy, const char *host, uint16_t port, uint8_t *rep)
{
	int fd = net_connect("127.0.0.1", proxy);
	struct addr bound;

	net_socks_greet(fd);
	net_socks_send_connect(fd, host, port);
	*rep = net_socks_read_reply(fd, &bound);
	return fd;
}

/* Greeting and login in one; the status of the latter (RFC 1929 section 2). */
void net_socks_send_login(int fd, const char *user, const char *password)
{
	uint8_t message[600] = {5, 1, 2, 1};
	size_t len = 4;

	message[len++] = (uint8_t)strlen(user);
	memcpy(message + len, user, strlen(user));
	len += strlen(user);
	message[len++] = (uint8_t)strlen(password);
	memcpy(message + len, password, strlen(password));
	net_send(fd, message, len + strlen(password));
}

uint8_t net_socks_log_in(int fd, const char *user, const char *password)
{
	uint8_t answer[2];

	net_socks_send_login(fd, user, password);
	net_expect_hex(fd, "05 02");
	net_receive(fd, answer, 2);
	assert_int_equal(answer[0], 1);
	return answer[1];
}

int net_socks_connect_as(uint16_t proxy, const char *user, const char *password, const char *host,
	uint16_t port, uint8_t *rep)
{
	int fd = net_connect("127.0.0.1", proxy);
	struct addr bound;

	*rep = NET_LOGIN_REFUSED;
	if (net_socks_log_in(fd, user, password) == 0) {
		net_socks_send_connect(fd, host, port);
		*rep = net_socks_read_reply(fd, &bound);
	}
	return fd;
}
