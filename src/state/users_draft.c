/*
 * All users at once are put into the place of those there were, in two steps: they are read, which
 * may fail, into a map of their own; then the maps change places, and what lives of those who stay
 * (their entries, what was verified) goes over.
 */
#include "state/login_helper.h"
#include "state/users_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct users_difference keep_all_known(const struct hashmap *from, struct hashmap *to)
{
	struct users_difference d = {.added = hashmap_count(to)};
	size_t position = 0;
	struct user *old;

	while ((old = hashmap_next(from, &position)) != NULL) {
		struct user *new = hashmap_get(to, old->name, old->name_len);

		if (new == NULL) {
			d.gone++;
			continue;
		}
		d.added--;
		d.changed += !user_is_as_recorded(old,
			&(struct user_record){.hash = new->hash,
				.role = new->role,
				.attributes = new->attributes});
		users_keep_known(old, new);
	}
	return d;
}

struct users_draft {
	struct users *users;
	struct hashmap *map, *cases;
	struct kinds_in_use kinds;
};

static const char *take_user(void *taker, const struct user_record *record)
{
	struct users_draft *draft = taker;
	struct user *user;
	void *old;

	if (hashmap_get(draft->map, record->name, record->name_len) != NULL)
		return "this name was there already further up";
	user = users_make_user(draft->users, record);
	if (user == NULL || hashmap_reserve(draft->cases, 1) < 0 ||
		hashmap_put(draft->map, user->name, user->name_len, user, &old) < 0) {
		users_free_user(user);
		return "out of memory";
	}
	users_add_case(draft->cases, user);
	if (!user_is_of_helper(user))
		draft->kinds.users[user->kind]++;
	return NULL;
}

struct users_draft *users_read(struct users *u, char error[USERS_ERROR_MAX])
{
	struct users_draft *draft = calloc(1, sizeof(*draft));

	if (draft != NULL) {
		draft->users = u;
		draft->map = hashmap_new(0);
		draft->cases = hashmap_new(0);
	}
	if (draft == NULL || draft->map == NULL || draft->cases == NULL)
		snprintf(error, USERS_ERROR_MAX, "users: out of memory");
	else if (u->backend.load(u->backend.context, take_user, draft, error) == 0) {
		users_weigh_kinds(u, &draft->kinds);
		return draft;
	}
	users_draft_free(draft);
	return NULL;
}

size_t users_draft_count(const struct users_draft *draft)
{
	return hashmap_count(draft->map);
}

bool users_draft_limits(const struct users_draft *draft, const char *name, struct limits *out)
{
	return users_read_limits(draft->map, name, out);
}

bool users_draft_have_group(const struct users_draft *draft, const char *group)
{
	return users_map_has_group(draft->map, group);
}

void users_draft_free(struct users_draft *draft)
{
	if (draft == NULL)
		return;
	hashmap_free(draft->map, users_free_user);
	hashmap_free(draft->cases, free);
	free(draft);
}

/* Lets those go whose entry nobody has taken over. Whoever has a session has joined by now: the map
 * is not theirs any more. A session that was not seen by `farewell` sees that its user retired. */
static void retire_the_gone(struct hashmap *old, users_farewell *farewell, void *context)
{
	size_t position = 0;
	struct user *user;

	while ((user = hashmap_next(old, &position)) != NULL) {
		bool has_sessions = user->entry != NULL && ledger_read(user->entry).sessions > 0;

		if (user->is_replaced || user->entry == NULL)
			continue;
		ledger_retire_user(user->entry);
		user->entry = NULL;
		if (farewell != NULL)
			farewell(context, user->name, user->name_len, has_sessions);
	}
}

/* Visitors of whom something is kept from now on. */
static struct user *replace_visitors_locked(struct users *u) REQUIRES(&u->lock)
{
	struct user *user, *visitor, *gone = NULL;
	size_t position = 0;

	if (u->visitors == NULL || hashmap_count(u->visitors) == 0)
		return NULL;
	while ((user = hashmap_next(u->map, &position)) != NULL) {
		visitor = users_replace_visitor_locked(u, user);
		if (visitor == NULL)
			continue;
		visitor->next = gone;
		gone = visitor;
	}
	return gone;
}

static void free_all(struct user *users)
{
	while (users != NULL) {
		struct user *next = users->next;

		users_free_user(users);
		users = next;
	}
}

struct users_difference users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context)
{
	struct users_difference difference;
	struct user *visitors;
	struct hashmap *old, *old_cases;

	rwlock_write(&u->lock);
	old = u->map;
	old_cases = u->cases;
	difference = keep_all_known(old, draft->map);
	u->map = draft->map;
	u->cases = draft->cases;
	visitors = replace_visitors_locked(u);
	users_settle_locked(u, &draft->kinds);
	rwlock_write_unlock(&u->lock);
	draft->map = old;
	draft->cases = old_cases;
	free_all(visitors);
	if (u->helper != NULL)
		login_helper_forget(u->helper, NULL);
	/* Whose limits cannot be kept for want of memory keeps those that he has. */
	(void)!users_follow_all(u);
	u->backend.settle(u->backend.context);
	retire_the_gone(old, farewell, context);
	users_draft_free(draft);
	return difference;
}

int users_load(struct users *u, char error[USERS_ERROR_MAX])
{
	struct users_draft *draft;

	if (!u->are_kept)
		return 0;
	draft = users_read(u, error);
	if (draft == NULL)
		return -1;
	(void)users_put_into_effect(u, draft, NULL, NULL);
	return 0;
}
