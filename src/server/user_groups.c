/*
 * A session knows its user's entry in the ledger; whoever has a name only asks here.
 */
#include "server/user_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/limits.h"

_Static_assert(GROUP_SOURCE_TEXT_MAX >= LIMITS_GROUPS_MAX, "all groups of a user fit");

static bool find_user(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	struct limits limits;

	groups[0] = '\0';
	if (!users_own_limits(context, user, &limits))
		return false;
	snprintf(groups, GROUP_SOURCE_TEXT_MAX, "%s", limits.groups);
	return true;
}

bool user_groups_exist(struct users *users, const char *name)
{
	char groups[GROUP_SOURCE_TEXT_MAX];
	size_t count = 0;
	const char **names = users_names(users, &count);
	bool found = false;

	for (size_t i = 0; i < count && names != NULL && !found; i++)
		found = find_user(users, names[i], groups) &&
			limits_in_group(groups, name, strlen(name));
	free(names);
	return found;
}

static bool has_group(void *context, const char *group)
{
	return user_groups_exist(context, group);
}

struct group_source user_groups(struct users *users)
{
	return (struct group_source){
		.find = find_user, .has_group = has_group, .context = users};
}
