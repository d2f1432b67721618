/* socks4: the messages of SOCKS4 and SOCKS4a as bytes and as structs. Pure; no state, no lock.
 *
 * There is no RFC: SOCKS4 is Ying-Da Lee's "SOCKS: A protocol for TCP proxy across firewalls", 4a
 * his "SOCKS 4A: A Simple Extension to SOCKS 4 Protocol". */
#ifndef WIRE_SOCKS4_H
#define WIRE_SOCKS4_H

#include <stddef.h>
#include <stdint.h>

#include "wire/request.h"

#define SOCKS4_MORE 0
#define SOCKS4_MALFORMED (-1)

#define SOCKS4_VERSION 0x04

enum socks4_command {
	SOCKS4_CONNECT = 0x01,
	SOCKS4_BIND = 0x02,
};

enum socks4_code {
	SOCKS4_GRANTED = 90,
	SOCKS4_REJECTED = 91, /* or failed */
	SOCKS4_NO_IDENTD = 92, /* these two where the server asks the client's identd */
	SOCKS4_OTHER_USER = 93,
};

#define SOCKS4_USERID_MAX 4096 /* bytes; the protocol has no bound, programs send a name */
#define SOCKS4_REQUEST_MAX (8 + SOCKS4_USERID_MAX + 1 + DESTINATION_NAME_MAX + 1)
#define SOCKS4_REPLY_SIZE 8

struct socks4_request {
	uint8_t command; /* CD; any value */
	const uint8_t *userid; /* into the message; no NUL in it */
	size_t userid_len;
	struct destination dst; /* never none; a name is in the message, and may be empty */
};

/* VN CD DSTPORT DSTIP USERID NUL and, where DSTIP is 0.0.0.x with an x that is not 0, NAME NUL
 * (4a). Looks at the `n` bytes at `p` and returns how many of them the message takes (> 0),
 * SOCKS4_MORE when it is not complete yet, or SOCKS4_MALFORMED: another version, a USERID of more
 * than SOCKS4_USERID_MAX bytes, a name of more than DESTINATION_NAME_MAX. What follows the message
 * is left alone. */
int socks4_parse_request(const uint8_t *p, size_t n, struct socks4_request *out);

/* VN CD DSTPORT DSTIP, with VN 0. An address that is not IPv4, which the protocol cannot tell, is
 * written as 0.0.0.0, with its port: to a client that is the address by which it has reached the
 * server. AF_UNSPEC is 0.0.0.0:0. */
void socks4_format_reply(uint8_t out[SOCKS4_REPLY_SIZE], uint8_t code, const struct addr *bound);

/* ---- the client's side, to an upstream ---- */

#define SOCKS4_ASKING_MAX (8 + 255 + 1 + DESTINATION_NAME_MAX + 1)

/* The request, with a USERID of 255 bytes at most; a name as SOCKS4a has it. Not for IPv6
 * addresses. */
size_t socks4_format_request(uint8_t out[SOCKS4_ASKING_MAX], enum socks4_command command,
	const struct destination *dst, const char *userid);

struct socks4_reply {
	uint8_t code;
	struct addr bound;
};

/* VN CD DSTPORT DSTIP, with VN 0. */
int socks4_parse_reply(const uint8_t *p, size_t n, struct socks4_reply *out);

#endif
