#include "state/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"

struct census {
	struct hashmap *by_name;
	struct census_user **users; /* those of the map, sorted */
	size_t count;
};

static struct census_user *find_or_add(struct hashmap *map, const struct session_info *info)
{
	struct census_user *u = hashmap_get(map, info->user, info->user_len);
	void *old;

	if (u != NULL)
		return u;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->name_len = info->user_len;
	memcpy(u->name, info->user, info->user_len);
	if (hashmap_put(map, u->name, u->name_len, u, &old) < 0) {
		free(u);
		return NULL;
	}
	return u;
}

static int count_sessions(struct hashmap *map, struct registry *r)
{
	size_t count;
	struct session_ref *refs = registry_list(r, &count);
	struct session_info info;
	struct census_user *u;
	int result = refs == NULL ? -1 : 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		if (!registry_get(r, &refs[i], &info) || info.user_len == 0)
			continue;
		u = find_or_add(map, &info);
		if (u == NULL) {
			result = -1;
		} else {
			u->sessions++;
			u->sent += info.traffic.sent;
			u->received += info.traffic.received;
		}
	}
	free(refs);
	return result;
}

static int compare_names(const void *a, const void *b)
{
	const struct census_user *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int sort(struct census *c)
{
	size_t position = 0;
	struct census_user *u;

	c->users = calloc(hashmap_count(c->by_name) + 1, sizeof(struct census_user *));
	if (c->users == NULL)
		return -1;
	while ((u = hashmap_next(c->by_name, &position)) != NULL)
		c->users[c->count++] = u;
	qsort(c->users, c->count, sizeof(struct census_user *), compare_names);
	return 0;
}

struct census *census_take(struct registry *r)
{
	struct census *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->by_name = hashmap_new(0);
	if (c->by_name == NULL || count_sessions(c->by_name, r) < 0 || sort(c) < 0) {
		census_free(c);
		return NULL;
	}
	return c;
}

void census_free(struct census *c)
{
	if (c == NULL)
		return;
	hashmap_free(c->by_name, free);
	free(c->users);
	free(c);
}

size_t census_count(const struct census *c)
{
	return c->count;
}

const struct census_user *census_at(const struct census *c, size_t index)
{
	return c->users[index];
}

const struct census_user *census_find(const struct census *c, const char *name, size_t len)
{
	return hashmap_get(c->by_name, name, len);
}
