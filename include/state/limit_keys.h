/* limit_keys: what the value of each key of limits looks like, and which of two is more generous:
 * for limits.c. Pure values; no lock. */
#ifndef STATE_LIMIT_KEYS_H
#define STATE_LIMIT_KEYS_H

#include "state/limits.h"

#define LIMITS_SHOWN 64 /* bytes of a word that is wrong */

/* A value as it was written: `len` bytes. */
struct limit_value {
	const char *text;
	size_t len;
};

bool limit_value_is(const struct limit_value *v, const char *word);

struct limit_key_type {
	/* False with what is legal in `why`, LIMITS_ERROR_MAX bytes. */
	bool (*read)(const struct limit_value *v, struct limits *out, char *why);
	void (*put)(const struct limits *limits, FILE *out);
	/* Both say a value: makes that of `limits` the more generous one. NULL: it is nobody's but
	 * the one whose it is. */
	void (*widen)(struct limits *limits, const struct limits *other);
	bool can_be_lifted; /* by none */
};

extern const struct limit_key_type limit_key_types[LIMIT_KEYS];

#endif
