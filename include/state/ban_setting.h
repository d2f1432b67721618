/* ban_setting: when failed logins ban a client and for how long, and whom they never do, as the
 * settings ban and ban_exempt say. No state, no lock. */
#ifndef STATE_BAN_SETTING_H
#define STATE_BAN_SETTING_H

#include "state/setting_networks.h"

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

/* Who is not banned by failed logins. */
struct ban_exempt {
	bool loopback;
	struct network_list networks;
};

extern const struct setting_type setting_ban_exempt;
#define SETTING_BAN_EXEMPT(values, member)                                                         \
	SETTING_AT(setting_ban_exempt, struct ban_exempt, values, member)

bool ban_exempt_has(const struct ban_exempt *exempt, const struct addr *a);

#endif
