/* http_chunked: the framing of a body that comes in chunks (RFC 9112 section 7.1). A value; no
 * lock. */
#ifndef WIRE_HTTP_CHUNKED_H
#define WIRE_HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_CHUNK_LINE_MAX 1024 /* bytes of a chunk's size with its extensions */
#define HTTP_TRAILER_MAX 8192 /* of all trailer fields */

enum http_chunked_state {
	HTTP_CHUNK_SIZE, /* before or inside of the digits */
	HTTP_CHUNK_BLANK, /* behind them */
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_CR,
	HTTP_CHUNK_DATA_LF,
	HTTP_TRAILER_START, /* of a line */
	HTTP_TRAILER_NAME,
	HTTP_TRAILER_VALUE,
	HTTP_TRAILER_LF,
	HTTP_CHUNKED_LF, /* the last one */
	HTTP_CHUNKED_ENDED,
	HTTP_CHUNKED_MALFORMED,
};

/* Where in the body it is. All zeros at its beginning. */
struct http_chunked {
	enum http_chunked_state state;
	bool is_lax; /* given: a bare LF ends a line, and blanks may stand behind a size, as answers
		      * of old servers have it */
	unsigned digits; /* of the size that is being read */
	uint64_t left; /* bytes of the chunk, or what is known of its size yet */
	size_t line; /* bytes of this line, or of all trailers */
};

/* Takes bytes of one kind off the `n` > 0 at `p`: how many; `*is_data` tells whether they are the
 * body's own or its framing. 0 when it has ended, or is malformed. */
size_t http_chunked_take(struct http_chunked *c, const uint8_t *p, size_t n, bool *is_data);

/* As if it had taken `n` <= `left` bytes of data. */
void http_chunked_skip(struct http_chunked *c, size_t n);

static inline bool http_chunked_has_ended(const struct http_chunked *c)
{
	return c->state == HTTP_CHUNKED_ENDED;
}

static inline bool http_chunked_is_malformed(const struct http_chunked *c)
{
	return c->state == HTTP_CHUNKED_MALFORMED;
}

#endif
