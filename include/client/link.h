/* link: the connection to the monitor: lines out, replies in, every wait with an end. No lock: one
 * thread's. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "wire/answer.h"

#define LINK_ERROR_MAX 768
#define LINK_PATIENCE_MS 30000
#define LINK_REPLY_MAX ((size_t)256 << 20)

/* What actions return beside 0. */
#define LINK_BROKEN (-1) /* link_error() tells why */
#define LINK_INTERRUPTED (-2) /* the descriptor of link_interrupt_by() became readable */

struct link_target {
	const char *host; /* an address or a name */
	const char *port;
	int64_t patience_ms; /* how long the server may be silent */
	size_t reply_max; /* bytes of a reply */
	const char *path; /* of a unix socket, in the place of host and port; NULL: none */
};

struct link;

/* Connects to the first address of the target that takes the connection. NULL with the reason in
 * `error`. */
struct link *link_open(const struct link_target *target, char error[LINK_ERROR_MAX]);

/* Begins to connect to `to` without waiting, and link_connected() tells how it goes: 1 when it is
 * done, 0 as long as it is not. Host and port of the target are what errors call the place. */
struct link *link_start(
	const struct addr *to, const struct link_target *target, char error[LINK_ERROR_MAX]);
int link_connected(struct link *l) __attribute__((warn_unused_result));

/* NULL is allowed. */
void link_close(struct link *l);

/* Lets all waiting end with LINK_INTERRUPTED once `fd` is readable; -1: none. */
void link_interrupt_by(struct link *l, int fd);

/* For whoever has others to talk to meanwhile: what would wait fails instead, as LINK_BROKEN. */
void link_never_wait(struct link *l);

/* The descriptor: readable when the server said something or went away. */
int link_fd(const struct link *l);

/* The address that it has connected to; AF_UNSPEC for a unix socket. */
const struct addr *link_peer(const struct link *l);

const char *link_error(const struct link *l);

/* Where the server is: "127.0.0.1:8080", or the path of a socket. */
const char *link_place(const struct link *l);

/* Reads the line that the server begins with, cut to `size`. */
int link_greeting(struct link *l, char *line, size_t size) __attribute__((warn_unused_result));

/* Sends the login "NAME:PASSWORD" and reads the answer, which is one line. */
int link_login(struct link *l, const char *login, struct answer *out)
	__attribute__((warn_unused_result));

/* The greeting, and the answer to a login that link_send() has sent, without waiting: 1 with it, 0
 * when it is not complete yet. */
int link_receive_greeting(struct link *l, char *line, size_t size)
	__attribute__((warn_unused_result));
int link_receive_login(struct link *l, struct answer *out) __attribute__((warn_unused_result));

/* Sends a request, drops what was received and never asked for, and reads the reply. */
int link_ask(struct link *l, const char *request, struct answer *out)
	__attribute__((warn_unused_result));

/* The two halves of link_ask(), for whoever waits for other things too. The first one fails with a
 * refusal that has come already, though the server may stay. The second one does not wait: 1 with
 * the reply, 0 when it is not complete yet. */
int link_send(struct link *l, const char *request) __attribute__((warn_unused_result));
int link_receive(struct link *l, struct answer *out) __attribute__((warn_unused_result));

/* Waits for the reply to what was sent. */
int link_await(struct link *l, struct answer *out) __attribute__((warn_unused_result));

/* For a reply that goes on as things happen. Without waiting: 1 with its next line, valid until the
 * next call, 0 while there is none. Silence is no error between two lines, but before the first one
 * and behind link_end_lines(). */
int link_next_line(struct link *l, struct monitor_line *out) __attribute__((warn_unused_result));

/* Sends the line that ends it; what was received stays to be read. */
int link_end_lines(struct link *l) __attribute__((warn_unused_result));

/* When silence becomes an error (clock.h), from the last byte on; link_receive() and
 * link_next_line() tell. */
int64_t link_deadline(const struct link *l);

/* While nothing is asked: takes in what the server says, and tells whether it is still there. Does
 * not wait. */
int link_check(struct link *l) __attribute__((warn_unused_result));

/* The server said something when it should wait for us: reads to the end, which is never 0. */
int link_read_out(struct link *l) __attribute__((warn_unused_result));

#endif
