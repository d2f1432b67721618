/* user_term: for how long and where what was done to a user holds, for the end of an answer. No
 * state, no lock. */
#ifndef MONITOR_USER_TERM_H
#define MONITOR_USER_TERM_H

#include <stdbool.h>

#include "proxy/services.h"

#define USER_TERM_MAX 256

/* Is it a user whom the nodes share? */
bool user_is_shared(const struct services *v, const char *name);

/* " (on all nodes)" of a user who `is_shared`, and the like; otherwise " (until the server ends)",
 * or "" where it holds for good. `more` is put behind the reason for that. Returns `text`. */
const char *user_term(
	const struct services *v, bool is_shared, const char *more, char text[USER_TERM_MAX]);

#endif
