/* client_groups: names for groups of clients' networks, which rules and limits know as @name. A
 * value of a setting; no lock. */
#ifndef STATE_CLIENT_GROUPS_H
#define STATE_CLIENT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "state/setting_types.h"

#define CLIENT_GROUP_NAME_MAX 64 /* bytes, without the @ */

struct client_group {
	char *name; /* without the @ */
	size_t count, size;
	struct network *networks;
	struct setting_place place; /* of its first line */
};

struct client_groups {
	size_t count, size;
	struct client_group *groups; /* as they were written */
};

/* The group called `name`, without the @; NULL: there is none. */
const struct client_group *client_groups_find(
	const struct client_groups *g, const char *name, size_t len);

bool client_group_contains(const struct client_group *group, const struct addr *client);

/* Can a group, of clients or of users, be called so: letters, digits, _ - and dots? */
bool client_groups_valid_name(const char *name, size_t len);

/* "@name NETWORK[, NETWORK]...", several groups separated by ; and a list. */
extern const struct setting_type setting_client_groups;

#define SETTING_CLIENT_GROUPS(values, member)                                                      \
	SETTING_AT(setting_client_groups, struct client_groups, values, member)

#endif
