/* http_write: heads as bytes. A value; no lock. */
#ifndef WIRE_HTTP_WRITE_H
#define WIRE_HTTP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http_fields.h"

/* Where it is put. What does not fit is left out, and told by `is_full`. */
struct http_writer {
	char *at;
	char *end;
	bool is_full;
};

void http_put(struct http_writer *w, const char *bytes, size_t len);
void http_put_slice(struct http_writer *w, const struct http_slice *s);
void http_put_text(struct http_writer *w, const char *text);
void http_put_number(struct http_writer *w, int64_t number);

/* The field's line, to the byte; line ends inside, which it has where it was folded, become blanks
 * (RFC 9112 section 5.2), and blanks before the colon are left out (section 5.1). It may be put in
 * its own place, or in front of that. */
void http_put_field(struct http_writer *w, const struct http_field *field);

/* The status's own reason phrase (RFC 9110 section 15) of those that a proxy or its pages say. */
const char *http_reason_phrase(unsigned status);

/* "HTTP/1.1 STATUS REASON", and "Connection: close", which every answer of ours has. */
void http_put_status(struct http_writer *w, unsigned status);

/* A whole answer with this text in words. `fields` are whole lines to put into its head, "": none;
 * with `is_head` the text is only measured, as HEAD wants it (RFC 9110 section 9.3.2). */
void http_put_page(
	struct http_writer *w, unsigned status, const char *fields, const char *text, bool is_head);

#endif
