/*
 * A session knows its user's entry in the ledger; whoever has a name only asks here.
 */
#include "server/user_groups.h"

#include <stdio.h>

#include "state/limits.h"

_Static_assert(GROUP_SOURCE_TEXT_MAX >= LIMITS_ALL_GROUPS_MAX, "all groups of a user fit");

static bool put_groups(
	bool is_user, const struct limits *limits, char groups[GROUP_SOURCE_TEXT_MAX])
{
	snprintf(groups, GROUP_SOURCE_TEXT_MAX, "%s", is_user ? limits->groups : "");
	return is_user;
}

static bool find_user(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	struct limits limits;
	bool is_user = users_said_limits(context, user, &limits);

	return put_groups(is_user, &limits, groups);
}

static bool is_group_of_users(void *context, const char *group)
{
	return users_have_group(context, group);
}

struct group_source user_groups(struct users *users)
{
	return (struct group_source){
		.find = find_user, .has_group = is_group_of_users, .context = users};
}

static bool find_in_draft(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	struct limits limits;
	bool is_user = users_draft_limits(context, user, &limits);

	return put_groups(is_user, &limits, groups);
}

static bool draft_has(void *context, const char *group)
{
	return users_draft_have_group(context, group);
}

struct group_source user_groups_of_draft(struct users_draft *draft)
{
	return (struct group_source){
		.find = find_in_draft, .has_group = draft_has, .context = draft};
}
