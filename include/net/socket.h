/* socket: the only place that calls the socket API: listen, accept, connect, wait, read, write.
 * Every descriptor is born non-blocking and close-on-exec; EINTR never gets out. No state. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"

/* How a listener is opened: any of these, or 0. */
enum socket_listen_way {
	SOCKET_BESIDE_OTHERS = 1, /* beside listeners that share their port */
	SOCKET_FREE_BIND = 2, /* though this host may not have the address (yet) */
	SOCKET_QUIET = 4, /* nobody is let in before listen(2), which is left to the caller */
};

/* A TCP listener on `wanted` (IPv6 ones serve IPv6 only) whose accepted sockets inherit
 * TCP_NODELAY, urgent data in their place, and keepalive. `*bound` receives the address with the
 * port that the kernel chose if `wanted` has port 0. -1 with errno. */
int socket_listen(const struct addr *wanted, int backlog, unsigned way, struct addr *bound)
	__attribute__((warn_unused_result));

/* Lets another listener of this process on the same port, as 0.0.0.0 and one of its addresses are,
 * be opened beside `listener`, or not any more. */
void socket_share_port(int listener, bool share);

/* What accept(2) said, by what is to be done about it. */
enum socket_accept_outcome {
	SOCKET_ACCEPTED,
	SOCKET_ACCEPT_NOTHING, /* nobody there (any more): wait and try again */
	SOCKET_ACCEPT_FAILED, /* errno says why: pause before the next try */
};

/* Takes one connection off `listener`: `*fd` and the client's address. */
enum socket_accept_outcome socket_accept(int listener, int *fd, struct addr *client);

/* Lets the kernel notice, within two minutes, that the peer has vanished without a word. Accepted
 * sockets are so from birth. */
void socket_keep_alive(int fd);

/* Gives a listener that somebody else has opened what socket_listen() gives its own. */
void socket_prepare_listener(int fd);

/* Has one that listens already keep so many waiting. */
void socket_listen_again(int fd, int backlog);

/* As socket_listen(), with whichever port of `range` is free. */
int socket_listen_in(const struct addr *host, const struct port_range *range, int backlog,
	struct addr *bound) __attribute__((warn_unused_result));

/* From where a socket reaches others; where it may be NULL, that is the kernel's choice. */
struct socket_via {
	struct addr local; /* one of the host's addresses; AF_UNSPEC: the kernel chooses */
	const char *interface; /* "": whichever the routes say */
};

/* Begins to connect a new TCP socket, with TCP_NODELAY and urgent data in their place, to `target`;
 * `via` may be NULL. The socket, which polls writable when the attempt is over; -1 with errno when
 * it failed at once. */
int socket_connect_start(const struct addr *target, const struct socket_via *via)
	__attribute__((warn_unused_result));

/* The address of this host from which `target` is reached, with port 0. Needs one descriptor for
 * the moment; -1 with errno when there is no way to it. */
int socket_route(const struct addr *target, const struct socket_via *via, struct addr *local)
	__attribute__((warn_unused_result));

/* How the attempt ended: 0 or an errno value. */
int socket_connect_result(int fd);

/* ---- datagrams ---- */

#define SOCKET_BATCH 16 /* datagrams that one call moves at most */

struct socket_datagram {
	struct addr peer; /* where it comes from, or goes to; AF_UNSPEC: to the connected peer */
	void *bytes;
	size_t size; /* room at `bytes`, for receiving; what does not fit is lost */
	size_t len;
	const void *header; /* sent in front of `bytes` */
	size_t header_len;
	int error; /* why it was not sent; 0: it was */
};

/* A UDP socket on an address of this host with whichever port of `range` is free, IPv6 ones for
 * IPv6 only, with ample buffers. -1 with errno. */
int socket_open_datagram(const struct addr *host, const struct port_range *range,
	struct addr *bound) __attribute__((warn_unused_result));

/* A UDP socket of this family to reach others with. -1 with errno. */
int socket_open_datagram_via(sa_family_t family, const struct socket_via *via)
	__attribute__((warn_unused_result));

/* Has the kernel send to `peer` what names no other, and receive from nobody else. -1 with errno.
 */
int socket_connect_datagram(int fd, const struct addr *peer) __attribute__((warn_unused_result));

/* Receives at most `count` <= SOCKET_BATCH datagrams that are there; how many. Errors that earlier
 * datagrams have met on their way (ICMP) are passed over. */
size_t socket_receive_batch(int fd, struct socket_datagram *datagrams, size_t count);

/* Sends `count` <= SOCKET_BATCH datagrams, each of which tells its `error`. What there is no room
 * for is not waited for. Errors of earlier datagrams are passed over. */
void socket_send_batch(int fd, struct socket_datagram *datagrams, size_t count);

/* ---- any socket ---- */

/* poll(2) until `deadline` (clock.h). The number of ready entries, 0 at the deadline, or -1 when
 * poll(2) failed: then nothing is known of any entry, and so much time has passed that whoever
 * tries again does not spin. */
int socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

/* Reads what is there, at most `len` > 0 bytes: > 0 bytes, 0 at the end of the stream, -1 with
 * errno (EAGAIN: nothing yet). */
ssize_t socket_read(int fd, void *bytes, size_t len) __attribute__((warn_unused_result));

/* Writes what fits now: > 0 bytes, -1 with errno (EAGAIN: nothing fits). Never raises SIGPIPE. */
ssize_t socket_write(int fd, const void *bytes, size_t len) __attribute__((warn_unused_result));

/* What a read or write that failed with this errno says. What is neither is the system's doing. */
bool socket_lacks_memory(int error); /* it may pass: pause before the next try */
bool socket_is_broken(int error); /* the connection, by its peer or on the way */

/* Our own end of a socket; AF_UNSPEC when there is none. */
struct addr socket_local_addr(int fd);

/* Has the kernel send no more than `rate` bytes a second, and take no more while `ahead` bytes wait
 * to be sent; 0: as much as it likes. What cannot be had, it goes without. */
void socket_pace(int fd, uint64_t rate, size_t ahead);

/* Bytes that were written and that the peer has not acknowledged yet; 0 where that is not known. */
size_t socket_unacknowledged(int fd);

/* Of these, the bytes that have not been sent yet: without those that are on their way. */
size_t socket_unsent(int fd);

/* Ends the sending side: the peer reads the end of the stream after all pending bytes. */
void socket_end_stream(int fd);

/* Ends both sides while the descriptor stays open; wakes whoever polls it. */
void socket_shutdown(int fd);

/* Breaks the connection off while the descriptor stays open: the peer sees a reset (RST), and
 * whoever polls it wakes. Of a socket that is not TCP's only both sides are ended. */
void socket_abort(int fd);

/* Closes. -1 is allowed. */
void socket_close(int fd);

/* Closes so that the peer sees a reset (RST), not an end of stream. */
void socket_close_with_reset(int fd);

enum socket_answer { SOCKET_NO, SOCKET_YES, SOCKET_UNKNOWN };

/* Would the kernel deliver what is sent to `target` to this very host? Needs one descriptor for
 * the moment; without one, or when the kernel refuses to say, it is not known. */
enum socket_answer socket_is_own_address(const struct addr *target);

#endif
