/* backend: a backend of users in memory, which can be told to fail, and that remembers what it was
 * asked for. */
#ifndef TESTS_STATE_BACKEND_H
#define TESTS_STATE_BACKEND_H

#include <stdio.h>

#include "../base/check.h"
#include "state/users.h"

struct fake_backend {
	const struct user_record *users; /* that are loaded */
	size_t count;
	bool fails;
	char asked[1024]; /* "save alice HASH user; remove bob; " */
};

static inline int fake_result(struct fake_backend *f, char *error)
{
	if (f->fails)
		snprintf(error, USERS_ERROR_MAX, "it fails");
	return f->fails ? -1 : 0;
}

static inline int fake_load(
	void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	struct fake_backend *f = context;
	const char *why = NULL;

	for (size_t i = 0; i < f->count && why == NULL; i++)
		why = take(taker, &f->users[i]);
	if (why != NULL)
		snprintf(error, USERS_ERROR_MAX, "%s", why);
	return why != NULL ? -1 : fake_result(f, error);
}

static inline int fake_save(
	void *context, const struct user_record *user, char error[USERS_ERROR_MAX])
{
	struct fake_backend *f = context;
	size_t len = strlen(f->asked);

	snprintf(f->asked + len, sizeof(f->asked) - len, "save %s %s %s%s%s; ", user->name,
		user->hash, user->role == USER_ROLE_ADMIN ? "admin" : "user",
		*user->attributes == '\0' ? "" : " ", user->attributes);
	return fake_result(f, error);
}

static inline int fake_remove(
	void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX])
{
	struct fake_backend *f = context;
	size_t len = strlen(f->asked);

	snprintf(f->asked + len, sizeof(f->asked) - len, "remove %.*s; ", (int)name_len, name);
	return fake_result(f, error);
}

static inline void fake_nothing(void *context)
{
	(void)context;
}

static inline bool fake_never(void *context)
{
	(void)context;
	return false;
}

static inline struct users_backend fake_backend(struct fake_backend *f)
{
	return (struct users_backend){.context = f,
		.load = fake_load,
		.settle = fake_nothing,
		.is_outdated = fake_never,
		.save = fake_save,
		.remove = fake_remove,
		.free = fake_nothing};
}

#endif
