/* http_fields: what the heads of HTTP requests and answers have in common (RFC 9112): lines,
 * fields, lengths, and what is wrong with a head. Pure; no state, no lock. */
#ifndef WIRE_HTTP_FIELDS_H
#define WIRE_HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 65536 /* bytes of a head, its empty line included */
#define HTTP_FIELDS_MAX 100
#define HTTP_LENGTH_MAX INT64_MAX /* of a body */

/* What parsers say instead of a length. */
enum http_fault {
	HTTP_MORE = 0, /* it is not complete yet */
	HTTP_BAD_LINE = -1, /* the first line, or one that does not end in CR LF */
	HTTP_BAD_TARGET = -2, /* of a request */
	HTTP_BAD_VERSION = -3,
	HTTP_BAD_FIELD = -4,
	HTTP_BAD_HOST = -5, /* the field Host: none, two, or not one */
	HTTP_BAD_LENGTH = -6, /* what is said of the body's length is no number or contradictory */
	HTTP_BAD_CODING = -7, /* Transfer-Encoding with another one than chunked */
	HTTP_TOO_LARGE = -8, /* more bytes or fields than a head may have */
};

/* What is wrong, as a sentence, and the status that a client is told. */
const char *http_fault_text(int fault);
unsigned http_fault_status(int fault);

/* Bytes inside of a head; no NUL behind them. */
struct http_slice {
	const char *text;
	size_t len;
};

struct http_field {
	struct http_slice name; /* a token */
	struct http_slice value; /* without the blanks around it; in an answer that folds lines it
				  * may have line ends inside, as blanks */
	struct http_slice tail; /* all from the colon on, to the byte, without the line's end */
};

/* How a body's end is known. */
enum http_framing {
	HTTP_NO_BODY,
	HTTP_LENGTH,
	HTTP_CHUNKED,
	HTTP_UNTIL_CLOSE, /* of answers only */
};

struct http_body {
	enum http_framing framing;
	int64_t length; /* HTTP_LENGTH */
};

/* Is it this word, whatever the case of its letters? */
bool http_is(const struct http_slice *s, const char *word);

static inline bool http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is it this word to the byte, as methods are told apart? */
bool http_equals(const struct http_slice *s, const char *word);

/* Looks for the empty line that ends a head in the `n` bytes at `p`: the length of the head,
 * HTTP_MORE, HTTP_TOO_LARGE, or HTTP_BAD_LINE for a line that ends in a bare LF, unless `is_lax`.
 * `*seen`, 0 at first, is how far it was looked at in calls before, so that a head that comes byte
 * by byte costs no more than another. */
int http_find_end(const char *p, size_t n, size_t *seen, bool is_lax);

/* Takes the first line off `rest`, without its line end; false when there is none left. */
bool http_next_line(struct http_slice *rest, struct http_slice *line);

/* Takes the first field off `rest`, the lines of fields with the empty one behind them, that a
 * parser has found to be right; false at the end. */
bool http_next_field(struct http_slice *rest, struct http_field *out);

/* The same for those that need not be right. > 0, 0 at the end, or HTTP_BAD_FIELD. Where it
 * `is_lax` blanks before the colon and folded lines are taken, and lines without a colon passed
 * over (RFC 9112 section 5). */
int http_parse_field(struct http_slice *rest, struct http_field *out, bool is_lax);

/* The value of the first field of that name; false when there is none. */
bool http_find_field(const struct http_slice *fields, const char *name, struct http_slice *value);

/* Takes the next member off a list "a, b;c, d" (RFC 9110 section 5.6.1), without the blanks around
 * it; false when there is none left. Commas in quoted strings are not understood. */
bool http_next_member(struct http_slice *list, struct http_slice *member);

/* What the fields Connection of a head name. Few, so that to ask for each field costs little. */
#define HTTP_CONNECTION_FIELDS 4
#define HTTP_CONNECTION_MEMBERS 32
struct http_connection {
	struct http_slice lists[HTTP_CONNECTION_FIELDS];
	unsigned count, members;
};

/* Adds the value of one; false when there are too many, or too many names in them. */
bool http_connection_add(struct http_connection *c, const struct http_slice *value);

/* Is it named? */
bool http_connection_has(const struct http_connection *c, const struct http_slice *word);

/* Is a field of that name for the next hop only (RFC 9110 section 7.6.1): one of those that always
 * are, or named by Connection? */
bool http_is_hop_by_hop(const struct http_connection *c, const struct http_slice *name);

/* A length: digits only. False for anything else, and above HTTP_LENGTH_MAX. */
bool http_parse_length(const struct http_slice *s, int64_t *out);

/* Bytes of a token (RFC 9110 section 5.6.2), and of a field's value. */
bool http_is_token_byte(unsigned char c);
bool http_is_value_byte(unsigned char c);

/* Are all its bytes those of values? */
bool http_is_value(const struct http_slice *s);

#endif
