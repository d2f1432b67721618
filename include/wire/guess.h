/* guess: which protocol somebody speaks, by his first bytes. Pure; no lock. */
#ifndef WIRE_GUESS_H
#define WIRE_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum guess {
	GUESS_MORE, /* it cannot be told yet */
	GUESS_UNKNOWN, /* none of these */
	GUESS_TLS, /* a handshake: https to this port, say */
	GUESS_SOCKS5,
	GUESS_SOCKS4, /* 4a too */
	GUESS_PROXY_V1, /* a load balancer tells whom it speaks for, in text or in binary */
	GUESS_PROXY_V2,
	GUESS_HTTP, /* a request, to a server or to a proxy */
};

/* What begins with these bytes. What is decided by some stays so with any that follow; at most 64
 * are needed. */
enum guess guess_protocol(const uint8_t *p, size_t n);

/* One lower-case word; NULL for GUESS_MORE and GUESS_UNKNOWN. */
const char *guess_word(enum guess guess);

#endif
