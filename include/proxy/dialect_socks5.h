/* dialect_socks5: the steps of RFC 1928 and RFC 1929 up to the request, and the replies to it. No
 * state. */
#ifndef PROXY_DIALECT_SOCKS5_H
#define PROXY_DIALECT_SOCKS5_H

#include "proxy/dialect.h"

extern const struct dialect dialect_socks5;

#endif
