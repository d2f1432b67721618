/*
 * Short reads, EINTR and the errors that mean nothing are dealt with once, here, and nowhere else.
 * What is set on a listener is inherited by what it accepts, which saves system calls for every
 * session. Options are preferences: a kernel without one still serves.
 */
#include "net/socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"

/* A peer that vanished without a word is noticed after 60 + 4 * 15 s. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES 4

static void set_option(int fd, int level, int option, int value)
{
	/* Each is a preference: a kernel without it still serves. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* What is sent goes out at once, and urgent data (RFC 9293 section 3.8.5) stay where they are in
 * the stream, so that whoever passes it on loses none: telnet's Sync and FTP's ABOR depend on them.
 */
static void set_stream_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
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

/* Lets the socket be bound to an address that no interface has. */
static void bind_freely(int fd, sa_family_t family)
{
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	else
		set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

void socket_prepare_listener(int fd)
{
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_stream_options(fd);
	socket_keep_alive(fd);
}

int socket_listen(const struct addr *wanted, int backlog, unsigned way, struct addr *bound)
{
	int fd = socket(wanted->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (wanted->sa.sa_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	socket_prepare_listener(fd);
	socket_share_port(fd, way & SOCKET_BESIDE_OTHERS);
	if (way & SOCKET_FREE_BIND)
		bind_freely(fd, wanted->sa.sa_family);
	if (bind(fd, &wanted->sa, addr_len(wanted)) < 0 ||
		((way & SOCKET_QUIET) == 0 && listen(fd, backlog) < 0))
		return close_and_fail(fd);
	socket_share_port(fd, false);
	*bound = socket_local_addr(fd);
	return fd;
}

void socket_listen_again(int fd, int backlog)
{
	(void)listen(fd, backlog);
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
	/* The errors of a connection that is gone already are told, too. All else leaves whoever
	 * waits to be accepted where he is: a lack of descriptors or memory, a security module's
	 * EPERM or EACCES, and what nobody has thought of. */
	if (errno == EAGAIN || errno == EINTR || (socket_is_broken(errno) && errno != EACCES))
		return SOCKET_ACCEPT_NOTHING;
	return SOCKET_ACCEPT_FAILED;
}

/* Goes through the ports of the range once, from any of them on, with open_one(); the socket, or -1
 * with the last errno. */
static int open_in_range(const struct port_range *range, struct addr *host,
	int (*open_one)(const struct addr *host, int backlog, struct addr *bound), int backlog,
	struct addr *bound)
{
	uint32_t count = (uint32_t)range->last - range->first + 1u;
	uint32_t start = arc4random_uniform(count);
	int fd = -1;

	for (uint32_t i = 0; i < count && fd < 0; i++) {
		addr_set_port(host, (uint16_t)(range->first + (start + i) % count));
		fd = open_one(host, backlog, bound);
		if (fd < 0 && errno != EADDRINUSE)
			break;
	}
	return fd;
}

static int listen_alone(const struct addr *host, int backlog, struct addr *bound)
{
	return socket_listen(host, backlog, 0, bound);
}

int socket_listen_in(
	const struct addr *host, const struct port_range *range, int backlog, struct addr *bound)
{
	struct addr a = *host;

	return open_in_range(range, &a, listen_alone, backlog, bound);
}

/* Has the socket leave as `via` says. */
static int leave_via(int fd, const struct socket_via *via)
{
	size_t len = strlen(via->interface);

	if (len > 0 &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, via->interface, (socklen_t)len) < 0)
		return -1;
	if (via->local.sa.sa_family == AF_UNSPEC)
		return 0;
	/* Else each connection would take a port of its own, whatever its target. */
	set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &via->local.sa, addr_len(&via->local));
}

int socket_connect_start(const struct addr *target, const struct socket_via *via)
{
	int fd = socket(target->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_stream_options(fd);
	if (via != NULL && leave_via(fd, via) < 0)
		return close_and_fail(fd);
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

/* ---- datagrams ---- */

/* So that a burst finds room while the worker is at others. As much as the system allows. */
#define DATAGRAM_BUFFER (1024 * 1024)

static int new_datagram_socket(sa_family_t family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_BUFFER);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, DATAGRAM_BUFFER);
	return fd;
}

static int bind_datagram(const struct addr *host, int backlog, struct addr *bound)
{
	int fd = new_datagram_socket(host->sa.sa_family);

	(void)backlog;
	if (fd < 0)
		return -1;
	if (bind(fd, &host->sa, addr_len(host)) < 0)
		return close_and_fail(fd);
	*bound = socket_local_addr(fd);
	return fd;
}

int socket_open_datagram(
	const struct addr *host, const struct port_range *range, struct addr *bound)
{
	struct addr a = *host;

	return open_in_range(range, &a, bind_datagram, 0, bound);
}

int socket_open_datagram_via(sa_family_t family, const struct socket_via *via)
{
	int fd = new_datagram_socket(family);

	if (fd < 0)
		return -1;
	return leave_via(fd, via) < 0 ? close_and_fail(fd) : fd;
}

int socket_connect_datagram(int fd, const struct addr *peer)
{
	return connect(fd, &peer->sa, addr_len(peer));
}

int socket_route(const struct addr *target, const struct socket_via *via, struct addr *local)
{
	int fd = socket_open_datagram_via(target->sa.sa_family, via);
	struct addr a = *target;

	if (fd < 0)
		return -1;
	addr_set_port(&a, 9); /* any but 0 */
	if (connect(fd, &a.sa, addr_len(&a)) < 0)
		return close_and_fail(fd);
	*local = socket_local_addr(fd);
	addr_set_port(local, 0);
	close(fd);
	return 0;
}

/* What an earlier datagram has met on its way, told by a later call. */
static bool is_of_earlier(int error)
{
	return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
		error == EHOSTDOWN || error == ENETDOWN || error == ENOPROTOOPT || error == EPROTO;
}

/* recvmmsg(2), once more for every error of an earlier datagram, of which one at a time waits. */
static int receive_messages(int fd, struct mmsghdr *messages, unsigned count)
{
	int n, errors = 0;

	do
		n = recvmmsg(fd, messages, count, MSG_DONTWAIT, NULL);
	while (n < 0 && (errno == EINTR || (is_of_earlier(errno) && errors++ < SOCKET_BATCH)));
	return n;
}

size_t socket_receive_batch(int fd, struct socket_datagram *datagrams, size_t count)
{
	struct mmsghdr messages[SOCKET_BATCH];
	struct iovec vectors[SOCKET_BATCH];
	struct sockaddr_in6 peers[SOCKET_BATCH];
	int n;

	for (size_t i = 0; i < count; i++) {
		vectors[i] = (struct iovec){
			.iov_base = datagrams[i].bytes, .iov_len = datagrams[i].size};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
			.msg_namelen = sizeof(peers[i]),
			.msg_iov = &vectors[i],
			.msg_iovlen = 1};
	}
	n = receive_messages(fd, messages, (unsigned)count);
	for (int i = 0; i < n; i++) {
		datagrams[i].peer = addr_from_sockaddr((struct sockaddr *)&peers[i]);
		datagrams[i].len = messages[i].msg_len;
	}
	return n < 0 ? 0 : (size_t)n;
}

/* The most that a segment of a message with UDP_SEGMENT is tried with: beyond it none would fit
 * into the usual packet, and the kernel refuses to take fragments for segments. */
#define SEGMENT_MAX 1472

static size_t wire_len(const struct socket_datagram *d)
{
	return d->header_len + d->len;
}

static bool same_peer(const struct addr *a, const struct addr *b)
{
	return (a->sa.sa_family == AF_UNSPEC && b->sa.sa_family == AF_UNSPEC) || addr_equal(a, b);
}

/* How many datagrams, from the first on, can be segments of one message: all of one size but for a
 * smaller last one, and to one peer. The way through the kernel is what costs most, and they go it
 * together. */
static size_t segments(const struct socket_datagram *d, size_t count)
{
	size_t size = wire_len(&d[0]), n = 1;

	while (n < count && size <= SEGMENT_MAX && wire_len(&d[n - 1]) == size &&
		wire_len(&d[n]) <= size && wire_len(&d[n]) > 0 && same_peer(&d[0].peer, &d[n].peer))
		n++;
	return n;
}

union segment_size {
	struct cmsghdr header;
	uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

static void ask_for_segments(struct msghdr *m, union segment_size *control, size_t size)
{
	uint16_t value = (uint16_t)size;

	*control = (union segment_size){.bytes = {0}};
	m->msg_control = control;
	m->msg_controllen = sizeof(*control);
	control->header.cmsg_level = IPPROTO_UDP;
	control->header.cmsg_type = UDP_SEGMENT;
	control->header.cmsg_len = CMSG_LEN(sizeof(value));
	memcpy(CMSG_DATA(&control->header), &value, sizeof(value));
}

/* One message of the first `count` datagrams, which take two vectors each. */
static void describe(struct socket_datagram *d, size_t count, struct iovec *vectors,
	union segment_size *control, struct msghdr *out)
{
	for (size_t i = 0; i < count; i++) {
		d[i].error = 0;
		vectors[2 * i].iov_base = (void *)(uintptr_t)d[i].header;
		vectors[2 * i].iov_len = d[i].header_len;
		vectors[2 * i + 1] = (struct iovec){.iov_base = d[i].bytes, .iov_len = d[i].len};
	}
	*out = (struct msghdr){.msg_iov = vectors, .msg_iovlen = 2 * count};
	if (count > 1)
		ask_for_segments(out, control, wire_len(d));
	if (d->peer.sa.sa_family != AF_UNSPEC) {
		out->msg_name = &d->peer;
		out->msg_namelen = addr_len(&d->peer);
	}
}

/* sendmmsg(2), once more when it was told of an earlier datagram's error instead of sending. */
static int send_messages(int fd, struct mmsghdr *messages, size_t count)
{
	bool again = true;
	int n;

	for (;;) {
		n = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0 || (errno != EINTR && !(again && is_of_earlier(errno))))
			return n;
		again = again && errno == EINTR;
	}
}

/* A message could not be sent. One of several datagrams may have been too much for the kernel or
 * the network card, so each is tried by itself. */
static void send_apart(int fd, struct socket_datagram *d, size_t count, int error)
{
	for (size_t i = 0; i < count && count > 1; i++)
		socket_send_batch(fd, &d[i], 1);
	if (count == 1)
		d->error = error;
}

void socket_send_batch(int fd, struct socket_datagram *datagrams, size_t count)
{
	struct mmsghdr messages[SOCKET_BATCH];
	struct iovec vectors[SOCKET_BATCH][2];
	union segment_size controls[SOCKET_BATCH];
	size_t first[SOCKET_BATCH + 1] = {0}, n = 0, done = 0;

	for (size_t at = 0; at < count; n++) {
		size_t joined = segments(&datagrams[at], count - at);

		describe(&datagrams[at], joined, vectors[at], &controls[n], &messages[n].msg_hdr);
		at += joined;
		first[n + 1] = at;
	}
	while (done < n) {
		int sent = send_messages(fd, messages + done, n - done);

		if (sent > 0) {
			done += (size_t)sent;
			continue;
		}
		send_apart(fd, &datagrams[first[done]], first[done + 1] - first[done],
			sent < 0 ? errno : EAGAIN);
		done++;
	}
}

/* ---- any socket ---- */

static struct log_limit poll_limit;
static _Thread_local struct backoff poll_pause;

/* No caller can do anything about it, or knows more about it than is known here; so it is logged
 * here, and paused. */
static int fail_to_poll(int64_t deadline)
{
	int64_t until = clock_earlier(deadline, clock_deadline(backoff_next(&poll_pause)));
	struct timespec time = clock_timespec(until);

	log_failure(&poll_limit, "cannot wait for sockets", errno);
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	return until == deadline ? 0 : -1;
}

int socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int n;

	do
		n = poll(fds, count, clock_poll_timeout(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_to_poll(deadline);
	if (poll_pause.pause_ms != 0)
		backoff_end(&poll_pause);
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

bool socket_lacks_memory(int error)
{
	return error == ENOBUFS || error == ENOMEM;
}

/* Also what ICMP tells of the way (icmp(7), ip(7)), which is handed on as the error of whatever is
 * called next. */
bool socket_is_broken(int error)
{
	static const int errors[] = {ECONNRESET, EPIPE, ETIMEDOUT, ECONNABORTED, ECONNREFUSED,
		EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENETDOWN, ENONET, ENOPROTOOPT, EPROTO,
		EOPNOTSUPP, EACCES, ENOTCONN};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i] == error)
			return true;
	}
	return false;
}

struct addr socket_local_addr(int fd)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);

	(void)getsockname(fd, (struct sockaddr *)&sa, &len);
	return addr_from_sockaddr((struct sockaddr *)&sa);
}

void socket_pace(int fd, uint64_t rate, size_t ahead)
{
	unsigned long most = rate == 0 ? ~0UL : (unsigned long)rate;
	unsigned low = ahead > INT_MAX ? 0 : (unsigned)ahead;

	(void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &most, sizeof(most));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low));
}

static size_t count_queued(int fd, unsigned long request)
{
	int bytes = 0;

	return ioctl(fd, request, &bytes) < 0 || bytes < 0 ? 0 : (size_t)bytes;
}

size_t socket_unacknowledged(int fd)
{
	return count_queued(fd, SIOCOUTQ);
}

size_t socket_unsent(int fd)
{
	return count_queued(fd, SIOCOUTQNSD);
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
enum socket_answer socket_is_own_address(const struct addr *target)
{
	struct addr any_port = *target;
	enum socket_answer own = SOCKET_YES;
	int fd;

	if (addr_is_loopback(target) || addr_is_unspecified(target))
		return SOCKET_YES;
	fd = socket(target->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno == EAFNOSUPPORT ? SOCKET_NO : SOCKET_UNKNOWN;
	addr_set_port(&any_port, 0);
	if (bind(fd, &any_port.sa, addr_len(&any_port)) < 0 && errno != EADDRINUSE)
		own = errno == EADDRNOTAVAIL || errno == EINVAL || errno == ENODEV ? SOCKET_NO
										   : SOCKET_UNKNOWN;
	close(fd);
	return own;
}
