/*
 * One user changes: all that could fail is done first, then the backend keeps it, then the map has
 * it.
 */
#include "state/login_helper.h"
#include "state/users_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static int refuse_change(char *error, const char *name, const char *why)
{
	snprintf(error, USERS_ERROR_MAX, "%s %s", name, why);
	return -1;
}

static int make_room_in_map(struct users *u)
{
	int result;

	rwlock_write(&u->lock);
	result = hashmap_reserve(u->map, 1) < 0 ? -1 : hashmap_reserve(u->cases, 1);
	rwlock_write_unlock(&u->lock);
	return result;
}

/* The kinds once `old` is out of the map and `new` in it; NULL: nobody. */
static void count_kinds(
	struct users *u, const struct user *old, const struct user *new, struct kinds_in_use *k)
{
	memcpy(k->users, u->of_kind, sizeof(k->users));
	if (old != NULL && !user_is_of_helper(old))
		k->users[old->kind]--;
	if (new != NULL && !user_is_of_helper(new))
		k->users[new->kind]++;
	users_weigh_kinds(u, k);
}

/* What was right for the account under what was known of it so far is to be asked anew. */
static void forget_answers(struct users *u, const char *name)
{
	if (u->helper != NULL)
		login_helper_forget(u->helper, name);
}

/* There is room for him. */
static void put_user(struct users *u, struct user *user)
{
	struct kinds_in_use kinds;
	struct user *visitor = NULL;
	void *old = NULL;
	int result;

	count_kinds(u, users_find(u, user->name, user->name_len), user, &kinds);
	rwlock_write(&u->lock);
	result = hashmap_put(u->map, user->name, user->name_len, user, &old);
	assert(result == 0);
	if (old != NULL) {
		users_keep_known(old, user);
	} else {
		users_add_case(u->cases, user);
		visitor = users_replace_visitor_locked(u, user);
	}
	users_settle_locked(u, &kinds);
	rwlock_write_unlock(&u->lock);
	users_free_user(old);
	users_free_user(visitor);
	forget_answers(u, user->name);
	(void)!users_follow_limits(u, user->name, user->name_len);
}

/* First at the backend, where it is to be kept, then in the map: all that could fail there was done
 * before. */
static int put_record(
	struct users *u, const struct user_record *record, bool is_to_be_kept, char *error)
{
	struct user *user = users_make_user(u, record);
	const struct users_backend *b = &u->backend;

	if (user == NULL || make_room_in_map(u) < 0) {
		users_free_user(user);
		return refuse_change(error, record->name, "cannot be kept: out of memory");
	}
	if (is_to_be_kept && b->save(b->context, record, error) < 0) {
		users_free_user(user);
		return -1;
	}
	put_user(u, user);
	return 0;
}

static int store_user(struct users *u, const struct user_record *record, char *error)
{
	const char *why =
		users_helper_problem(record->name, record->name_len, record->hash, record->role);

	if (why != NULL)
		return refuse_change(error, record->name, why);
	return put_record(u, record, u->are_kept, error);
}

static struct user_record record_of(const char *name, const char *hash, enum user_role role)
{
	return (struct user_record){.name = name,
		.name_len = strlen(name),
		.hash = hash,
		.role = role,
		.attributes = ""};
}

int users_add(struct users *u, const char *name, const char *hash, enum user_role role,
	char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, role);

	if (users_find(u, name, record.name_len) != NULL)
		return refuse_change(error, name, "exists already");
	return store_user(u, &record, error);
}

int users_add_limited(struct users *u, const char *name, const char *hash, const char *attributes,
	char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, USER_ROLE_USER);

	if (users_find(u, name, record.name_len) != NULL)
		return refuse_change(error, name, "exists already");
	record.attributes = attributes;
	return store_user(u, &record, error);
}

/* Whoever is kept, or has come by a helper, who is kept from now on. */
static int record_of_known(
	struct users *u, const char *name, struct user_record *record, char *error)
{
	const struct user *user = users_find(u, name, strlen(name));

	if (user == NULL && !users_have(u, name, strlen(name)))
		return refuse_change(error, name, "does not exist");
	*record = record_of(name, user == NULL ? USERS_OF_HELPER : user->hash,
		user == NULL ? USER_ROLE_USER : user->role);
	record->attributes = user == NULL ? "" : user->attributes;
	return 0;
}

int users_set_attributes(
	struct users *u, const char *name, const char *attributes, char error[USERS_ERROR_MAX])
{
	struct user_record record;

	if (record_of_known(u, name, &record, error) < 0)
		return -1;
	record.attributes = attributes;
	record.sets_attributes = true;
	return store_user(u, &record, error);
}

int users_set_password(
	struct users *u, const char *name, const char *hash, char error[USERS_ERROR_MAX])
{
	struct user_record record;

	if (record_of_known(u, name, &record, error) < 0)
		return -1;
	if (strcmp(record.hash, USERS_OF_HELPER) == 0)
		return refuse_change(error, name,
			"has a password that a helper knows, and it cannot be changed here");
	record.hash = hash;
	return store_user(u, &record, error);
}

static bool is_last_admin(struct users *u, const struct user *user)
{
	return user->role == USER_ROLE_ADMIN && users_count_admins(u) == 1;
}

int users_set_role(
	struct users *u, const char *name, enum user_role role, char error[USERS_ERROR_MAX])
{
	const struct user *old = users_find(u, name, strlen(name));
	struct user_record record;

	if (record_of_known(u, name, &record, error) < 0)
		return -1;
	if (role != USER_ROLE_ADMIN && old != NULL && is_last_admin(u, old))
		return refuse_change(error, name, "is the last admin and stays one");
	record.role = role;
	return store_user(u, &record, error);
}

int users_set_admin(
	struct users *u, const char *name, const char *hash, char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, USER_ROLE_ADMIN);
	const struct user *old = users_find(u, name, record.name_len);

	if (old != NULL)
		record.attributes = old->attributes;
	return store_user(u, &record, error);
}

int users_suppose(struct users *u, const char *name, char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, "*", USER_ROLE_ADMIN);

	if (users_find(u, name, record.name_len) != NULL)
		return 0;
	return put_record(u, &record, false, error);
}

/* Out of the map; to be freed. */
static struct user *take_out(struct users *u, const char *name, size_t len)
{
	struct kinds_in_use kinds;
	struct user *user;

	count_kinds(u, users_find(u, name, len), NULL, &kinds);
	rwlock_write(&u->lock);
	user = hashmap_remove(u->map, name, len);
	users_drop_case(u->cases, name, len);
	users_settle_locked(u, &kinds);
	rwlock_write_unlock(&u->lock);
	forget_answers(u, name);
	return user;
}

/* Of whom nothing is kept. False when there is none of that name. */
static bool take_visitor_out(struct users *u, const char *name, size_t len)
{
	struct user *visitor = NULL;

	rwlock_write(&u->lock);
	if (u->visitors != NULL)
		visitor = hashmap_remove(u->visitors, name, len);
	rwlock_write_unlock(&u->lock);
	users_free_user(visitor);
	forget_answers(u, name);
	return visitor != NULL;
}

int users_remove(struct users *u, const char *name, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(name);
	const struct user *user = users_find(u, name, len);
	const struct users_backend *b = &u->backend;

	if (user == NULL && take_visitor_out(u, name, len))
		return 0;
	if (user == NULL)
		return refuse_change(error, name, "does not exist");
	if (is_last_admin(u, user))
		return refuse_change(error, name, "is the last admin and stays");
	if (u->are_kept && b->remove(b->context, name, len, error) < 0)
		return -1;
	users_free_user(take_out(u, name, len));
	return 0;
}

const char *users_give(struct users *u, const char *name, users_taker *take, void *taker)
{
	const struct user *user = users_find(u, name, strlen(name));
	struct user_record record;

	if (user == NULL)
		return "nothing is kept of such a user";
	record = record_of(user->name, user->hash, user->role);
	record.attributes = user->attributes;
	/* cppcheck-suppress returnDanglingLifetime ; a text, and never the record's */
	return take(taker, &record);
}

/* ---- what others have changed ---- */

struct taking {
	struct users *users;
	struct user *made; /* NULL: he is as he was */
};

static const char *take_fetched(void *taker, const struct user_record *record)
{
	struct taking *t = taker;
	const struct user *there = users_find(t->users, record->name, record->name_len);

	if (there != NULL && user_is_as_recorded(there, record))
		return NULL;
	t->made = users_make_user(t->users, record);
	return t->made != NULL && make_room_in_map(t->users) == 0 ? NULL : "out of memory";
}

/* No session of his begins any more; one that `farewell` does not see sees that he retired. */
static void let_go(struct users *u, const char *name, users_farewell *farewell, void *context)
{
	struct user *user = take_out(u, name, strlen(name));
	bool has_sessions = ledger_read(user->entry).sessions > 0;

	ledger_retire_user(user->entry);
	user->entry = NULL;
	if (farewell != NULL)
		farewell(context, user->name, user->name_len, has_sessions);
	users_free_user(user);
}

int users_take(struct users *u, const char *name, users_farewell *farewell, void *context,
	struct users_difference *difference, char error[USERS_ERROR_MAX])
{
	const struct users_backend *b = &u->backend;
	bool is_there = users_find(u, name, strlen(name)) != NULL;
	struct taking t = {.users = u};
	int result = b->fetch(b->context, name, strlen(name), take_fetched, &t, error);

	*difference = (struct users_difference){
		.added = result > 0 && t.made != NULL && !is_there,
		.changed = result > 0 && t.made != NULL && is_there,
		.gone = result == 0 && is_there,
	};
	if (result < 0)
		users_free_user(t.made);
	else if (t.made != NULL)
		put_user(u, t.made);
	else if (difference->gone > 0)
		let_go(u, name, farewell, context);
	return result < 0 ? -1 : 0;
}
