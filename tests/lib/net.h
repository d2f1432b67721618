/* net: sockets for tests. Everything has a deadline of NET_PATIENCE_S and fails the test beyond. */
#ifndef TESTS_NET_H
#define TESTS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define NET_PATIENCE_S 60

/* An address literal and a port as a struct addr. */
struct addr net_addr(const char *host, uint16_t port);

/* A TCP listener on a port of the kernel's choice, which goes to `*port`. */
int net_listen(const char *host, uint16_t *port);

/* A port that nobody uses at any address, and that the kernel gives to nobody by itself: for tests
 * that need the same one at several addresses. */
uint16_t net_unused_port(void);

/* A port of 127.0.0.1 on which nobody listens: bound and kept by the returned descriptor. */
int net_refusing_port(uint16_t *port);

/* A listener whose backlog is full, so that attempts to connect to it stay without an answer; the
 * descriptors of what fills it go to `fillers`. */
int net_mute_port(uint16_t *port, int fillers[3]);

/* Blocking sockets with the timeout set. */
int net_accept(int listener);
int net_connect(const char *host, uint16_t port);
int net_connect_from(const char *source, const char *host, uint16_t port);

/* A connection to a unix socket; -1 with errno. */
int net_connect_local(const char *path);

void net_send(int fd, const void *bytes, size_t len);

/* Reads exactly `len` bytes, or compares them. */
void net_receive(int fd, void *bytes, size_t len);
void net_expect(int fd, const void *bytes, size_t len);

/* The same with bytes in hexadecimal: "05 01 00". */
void net_send_hex(int fd, const char *hex);
void net_expect_hex(int fd, const char *hex);

/* The next read is the end of the stream, or a reset. */
void net_expect_end(int fd);
void net_expect_reset(int fd);

/* The stream ends one way or the other, with nothing before it. */
void net_expect_gone(int fd);

/* Nothing can be read at the moment. */
bool net_is_silent(int fd);

/* Closes so that the peer gets a reset. */
void net_reset(int fd);

/* Sends `total` bytes of a pattern that `seed` chooses, or reads and compares them. */
void net_send_pattern(int fd, size_t total, unsigned seed);
void net_expect_pattern(int fd, size_t total, unsigned seed);

/* A thread that sends a pattern and then ends the stream, if `finish`; joined by net_join(). */
struct net_sender;
struct net_sender *net_send_in_background(int fd, size_t total, unsigned seed, bool finish);
void net_join(struct net_sender *s);

/* A thread that echoes on every connection to a listener, for as long as the process lives or until
 * net_echo_stop(). One thread serves all of them with poll(2). */
struct net_echo;
struct net_echo *net_echo_start(const char *host, uint16_t *port);
void net_echo_stop(struct net_echo *e);

/* A SOCKS client: greeting without login, then CONNECT; the socket. `*rep` receives REP and the
 * reply is read whole. */
int net_socks_connect(uint16_t proxy, const char *host, uint16_t port, uint8_t *rep);

/* The same with a login (RFC 1929); `*rep` is NET_LOGIN_REFUSED when that is refused. */
#define NET_LOGIN_REFUSED 0xff
int net_socks_connect_as(uint16_t proxy, const char *user, const char *password, const char *host,
	uint16_t port, uint8_t *rep);

/* The parts of it, on a connected socket. */
void net_socks_greet(int fd);
void net_socks_send_login(int fd, const char *user, const char *password);
uint8_t net_socks_log_in(int fd, const char *user, const char *password);
void net_socks_send_connect(int fd, const char *host, uint16_t port);
uint8_t net_socks_read_reply(int fd, struct addr *bound);

#endif
