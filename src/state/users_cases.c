/*
 * Names are bytes, and those with a password here are found as they are written. A directory folds
 * their case as a rule: so whoever has capital letters is known in lower case, too, for names that
 * a helper is asked about (users_directory.c). Several may be written alike but for that.
 *
 * What it takes is made before a change, with the user, so that a change itself cannot fail.
 */
#include "state/users_parts.h"

#include <stdlib.h>
#include <string.h>

struct name_in_lower_case {
	size_t users; /* who are written otherwise */
	char name[];
};

/* Into `lower`; false when it is that already. */
static bool has_capitals(const char *name, size_t len, char lower[USERS_NAME_MAX])
{
	if (len > USERS_NAME_MAX)
		return false;
	users_put_lower(name, len, lower);
	return memcmp(lower, name, len) != 0;
}

int users_prepare_case(struct user *user)
{
	char lower[USERS_NAME_MAX];

	if (!has_capitals(user->name, user->name_len, lower))
		return 0;
	user->lower = malloc(sizeof(*user->lower) + user->name_len);
	if (user->lower == NULL)
		return -1;
	user->lower->users = 1;
	memcpy(user->lower->name, lower, user->name_len);
	return 0;
}

void users_add_case(struct hashmap *cases, struct user *user)
{
	struct name_in_lower_case *mine = user->lower, *there;
	void *old;

	if (mine == NULL)
		return;
	there = hashmap_get(cases, mine->name, user->name_len);
	if (there != NULL)
		there->users++;
	else if (hashmap_put(cases, mine->name, user->name_len, mine, &old) == 0)
		user->lower = NULL;
}

void users_drop_case(struct hashmap *cases, const char *name, size_t len)
{
	struct name_in_lower_case *there;
	char lower[USERS_NAME_MAX];

	if (!has_capitals(name, len, lower))
		return;
	there = hashmap_get(cases, lower, len);
	if (there != NULL && --there->users == 0)
		free(hashmap_remove(cases, lower, len));
}

bool users_have_case(const struct hashmap *cases, const char *lower, size_t len)
{
	return hashmap_get(cases, lower, len) != NULL;
}
