/* advice: what an administrator can do about each way in which a session fails. Pure; no lock. */
#ifndef STATE_ADVICE_H
#define STATE_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "state/end_reason.h"

/* Does a session that ends so count as one that failed, rather than came to its end? */
bool advice_is_failure(enum end_reason reason);

/* A sentence for the administrator, with the setting or the command that mends it; `rule` is the
 * word of the rule that decided, NULL or "" where none did. NULL: it is no failure. */
const char *advice_find(enum end_reason reason, const char *rule);

#endif
