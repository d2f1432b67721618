/* dialect_http: an HTTP proxy's side of a request up to where it is tried, and the answers of the
 * proxy's own. No state. */
#ifndef PROXY_DIALECT_HTTP_H
#define PROXY_DIALECT_HTTP_H

#include "proxy/dialect.h"

extern const struct dialect dialect_http;

#endif
