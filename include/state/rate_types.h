/* rate_types: the types of the settings that bound what many move together: a rate, and the rates
 * of groups. Values; no lock. */
#ifndef STATE_RATE_TYPES_H
#define STATE_RATE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "state/setting_types.h"
#include "state/throttle.h"

#define GROUP_NAME_SIZE 65 /* of a group's name without its @, its NUL included */

/* Bytes a second; 0: no limit that way. */
struct rate {
	uint64_t down; /* towards clients */
	uint64_t up; /* to targets */
};

struct group_rate {
	char name[GROUP_NAME_SIZE];
	struct rate rate;
};

struct group_rates {
	size_t count;
	struct group_rate groups[THROTTLE_GROUPS_MAX];
};

#define SETTING_RATE(values, member) SETTING_AT(setting_rate, struct rate, values, member)
#define SETTING_GROUP_RATES(values, member)                                                        \
	SETTING_AT(setting_group_rates, struct group_rates, values, member)

extern const struct setting_type setting_rate; /* or none */
extern const struct setting_type setting_group_rates; /* "@NAME RATE", a list, each group once */

#endif
