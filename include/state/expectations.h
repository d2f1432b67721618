/* expectations: what rules and protection are to say of certain requests, which a configuration is
 * held against before it comes into force. No state, no lock. */
#ifndef STATE_EXPECTATIONS_H
#define STATE_EXPECTATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/own.h"
#include "state/config.h"
#include "state/group_source.h"

/* Do the rules of `c` say what its settings expect, now (seconds since 1970) and at each time at
 * which one of them begins or ends to hold in the eight days after? Temporary rules have no say.
 * False with the first expectation that is not met in `error`, with its line and that of the rule
 * which decided. */
bool expectations_hold(const struct config *c, const struct group_source *groups, struct own *own,
	int64_t now, char error[CONFIG_ERROR_MAX]);

#endif
