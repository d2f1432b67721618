/* balancer: what a load balancer says in front of a connection: whom it is from. One thread's; no
 * lock. */
#ifndef PROXY_BALANCER_H
#define PROXY_BALANCER_H

#include "net/own.h"
#include "proxy/dialect.h"

/* Reads the header of the PROXY protocol that has to come first, until the handshake's deadline;
 * what follows it stays in `in`. `*client` is whom it tells or, where it speaks for itself, who has
 * connected; then one byte more has come. `h->reached` is where that one came to it. False with
 * `reason` when there is no header, or nothing to serve behind one of the second kind. */
bool balancer_ask(struct handshake *h, struct addr *client);

/* Can it be somebody else's address? Not one of loopback, of many at once, of nobody or of this
 * host: who has that gets to places where no other may. */
bool balancer_is_credible(struct own *own, const struct addr *client);

#endif
