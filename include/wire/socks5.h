/* socks5: the messages of RFC 1928 and RFC 1929 as bytes and as structs. Pure; no state, no lock.
 *
 * Each parser looks at the `n` bytes at `p` and returns how many of them the message takes (> 0),
 * SOCKS5_MORE when it is not complete yet, or SOCKS5_MALFORMED. What follows the message is left
 * alone. */
#ifndef WIRE_SOCKS5_H
#define WIRE_SOCKS5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/request.h"

#define SOCKS5_MORE 0
#define SOCKS5_MALFORMED (-1)

#define SOCKS5_VERSION 0x05
#define SOCKS5_LOGIN_VERSION 0x01

enum socks5_method { /* RFC 1928 section 3 */
	SOCKS5_NO_LOGIN = 0x00,
	SOCKS5_PASSWORD = 0x02,
	SOCKS5_NO_METHOD = 0xff,
};

enum socks5_command { /* RFC 1928 section 4 */
	SOCKS5_CONNECT = 0x01,
	SOCKS5_BIND = 0x02,
	SOCKS5_UDP_ASSOCIATE = 0x03,
};

enum socks5_atyp { /* RFC 1928 section 5 */
	SOCKS5_IPV4 = 0x01,
	SOCKS5_DOMAIN = 0x03,
	SOCKS5_IPV6 = 0x04,
};

enum socks5_rep { /* RFC 1928 section 6 */
	SOCKS5_SUCCEEDED = 0x00,
	SOCKS5_GENERAL_FAILURE = 0x01,
	SOCKS5_NOT_ALLOWED = 0x02,
	SOCKS5_NETWORK_UNREACHABLE = 0x03,
	SOCKS5_HOST_UNREACHABLE = 0x04,
	SOCKS5_CONNECTION_REFUSED = 0x05,
	SOCKS5_TTL_EXPIRED = 0x06,
	SOCKS5_COMMAND_NOT_SUPPORTED = 0x07,
	SOCKS5_ATYP_NOT_SUPPORTED = 0x08,
};

#define SOCKS5_MESSAGE_MAX 513 /* the longest message of a client: a login with two long fields */
#define SOCKS5_REPLY_MAX 22 /* the longest reply: one with an IPv6 address */
#define SOCKS5_HEADER_MAX 22 /* the longest header of a datagram from the proxy, likewise */

struct socks5_greeting {
	bool offers_no_login;
	bool offers_password;
};

/* VER NMETHODS METHODS (RFC 1928 section 3). Another version is malformed; zero methods are not. */
int socks5_parse_greeting(const uint8_t *p, size_t n, struct socks5_greeting *out);

struct socks5_login {
	const uint8_t *name; /* both point into the message and may hold any byte */
	size_t name_len;
	const uint8_t *password;
	size_t password_len;
};

/* VER ULEN UNAME PLEN PASSWD (RFC 1929 section 2). Lengths of 0 are legal here. */
int socks5_parse_login(const uint8_t *p, size_t n, struct socks5_login *out);

struct socks5_request {
	uint8_t command; /* CMD; any value */
	struct destination dst; /* DST.ADDR and DST.PORT; a name is in the message */
};

/* VER CMD RSV ATYP DST.ADDR DST.PORT (RFC 1928 section 4). RSV is not looked at. Of an unknown ATYP
 * only the first four bytes are taken, and there is no destination. */
int socks5_parse_request(const uint8_t *p, size_t n, struct socks5_request *out);

/* A datagram between the client and the proxy. The pointers are into the message. */
struct socks5_datagram {
	uint8_t frag; /* 0: a whole one */
	struct destination dst; /* DST.ADDR and DST.PORT; never none */
	const uint8_t *data;
	size_t len;
};

/* RSV FRAG ATYP DST.ADDR DST.PORT DATA (RFC 1928 section 7). A datagram cannot be waited for: what
 * is too short is malformed, and so is an unknown ATYP. RSV is not looked at. Returns the length of
 * the header. */
int socks5_parse_datagram(const uint8_t *p, size_t n, struct socks5_datagram *out);

/* The writers return the number of bytes put at `out`. */
size_t socks5_format_method(uint8_t out[2], enum socks5_method method);
size_t socks5_format_login_status(uint8_t out[2], bool success);

/* VER REP RSV ATYP BND.ADDR BND.PORT (RFC 1928 section 6). Always complete, ATYP 1 or 4; AF_UNSPEC
 * is written as 0.0.0.0:0. */
size_t socks5_format_reply(uint8_t out[SOCKS5_REPLY_MAX], uint8_t rep, const struct addr *bound);

/* RSV FRAG ATYP DST.ADDR DST.PORT in front of a datagram that came from `source`. */
size_t socks5_format_header(uint8_t out[SOCKS5_HEADER_MAX], const struct addr *source);

/* ---- the client's side, to an upstream ---- */

#define SOCKS5_GREETING_MAX 4
#define SOCKS5_REQUEST_MAX                                                                         \
	262 /* a request for a long name; the header of a datagram has one more */
#define SOCKS5_NAMED_HEADER_MAX 263

/* VER NMETHODS METHODS: no login and, with one, that too (RFC 1928 section 3). */
size_t socks5_format_greeting(uint8_t out[SOCKS5_GREETING_MAX], bool has_login);

/* VER METHOD. Another version is malformed; the METHOD may be any. */
int socks5_parse_method(const uint8_t *p, size_t n, uint8_t *method);

/* VER ULEN UNAME PLEN PASSWD (RFC 1929 section 2); each field is of 255 bytes at most. */
size_t socks5_format_login(uint8_t out[SOCKS5_MESSAGE_MAX], const struct socks5_login *login);

/* VER STATUS. There are servers that send another version, and mean it. */
int socks5_parse_login_status(const uint8_t *p, size_t n, bool *success);

/* VER CMD RSV ATYP DST.ADDR DST.PORT. */
size_t socks5_format_request(uint8_t out[SOCKS5_REQUEST_MAX], enum socks5_command command,
	const struct destination *dst);

struct socks5_reply {
	uint8_t rep;
	struct destination bound; /* BND.ADDR and BND.PORT; a name is in the message */
};

/* VER REP RSV ATYP BND.ADDR BND.PORT (RFC 1928 section 6). One that tells of a failure may end
 * behind REP: then nobody waits for what was to follow. */
int socks5_parse_reply(const uint8_t *p, size_t n, struct socks5_reply *out);

/* RSV FRAG ATYP DST.ADDR DST.PORT in front of a datagram for `dst`. */
size_t socks5_format_named_header(
	uint8_t out[SOCKS5_NAMED_HEADER_MAX], const struct destination *dst);

#endif
