#include "udp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net.h"

int udp_socket(const char *host, struct addr *bound)
{
	struct addr a = net_addr(host, 0);
	struct timeval tv = {.tv_sec = NET_PATIENCE_S};
	int fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 * 1024 * 1024;
	socklen_t len = sizeof(*bound);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	assert_int_equal(bind(fd, &a.sa, addr_len(&a)), 0);
	assert_int_equal(getsockname(fd, &bound->sa, &len), 0);
	return fd;
}

void udp_send(int fd, const struct addr *to, const void *bytes, size_t len)
{
	assert_int_equal(sendto(fd, bytes, len, 0, &to->sa, addr_len(to)), len);
}

size_t udp_receive(int fd, void *bytes, struct addr *from)
{
	socklen_t len = sizeof(*from);
	ssize_t n = recvfrom(fd, bytes, UDP_MAX, 0, &from->sa, &len);

	if (n < 0)
		fail_msg("no datagram: %s", strerror(errno));
	return (size_t)n;
}

struct addr udp_expect(int fd, const void *bytes, size_t len)
{
	uint8_t *got = malloc(UDP_MAX);
	struct addr from;

	assert_int_equal(udp_receive(fd, got, &from), len);
	assert_memory_equal(got, bytes, len);
	free(got);
	return from;
}

bool udp_is_silent(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* ---- echo ---- */

struct udp_echo {
	pthread_t thread;
	int fd;
	int stop;
};

static void *echo_all(void *arg)
{
	struct udp_echo *e = arg;
	struct pollfd fds[2] = {{.fd = e->stop, .events = POLLIN}, {.fd = e->fd, .events = POLLIN}};
	uint8_t *bytes = malloc(UDP_MAX);

	while (poll(fds, 2, -1) >= 0 && fds[0].revents == 0) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(
			e->fd, bytes, UDP_MAX, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

		if (n >= 0)
			(void)sendto(e->fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	free(bytes);
	return NULL;
}

struct udp_echo *udp_echo_start(const char *host, struct addr *bound)
{
	struct udp_echo *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->fd = udp_socket(host, bound);
	e->stop = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pthread_create(&e->thread, NULL, echo_all, e), 0);
	return e;
}

void udp_echo_stop(struct udp_echo *e)
{
	uint64_t one = 1;

	assert_int_equal(write(e->stop, &one, sizeof(one)), sizeof(one));
	pthread_join(e->thread, NULL);
	close(e->stop);
	close(e->fd);
	free(e);
}

/* ---- associations ---- */

void association_open(struct association *a, const char *host, uint16_t port, const char *dst)
{
	char request[1024];

	a->tcp = net_connect(host, port);
	net_socks_greet(a->tcp);
	snprintf(request, sizeof(request), "05 03 00 %s",
		dst != NULL ? dst : "01 00 00 00 00 00 00");
	net_send_hex(a->tcp, request);
	a->rep = net_socks_read_reply(a->tcp, &a->relay);
	a->udp = a->rep == 0 ? udp_socket(host, &a->own) : -1;
}

void association_close(struct association *a)
{
	close(a->tcp);
	if (a->udp >= 0)
		close(a->udp);
}

size_t association_header(uint8_t out[262], uint8_t frag, const struct addr *target)
{
	bool v6 = target->sa.sa_family == AF_INET6;
	size_t len = v6 ? 16 : 4;
	uint16_t port = addr_port(target);

	memset(out, 0, 4);
	out[2] = frag;
	out[3] = v6 ? 4 : 1;
	if (v6)
		memcpy(out + 4, &target->in6.sin6_addr, len);
	else
		memcpy(out + 4, &target->in.sin_addr, len);
	out[4 + len] = (uint8_t)(port >> 8);
	out[5 + len] = (uint8_t)port;
	return 6 + len;
}

size_t association_name_header(uint8_t out[262], const char *name, uint16_t port)
{
	size_t len = strlen(name);

	memset(out, 0, 3);
	out[3] = 3;
	out[4] = (uint8_t)len;
	memcpy(out + 5, name, len);
	out[5 + len] = (uint8_t)(port >> 8);
	out[6 + len] = (uint8_t)port;
	return 7 + len;
}

static void send_with_header(struct association *a, const uint8_t *header, size_t header_len,
	const void *bytes, size_t len)
{
	uint8_t *whole = malloc(header_len + len);

	assert_non_null(whole);
	memcpy(whole, header, header_len);
	memcpy(whole + header_len, bytes, len);
	udp_send(a->udp, &a->relay, whole, header_len + len);
	free(whole);
}

void association_send(struct association *a, uint8_t frag, const struct addr *target,
	const void *bytes, size_t len)
{
	uint8_t header[262];
	size_t header_len = association_header(header, frag, target);

	send_with_header(a, header, header_len, bytes, len);
}

void association_send_name(
	struct association *a, const char *name, uint16_t port, const void *bytes, size_t len)
{
	uint8_t header[262];
	size_t header_len = association_name_header(header, name, port);

	send_with_header(a, header, header_len, bytes, len);
}

void association_expect(
	struct association *a, const struct addr *source, const void *bytes, size_t len)
{
	uint8_t header[262], *got = malloc(UDP_MAX);
	size_t header_len = association_header(header, 0, source), got_len;
	struct addr from;

	/* Other programs may yet send to who had this port before. */
	do
		got_len = udp_receive(a->udp, got, &from);
	while (!addr_equal(&from, &a->relay));
	assert_int_equal(got_len, header_len + len);
	assert_memory_equal(got, header, header_len);
	assert_memory_equal(got + header_len, bytes, len);
	free(got);
}

void association_expect_echo(struct association *a, const struct addr *echo, const char *text)
{
	association_send(a, 0, echo, text, strlen(text));
	association_expect(a, echo, text, strlen(text));
}
