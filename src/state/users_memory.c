/*
 * Where there is no users file, whom an administrator adds lives as long as the server. A map of
 * records by name, each in one block.
 */
#include "state/users_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"

struct kept_user {
	struct user_record record; /* whose strings are behind it */
	char text[];
};

static int refuse_for_memory(const char *name, char *error)
{
	snprintf(error, USERS_ERROR_MAX, "%s cannot be kept: out of memory", name);
	return -1;
}

static struct kept_user *copy_user(const struct user_record *record, const char *attributes)
{
	size_t hash_size = strlen(record->hash) + 1, size = strlen(attributes) + 1;
	struct kept_user *k = malloc(sizeof(*k) + record->name_len + 1 + hash_size + size);
	char *end;

	if (k == NULL)
		return NULL;
	k->record = *record;
	k->record.name = k->text;
	end = mempcpy(k->text, record->name, record->name_len);
	*end++ = '\0';
	k->record.hash = memcpy(end, record->hash, hash_size);
	k->record.attributes = memcpy(end + hash_size, attributes, size);
	return k;
}

static int load_all(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	const struct kept_user *k;
	size_t position = 0;

	while ((k = hashmap_next(context, &position)) != NULL) {
		const char *why = take(taker, &k->record);

		if (why == NULL)
			continue;
		snprintf(error, USERS_ERROR_MAX, "%.480s: %.500s", k->record.name, why);
		return -1;
	}
	return 0;
}

static void settle_nothing(void *context)
{
	(void)context;
}

static bool is_never_outdated(void *context)
{
	(void)context;
	return false;
}

static int save_here(void *context, const struct user_record *user, char error[USERS_ERROR_MAX])
{
	const struct kept_user *there = hashmap_get(context, user->name, user->name_len);
	struct kept_user *k = copy_user(user,
		there != NULL && !user->sets_attributes ? there->record.attributes
							: user->attributes);
	void *old;

	if (k == NULL || hashmap_put(context, k->record.name, k->record.name_len, k, &old) < 0) {
		free(k);
		return refuse_for_memory(user->name, error);
	}
	free(old);
	return 0;
}

static int remove_here(
	void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX])
{
	(void)error;
	free(hashmap_remove(context, name, name_len));
	return 0;
}

static void free_all_kept(void *context)
{
	hashmap_free(context, free);
}

struct users_backend users_memory_backend(void)
{
	return (struct users_backend){.context = hashmap_new(0),
		.load = load_all,
		.settle = settle_nothing,
		.is_outdated = is_never_outdated,
		.save = save_here,
		.remove = remove_here,
		.free = free_all_kept};
}
