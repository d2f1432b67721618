#include "net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* A peer that vanished without a word is noticed after 60 + 4 * 15 s. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES 4

static void set_option(int fd, int level, int option, int value)
{
	/* Each is a preference: a kernel without it still serves. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void socket_keep_alive(int fd)
{
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

static int close_and_fail(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

int socket_listen(const struct addr *wanted, int backlog, bool share, struct addr *bound)
{
	int fd = socket(wanted->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (wanted->sa.sa_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	socket_keep_alive(fd);
	socket_share_port(fd, share);
	if (bind(fd, &wanted->sa, addr_len(wanted)) < 0 || listen(fd, backlog) < 0)
		return close_and_fail(fd);
	socket_share_port(fd, false);
	*bound = socket_local_addr(fd);
	return fd;
}

void socket_share_port(int listener, bool share)
{
	set_option(listener, SOL_SOCKET, SO_REUSEPORT, share);
}

enum socket_accept_outcome socket_accept(int listener, int *fd, struct addr *client)
{
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);

	*fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*fd >= 0) {
		*client = addr_from_sockaddr((struct sockaddr *)&peer);
		return SOCKET_ACCEPTED;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return SOCKET_ACCEPT_EXHAUSTED;
	default:
		/* EAGAIN, EINTR, ECONNABORTED and the network errors that accept(2) lists as
		 * those of the connection that is gone already. */
		return SOCKET_ACCEPT_NOTHING;
	}
}

int socket_connect_start(const struct addr *target)
{
	int fd = socket(target->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, &target->sa, addr_len(target)) < 0 && errno != EINPROGRESS &&
		errno != EINTR)
		return close_and_fail(fd);
	return fd;
}

int socket_connect_result(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

int socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int n;

	do
		n = poll(fds, count, clock_poll_timeout(deadline));
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t socket_read(int fd, void *bytes, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, bytes, len, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t socket_write(int fd, const void *bytes, size_t len)
{
	ssize_t n;

	do
		n = send(fd, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

bool socket_peer_left(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, MSG_PEEK);
	while (n < 0 && errno == EINTR);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

struct addr socket_local_addr(int fd)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);

	(void)getsockname(fd, (struct sockaddr *)&sa, &len);
	return addr_from_sockaddr((struct sockaddr *)&sa);
}

void socket_end_stream(int fd)
{
	(void)shutdown(fd, SHUT_WR);
}

void socket_shutdown(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

/* Dissolving the association is what connect(2) says of AF_UNSPEC; tcp(7) peers get a reset. Called
 * by its number, because ThreadSanitizer takes connect(3) for the beginning of a descriptor's life,
 * which another thread must not be using already. */
void socket_abort(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (syscall(SYS_connect, fd, &none, sizeof(none)) < 0)
		socket_shutdown(fd);
}

void socket_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void socket_close_with_reset(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* What a socket can be bound to is an address of this host. (Its route does not tell: that of a
 * secondary address prefers the primary one as its source.) Where the sysctl ip_nonlocal_bind is
 * on, all addresses look like that. */
bool socket_is_own_address(const struct addr *target)
{
	struct addr any_port = *target;
	bool own;
	int fd;

	if (addr_is_loopback(target) || addr_is_unspecified(target))
		return true;
	fd = socket(target->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true; /* cannot tell: the safe answer */
	addr_set_port(&any_port, 0);
	own = bind(fd, &any_port.sa, addr_len(&any_port)) == 0 || errno == EADDRINUSE;
	close(fd);
	return own;
}
