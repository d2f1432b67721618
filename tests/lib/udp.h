/* udp: datagrams for tests: sockets, a server that echoes, and a SOCKS client's association. All
 * has a deadline of NET_PATIENCE_S and fails the test beyond. */
#ifndef TESTS_UDP_H
#define TESTS_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define UDP_MAX 65536 /* more than a datagram can have */

/* A UDP socket on a port of the kernel's choice. */
int udp_socket(const char *host, struct addr *bound);

/* Sends to `to`, which must be possible; receives, and who sent it. */
void udp_send(int fd, const struct addr *to, const void *bytes, size_t len);
size_t udp_receive(int fd, void *bytes, struct addr *from);

/* The next datagram that comes is this one; who sent it. */
struct addr udp_expect(int fd, const void *bytes, size_t len);

bool udp_is_silent(int fd);

/* A thread that sends every datagram back from where it arrived. */
struct udp_echo;
struct udp_echo *udp_echo_start(const char *host, struct addr *bound);
void udp_echo_stop(struct udp_echo *e);

/* A SOCKS client that has asked for UDP ASSOCIATE. */
struct association {
	int tcp;
	int udp; /* on the address that `tcp` is on */
	struct addr own; /* of `udp` */
	struct addr relay; /* BND.ADDR: where it is to send to */
	uint8_t rep;
};

/* On a connection to the proxy at `host`, with DST as hexadecimal "01 00 00 00 00 00 00" (ATYP,
 * address and port; NULL: zeros). Only after a refusal there is no socket `udp`. */
void association_open(struct association *a, const char *host, uint16_t port, const char *dst);
void association_close(struct association *a);

/* The header of a datagram (RFC 1928 section 7); its length. */
size_t association_header(uint8_t out[262], uint8_t frag, const struct addr *target);
size_t association_name_header(uint8_t out[262], const char *name, uint16_t port);

/* Sends `len` bytes for `target`, or for a name; as a fragment, if `frag` is not 0. */
void association_send(struct association *a, uint8_t frag, const struct addr *target,
	const void *bytes, size_t len);
void association_send_name(
	struct association *a, const char *name, uint16_t port, const void *bytes, size_t len);

/* The next datagram is this one, and its header says that `source` has sent it. */
void association_expect(
	struct association *a, const struct addr *source, const void *bytes, size_t len);

/* There and back through the proxy. */
void association_expect_echo(struct association *a, const struct addr *echo, const char *text);

#endif
