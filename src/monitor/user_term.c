/*
 * What nodes share is told to the others while the answer goes out, or when the engine is there
 * again; that it is kept here does not depend on that, but on state_dir. What is this node's own
 * says so only where there are others.
 */
#include "monitor/user_term.h"

#include <stdio.h>

#include "base/clock.h"

bool user_is_shared(const struct services *v, const char *name)
{
	return v->shared_users != NULL && shared_users_have(v->shared_users, name);
}

static bool is_engine_up(const struct services *v)
{
	struct cluster_status status = {.is_up = false};

	if (v->cluster != NULL)
		cluster_look(v->cluster, clock_ms(), &status);
	return status.is_up;
}

static void say_shared(const struct services *v, char text[USER_TERM_MAX])
{
	bool is_up = is_engine_up(v);
	const char *unkept = "";

	if (!standing_is_kept(v->standing))
		unkept = is_up ? "; state_dir is not set, so only the engine keeps it"
			       : "; state_dir is not set, so it is lost if this server ends before";
	snprintf(text, USER_TERM_MAX, " (%s%s)",
		is_up ? "on all nodes"
		      : "here now, and on the other nodes when the engine is there again",
		unkept);
}

const char *user_term(
	const struct services *v, bool is_shared, const char *more, char text[USER_TERM_MAX])
{
	bool are_others = v->shared_users != NULL;
	bool is_kept =
		are_others ? shared_users_keep_own(v->shared_users) : users_are_kept(v->users);

	text[0] = '\0';
	if (is_shared)
		say_shared(v, text);
	else if (!is_kept)
		snprintf(text, USER_TERM_MAX, " (%suntil the server ends: users_file is not set%s)",
			are_others ? "on this node alone, " : "", more);
	else if (are_others)
		snprintf(text, USER_TERM_MAX, " (on this node alone)");
	return text;
}
