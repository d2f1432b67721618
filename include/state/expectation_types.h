/* expectation_types: the type of the setting that says what rules are to say of certain requests.
 * No state, no lock. */
#ifndef STATE_EXPECTATION_TYPES_H
#define STATE_EXPECTATION_TYPES_H

#include <stddef.h>

#include "state/setting_types.h"

struct expectation; /* expectation.h */

struct expectations {
	size_t count, size;
	struct expectation *items;
};

/* "deny from=ADDR to=HOST:PORT ...", several separated by ; and a list. */
extern const struct setting_type setting_expectations;

#define SETTING_EXPECTATIONS(values, member)                                                       \
	SETTING_AT(setting_expectations, struct expectations, values, member)

#endif
