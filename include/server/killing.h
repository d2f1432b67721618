/* killing: ends all sessions of whoever is named. No lock of its own; from any thread. */
#ifndef SERVER_KILLING_H
#define SERVER_KILLING_H

#include <stddef.h>

#include "proxy/services.h"

/* Those of who is in the group, users and clients, without the @. Returns how many there were. */
size_t killing_end_group(struct services *v, const char *group, enum end_reason reason);

/* Those of a client or a network as text, of a user, of an @group, or of Anonymous, who is all that
 * have not logged in. Who waits for a slow hash is woken, to see that he was told to end. Returns
 * how many there were. */
size_t killing_end(struct services *v, const char *who, enum end_reason reason);

#endif
