/* exempt_setting: whom something is not asked of or done to: loopback and networks, as a value of
 * settings. No state, no lock. */
#ifndef STATE_EXEMPT_SETTING_H
#define STATE_EXEMPT_SETTING_H

#include "state/setting_networks.h"

struct exempt_clients {
	bool loopback;
	struct network_list networks;
};

/* "loopback, 192.0.2.0/24", or none. */
extern const struct setting_type setting_exempt;
#define SETTING_EXEMPT(values, member)                                                             \
	SETTING_AT(setting_exempt, struct exempt_clients, values, member)

bool exempt_has(const struct exempt_clients *exempt, const struct addr *a);

#endif
