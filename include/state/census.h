/* census: the users who have sessions at one moment, summed up from the registry. A value of one
 * thread; no lock. */
#ifndef STATE_CENSUS_H
#define STATE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "state/registry.h"

struct census_user {
	size_t sessions;
	uint64_t sent, received; /* bytes of these sessions so far */
	size_t name_len;
	char name[USERS_NAME_MAX + 1];
};

struct census;

/* NULL without memory. */
struct census *census_take(struct registry *r);

/* NULL is allowed. */
void census_free(struct census *c);

size_t census_count(const struct census *c);

/* The users by the alphabet: the one at `index` < census_count(). */
const struct census_user *census_at(const struct census *c, size_t index);

/* NULL when the user has no session. */
const struct census_user *census_find(const struct census *c, const char *name, size_t len);

#endif
