/* addr: IP address and port as one value, and networks of addresses. No state, no lock.
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) never lives in a struct addr: it becomes IPv4. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	union {
		struct sockaddr sa; /* sa_family AF_UNSPEC: no address */
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

/* Longest text of addr_format(), its NUL included: "[" IPv6 "%" scope "]:65535". */
#define ADDR_TEXT_MAX 72

/* The address in `sa`, IPv4-mapped ones turned into IPv4; AF_UNSPEC for any other family. */
struct addr addr_from_sockaddr(const struct sockaddr *sa);

/* An IPv4 address from 4 bytes or an IPv6 one from 16 in network order; `port` in host order. */
struct addr addr_from_ipv4(const uint8_t bytes[4], uint16_t port);
struct addr addr_from_ipv6(const uint8_t bytes[16], uint16_t port);

/* Reads an address literal "10.0.0.1", "::1", "[::1]" or "fe80::1%eth0" of `len` bytes.
 * False, and nothing written, when it is anything else (a name, say). The port becomes 0. */
bool addr_parse(const char *text, size_t len, struct addr *out);

/* As addr_parse(), with an optional ":PORT" (IPv6 then needs its brackets). `*has_port` tells
 * whether there was one. */
bool addr_parse_port(const char *text, size_t len, struct addr *out, bool *has_port);

/* The size of the sockaddr that is in use, for connect(2) and the like. */
socklen_t addr_len(const struct addr *a);

uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* "192.0.2.1:80", "[2001:db8::1]:80", or "-" without an address. Returns `out`. */
const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);

/* As addr_format() without the port and its brackets. Returns `out`. */
const char *addr_format_host(const struct addr *a, char out[ADDR_TEXT_MAX]);

/* Same family and address, whatever the ports. */
bool addr_same_host(const struct addr *a, const struct addr *b);

/* Same address, scope and port. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* By family (IPv4 first), address and scope, for qsort(3). */
int addr_compare(const struct addr *a, const struct addr *b);

/* 0.0.0.0 or ::. */
bool addr_is_unspecified(const struct addr *a);

/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

/* Loopback, private (RFC 1918), link-local (RFC 3927, RFC 4291) or unique-local (RFC 4193). */
bool addr_is_private(const struct addr *a);

struct network {
	struct addr base;
	unsigned prefix; /* leading bits that count: 0 to 32 or 0 to 128 */
};

/* Reads "10.0.0.0/8", "2001:db8::/32" or a single address. False for anything else, for a prefix
 * that is too long, and for bits set behind the prefix. */
bool network_parse(const char *text, size_t len, struct network *out);

/* The same, but bits behind the prefix are cleared: of "10.1.2.3/8" the network around it. */
bool network_parse_around(const char *text, size_t len, struct network *out);

bool network_contains(const struct network *n, const struct addr *a);

/* The same, and where the base names a link by its scope the address must be on that link. */
bool network_contains_on_link(const struct network *n, const struct addr *a);

#define NETWORK_TEXT_MAX (ADDR_TEXT_MAX + 4)

/* "192.0.2.1", "10.0.0.0/8", "[fe80::1%eth0]" or "[2001:db8::]/64", as network_parse() reads it.
 * Returns `out`. */
const char *network_format(const struct network *n, char out[NETWORK_TEXT_MAX]);

/* The same base, scope included, and the same prefix. */
bool network_equal(const struct network *a, const struct network *b);

/* Ports of which one is taken; from 0 to 0: of the kernel's choice. */
struct port_range {
	uint16_t first, last;
};

/* Reads "any", "40000" or "40000-40100"; 0 is no port. False, and nothing written, for anything
 * else. */
bool port_range_parse(const char *text, struct port_range *out);

/* As port_range_parse() reads it. Returns `out`. */
const char *port_range_format(const struct port_range *range, char out[16]);

#endif
