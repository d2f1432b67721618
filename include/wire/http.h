/* http: the heads of HTTP/1 requests (RFC 9112 section 3), and the logins in them. Pure; no state,
 * no lock. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http_fields.h"
#include "wire/request.h"

/* In which form a request names what it is about (RFC 9112 section 3.2). */
enum http_form {
	HTTP_ORIGIN_FORM, /* /path, as servers are asked */
	HTTP_ABSOLUTE_FORM, /* http://host/path, as proxies are */
	HTTP_AUTHORITY_FORM, /* host:port, of CONNECT */
	HTTP_ASTERISK_FORM, /* *, of OPTIONS */
};

/* All slices point into the head. */
struct http_request {
	struct http_slice method;
	enum http_form form;
	struct http_slice scheme; /* absolute form: in whatever case it was sent */
	struct http_slice authority; /* absolute and authority form: host[:port] as it was sent */
	struct destination dst; /* likewise, as a target: port 0 where none is given and the scheme
				 * has none that is known */
	struct http_slice path; /* origin and absolute form, with its query; in the latter it may
				 * be empty or begin with '?' */
	unsigned minor; /* of HTTP/1.x: 0, or 1 for what is later */
	struct http_slice fields; /* lines, for http_next_field() */
	struct http_connection connection;
	struct http_slice host; /* of Host; "" where there is none */
	struct http_body body;
	bool has_login; /* Proxy-Authorization */
	struct http_slice login;
	bool expects_continue; /* Expect: 100-continue */
};

/* Parses a request's head from the `n` bytes at `p`, strictly: its length, HTTP_MORE, or another
 * enum http_fault. `*seen` as for http_find_end(): 0 at first, and the caller's until it is
 * parsed. What follows the head is left alone. */
int http_parse_request(const uint8_t *p, size_t n, size_t *seen, struct http_request *out);

/* Reads "host", "host:port" and the same with an IPv6 address in brackets; `port` is for where
 * there is none. A name of more than 255 bytes, with bytes that no host has, and any port but 1 to
 * 65535 are refused. */
bool http_parse_authority(const struct http_slice *s, uint16_t port, struct destination *out);

#define HTTP_BASIC_MAX 1024 /* bytes of a login */

struct http_basic {
	size_t name_len, password_len;
	size_t password_at; /* in `bytes`, where the name is at 0 */
	char bytes[HTTP_BASIC_MAX]; /* a secret: the caller's to erase */
};

/* Reads the credentials "Basic <base64 of NAME:PASSWORD>" (RFC 7617), of any bytes, NUL and further
 * colons too. False for anything else. */
bool http_parse_basic(const struct http_slice *value, struct http_basic *out);

#endif
