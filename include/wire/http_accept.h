/* http_accept: which form of an answer a client would like best (RFC 9110 section 12.5.1). Pure; no
 * lock. */
#ifndef WIRE_HTTP_ACCEPT_H
#define WIRE_HTTP_ACCEPT_H

#include "wire/http_fields.h"

#define HTTP_QUALITY_MAX 1000

/* A form of the answer: "text", "plain", and its version; NULL: it has none. */
struct http_media {
	const char *type, *subtype, *version;
};

/* How much it is wanted, by the fields Accept: from 0, not at all, to HTTP_QUALITY_MAX. Without
 * such a field all is wanted alike. A range with another version does not mean it; other parameters
 * do not matter. What is malformed counts as if it were not there. */
int http_accept_quality(const struct http_slice *fields, const struct http_media *media);

/* May the answer have this content coding, by the fields Accept-Encoding? Without one it may not.
 */
bool http_accepts_coding(const struct http_slice *fields, const char *coding);

#endif
