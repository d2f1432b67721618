/* setting_networks: the types of settings that are networks, with words for some or without. No
 * state, no lock. */
#ifndef STATE_SETTING_NETWORKS_H
#define STATE_SETTING_NETWORKS_H

#include "base/addr.h"
#include "state/setting_types.h"

#define SETTINGS_MAX_NETWORKS 64

#define SETTING_CLIENTS(values, member)                                                            \
	SETTING_AT(setting_clients, struct client_rule, values, member)
#define SETTING_NETWORKS(values, member)                                                           \
	SETTING_AT(setting_networks, struct network_list, values, member)

struct network_list {
	size_t count;
	struct network networks[SETTINGS_MAX_NETWORKS];
};

bool network_list_contains(const struct network_list *list, const struct addr *a);

extern const struct setting_type setting_networks; /* a list, which may be empty */

/* Who may connect: any of these. */
struct client_rule {
	bool automatic; /* private networks while nobody has to log in, else any */
	bool any;
	bool private_networks;
	struct network_list networks;
};

extern const struct setting_type setting_clients;

#endif
