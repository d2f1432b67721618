/*
 * DESIGN
 * Sockets block, but wake up every WIRE_TICK_MS (SO_RCVTIMEO, SO_SNDTIMEO) to look at the deadline,
 * which all threads share. So a peer that stalls ends a run, and so does Ctrl-C, without a watchdog
 * thread and without anybody closing a socket under another thread's feet.
 *
 * Bulk data is a pattern of 256 KB, repeated. The receiver compares the first and the last byte of
 * whatever it got with the pattern at that offset: lost, doubled and swapped data shows, and the
 * check costs nothing beside the copy.
 */
#include "wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"

#define PATTERN_SIZE (256 * 1024)

struct flow {
	int fd;
	uint64_t bytes;
	int error;
};

static uint8_t pattern[PATTERN_SIZE];
static _Atomic uint64_t deadline_ns;
static atomic_bool interrupted;

void wire_init(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < PATTERN_SIZE; i++) {
		state = state * 1664525u + 1013904223u;
		pattern[i] = (uint8_t)(state >> 24);
	}
}

void wire_set_deadline(unsigned seconds)
{
	atomic_store(&deadline_ns, clock_now_ns() + seconds * CLOCK_NS_PER_S);
}

void wire_interrupt(void)
{
	atomic_store(&interrupted, true);
}

bool wire_interrupted(void)
{
	return atomic_load(&interrupted);
}

int wire_check_deadline(void)
{
	if (wire_interrupted())
		errno = EINTR;
	else if (clock_now_ns() >= atomic_load(&deadline_ns))
		errno = ETIMEDOUT;
	else
		return 0;
	return -1;
}

static bool is_tick(int error)
{
	return error == EAGAIN || error == EINTR;
}

struct sockaddr_in wire_loopback(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

static void close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

static int prepare_stream(int fd)
{
	const struct timeval tick = {.tv_usec = WIRE_TICK_MS * 1000};
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof(tick)) < 0)
		return -1;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int wire_listen(uint16_t *port)
{
	struct sockaddr_in addr = wire_loopback(0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		close_keeping_errno(fd);
		return -1;
	}
	*port = ntohs(addr.sin_port);
	return fd;
}

int wire_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && prepare_stream(fd) < 0) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

static int finish_connect(int fd, const struct sockaddr_in *addr)
{
	while (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0) {
		if (errno == EISCONN)
			break;
		if (errno != EINPROGRESS && errno != EALREADY && !is_tick(errno))
			return -1;
		if (wire_check_deadline() < 0)
			return -1;
	}
	return 0;
}

/* Its port is chosen with the connection, so each is there once for each address. */
static int bind_source(int fd, unsigned source)
{
	struct sockaddr_in from = wire_loopback(0);
	const int on = 1;

	if (source == 0)
		return 0;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)&from, sizeof(from));
}

int wire_connect_from(uint16_t port, unsigned source)
{
	const struct sockaddr_in addr = wire_loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind_source(fd, source) < 0 || prepare_stream(fd) < 0 ||
		finish_connect(fd, &addr) < 0) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

int wire_connect(uint16_t port)
{
	return wire_connect_from(port, 0);
}

int wire_datagram(void)
{
	const struct sockaddr_in addr = wire_loopback(0);
	const int size = 4 * 1024 * 1024;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

void wire_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* At least one byte, or -1; 0 at the end of the stream. */
static ssize_t read_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		if (wire_check_deadline() < 0)
			return -1;
		n = recv(fd, buf, len, 0);
	} while (n < 0 && is_tick(errno));
	return n;
}

int wire_read(int fd, void *buf, size_t len)
{
	uint8_t *at = buf;

	while (len > 0) {
		ssize_t n = read_some(fd, at, len);

		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int wire_read_end(int fd)
{
	uint8_t byte;
	ssize_t n = read_some(fd, &byte, 1);

	if (n > 0)
		errno = EBADMSG;
	return n == 0 ? 0 : -1;
}

int wire_write(int fd, const void *buf, size_t len)
{
	const uint8_t *at = buf;

	while (len > 0) {
		ssize_t n;

		if (wire_check_deadline() < 0)
			return -1;
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && !is_tick(errno))
			return -1;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static size_t pattern_chunk(uint64_t offset, uint64_t left)
{
	size_t to_end = PATTERN_SIZE - (size_t)(offset % PATTERN_SIZE);

	return left < to_end ? (size_t)left : to_end;
}

static int send_pattern(int fd, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes;) {
		size_t len = pattern_chunk(done, bytes - done);

		if (wire_write(fd, pattern + done % PATTERN_SIZE, len) < 0)
			return -1;
		done += len;
	}
	return 0;
}

static int recv_pattern_into(uint8_t *buf, int fd, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes;) {
		const uint8_t *want = pattern + done % PATTERN_SIZE;
		ssize_t n = read_some(fd, buf, pattern_chunk(done, bytes - done));

		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return -1;
		if (buf[0] != want[0] || buf[n - 1] != want[n - 1]) {
			errno = EBADMSG;
			return -1;
		}
		done += (uint64_t)n;
	}
	return 0;
}

static int recv_pattern(int fd, uint64_t bytes)
{
	uint8_t *buf = malloc(PATTERN_SIZE);
	int rc;

	if (buf == NULL)
		return -1;
	rc = recv_pattern_into(buf, fd, bytes);
	free(buf);
	return rc;
}

static void *run_sender(void *arg)
{
	struct flow *flow = arg;

	flow->error = send_pattern(flow->fd, flow->bytes) < 0 ? errno : 0;
	return NULL;
}

int wire_exchange(int fd, uint64_t send_bytes, uint64_t recv_bytes)
{
	struct flow sender = {.fd = fd, .bytes = send_bytes};
	pthread_t thread;
	int error;

	if (recv_bytes == 0)
		return send_pattern(fd, send_bytes);
	if (send_bytes == 0)
		return recv_pattern(fd, recv_bytes);

	error = pthread_create(&thread, NULL, run_sender, &sender);
	if (error == 0) {
		if (recv_pattern(fd, recv_bytes) < 0) {
			error = errno;
			/* or the sender would go on until the deadline */
			shutdown(fd, SHUT_RDWR);
		}
		pthread_join(thread, NULL);
	}
	if (error == 0)
		error = sender.error;
	errno = error;
	return error == 0 ? 0 : -1;
}

void wire_echo_fill(uint8_t msg[WIRE_ECHO_SIZE], uint64_t seq)
{
	for (size_t i = 0; i < WIRE_ECHO_SIZE; i += sizeof(seq))
		memcpy(msg + i, &seq, sizeof(seq));
}

int wire_echo_send(int fd, uint64_t seq)
{
	uint8_t message[WIRE_ECHO_SIZE];

	wire_echo_fill(message, seq);
	return wire_write(fd, message, sizeof(message));
}

int wire_echo_expect(int fd, uint64_t seq)
{
	uint8_t want[WIRE_ECHO_SIZE];
	uint8_t got[WIRE_ECHO_SIZE];

	wire_echo_fill(want, seq);
	if (wire_read(fd, got, sizeof(got)) < 0)
		return -1;
	if (memcmp(got, want, sizeof(got)) == 0)
		return 0;
	errno = EBADMSG;
	return -1;
}

int wire_echo(int fd, uint64_t seq)
{
	return wire_echo_send(fd, seq) < 0 ? -1 : wire_echo_expect(fd, seq);
}
