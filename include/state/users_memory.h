/* users_memory: users who are kept in memory only, as a backend of `users`. No lock: one thread at
 * a time. */
#ifndef STATE_USERS_MEMORY_H
#define STATE_USERS_MEMORY_H

#include "state/users.h"

/* Nobody yet. Whoever does not give it to users_new() frees its context. */
struct users_backend users_memory_backend(void);

#endif
