/* setting_addresses: the types of settings that are addresses or ports of this host. No state, no
 * lock. */
#ifndef STATE_SETTING_ADDRESSES_H
#define STATE_SETTING_ADDRESSES_H

#include "base/addr.h"
#include "state/setting_types.h"

#define SETTINGS_MAX_LISTEN 16

#define SETTING_ADDRESS(values, member)                                                            \
	SETTING_AT(setting_address, struct listen_list, values, member)
#define SETTING_ADDRESS_OR_NONE(values, member)                                                    \
	SETTING_AT(setting_address_or_none, struct listen_list, values, member)
#define SETTING_ADDRESSES(values, member)                                                          \
	SETTING_AT(setting_addresses, struct listen_list, values, member)
#define SETTING_HOSTS(values, member) SETTING_AT(setting_hosts, struct host_pair, values, member)
#define SETTING_PORTS(values, member) SETTING_AT(setting_ports, struct port_range, values, member)

struct listen_list {
	size_t count;
	struct addr addrs[SETTINGS_MAX_LISTEN];
	bool has_port[SETTINGS_MAX_LISTEN]; /* false: whichever there is counts for nothing here */
};

extern const struct setting_type setting_address; /* one, with or without a port */
extern const struct setting_type setting_address_or_none;
extern const struct setting_type setting_addresses; /* a list */

/* An address of each family, without a port; AF_UNSPEC: none is set. */
struct host_pair {
	struct addr v4;
	struct addr v6;
};

extern const struct setting_type setting_hosts;

extern const struct setting_type setting_ports; /* a range */

#endif
