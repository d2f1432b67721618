/* handshake: from a client's first byte to its request and the answers to that, in whichever of the
 * dialects it speaks. One thread's; no lock. */
#ifndef PROXY_HANDSHAKE_H
#define PROXY_HANDSHAKE_H

#include "proxy/dialect.h"

/* Reads on until there is a request, which is then in `request`; what the client has sent behind it
 * stays in `in`. False with `reason` when there is none; who is refused has been told by then. */
bool handshake_run(struct handshake *h);

#endif
