/* group_source: where it is asked which groups a user is in: of the users who are in force, or of
 * some who are to come. A value; no lock. */
#ifndef STATE_GROUP_SOURCE_H
#define STATE_GROUP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define GROUP_SOURCE_TEXT_MAX 512 /* "a,b", its NUL included */

struct group_source {
	/* Is there a user of that name? Then `groups` becomes those that he is in; "": none. */
	bool (*find)(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX]);
	/* Is any user in a group of that name (without the @)? */
	bool (*has_group)(void *context, const char *group);
	void *context;
};

/* Of a name that may be no user's: then he is in none. */
static inline const char *group_source_of(
	const struct group_source *s, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	groups[0] = '\0';
	if (*user != '\0')
		(void)s->find(s->context, user, groups);
	return groups;
}

#endif
