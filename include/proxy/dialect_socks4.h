/* dialect_socks4: SOCKS4 and SOCKS4a up to the request, and the replies to it. No state. */
#ifndef PROXY_DIALECT_SOCKS4_H
#define PROXY_DIALECT_SOCKS4_H

#include "proxy/dialect.h"

extern const struct dialect dialect_socks4;

#endif
