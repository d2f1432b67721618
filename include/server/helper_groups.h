/* helper_groups: which groups a helper of logins is asked about. The main thread's; no lock. */
#ifndef SERVER_HELPER_GROUPS_H
#define SERVER_HELPER_GROUPS_H

#include "proxy/services.h"

/* Those that the rules and limits of this configuration name, and what administrators said besides.
 * Without a helper nothing is done. */
void helper_groups_follow(const struct services *v, const struct config *c);

#endif
