/* ban_setting: when failed logins ban a client and for how long, as the setting ban says. No state,
 * no lock. */
#ifndef STATE_BAN_SETTING_H
#define STATE_BAN_SETTING_H

#include "state/setting_types.h"

#define BAN_MOST_FAILURES 100
#define BAN_LEAST_MS INT64_C(1000)
#define BAN_LONGEST_MS (INT64_C(3650) * 86400 * 1000)

/* "10 in 10m for 1m to 1d"; times are in milliseconds. */
struct ban_rule {
	int64_t failures; /* so many ban; 0: none do */
	int64_t within; /* of such a time */
	int64_t first; /* how long the first ban lasts; each further one twice as long */
	int64_t longest; /* up to this */
};

extern const struct setting_type setting_ban;
#define SETTING_BAN(values, member) SETTING_AT(setting_ban, struct ban_rule, values, member)

#endif
