/*
 * Users are in a map by name. Each has what the backend keeps of him, an entry in the ledger, what
 * may keep him from logging in, and the keyed hash of a password that was right.
 */
#include "state/users_parts.h"

#include <stdlib.h>
#include <string.h>

#include "state/ledger_limits.h"

/* ---- one user ---- */

const struct user *users_find(struct users *u, const char *name, size_t len)
{
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, name, len);
	rwlock_read_unlock(&u->lock);
	return user;
}

static struct user *copy_record(const struct user_record *record)
{
	size_t hash_size = strlen(record->hash) + 1;
	size_t attributes_size = strlen(record->attributes) + 1;
	struct user *user =
		calloc(1, sizeof(*user) + record->name_len + 1 + hash_size + attributes_size);
	char *end;

	if (user == NULL)
		return NULL;
	user->role = record->role;
	user->name_len = record->name_len;
	end = mempcpy(user->name, record->name, record->name_len);
	*end++ = '\0';
	user->hash = end;
	end = mempcpy(end, record->hash, hash_size);
	user->attributes = end;
	memcpy(end, record->attributes, attributes_size);
	return user;
}

static void find_limits(const struct users *u, const struct user *user, struct limits_in_force *out,
	struct limit_sources *sources)
{
	struct limits own = {.said = {0}};
	char why[LIMITS_ERROR_MAX];

	/* The backend has looked at it. */
	(void)limits_parse(user->attributes, LIMITS_OF_USER, &own, why);
	if (u->book != NULL)
		limit_book_of_user(u->book, &own, out, sources);
	else
		*out = (struct limits_in_force){.is_kept_out = false};
}

/* What may keep the user from logging in; NULL: nothing does. -1 without memory. */
static int find_bar(const struct users *u, const struct user *user, struct limits_in_force **out)
{
	struct limits_in_force in_force;

	*out = NULL;
	find_limits(u, user, &in_force, NULL);
	if (!in_force.is_kept_out && !limits_have(&in_force.limits, LIMIT_EXPIRES) &&
		!limits_have(&in_force.limits, LIMIT_FROM))
		return 0;
	*out = malloc(sizeof(**out));
	if (*out == NULL)
		return -1;
	**out = in_force;
	return 0;
}

/* Whoever replaces somebody of that name gets that one's entry when he does. */
struct user *users_make_user(struct users *u, const struct user_record *record)
{
	struct user *user = copy_record(record);

	if (user == NULL)
		return NULL;
	user->kind = hash_kinds_find(&u->kinds, user->hash);
	user->epoch = ++u->epochs;
	if (find_bar(u, user, &user->bar) < 0) {
		free(user);
		return NULL;
	}
	if (users_find(u, record->name, record->name_len) != NULL)
		return user;
	user->entry = ledger_add_user(u->ledger, record->name, record->name_len);
	if (user->entry == NULL) {
		free(user->bar);
		free(user);
		return NULL;
	}
	return user;
}

int users_limit_entry(const struct users *u, const struct user *user)
{
	struct limits_in_force in_force;

	if (u->book == NULL)
		return 0;
	find_limits(u, user, &in_force, NULL);
	return ledger_limit_user(user->entry, &in_force);
}

/* NULL is allowed. */
void users_free_user(void *memory)
{
	struct user *user = memory;

	if (user != NULL && user->entry != NULL)
		ledger_retire_user(user->entry);
	if (user != NULL)
		free(user->bar);
	free(user);
}

/* ---- making ---- */

static void free_backend(const struct users_backend *backend)
{
	if (backend != NULL && backend->context != NULL)
		backend->free(backend->context);
}

struct users *users_new(
	struct hashing *hashing, struct ledger *ledger, const struct users_backend *backend)
{
	bool is_whole = backend == NULL || backend->context != NULL;
	struct users *u = is_whole ? calloc(1, sizeof(*u)) : NULL;

	if (u != NULL)
		u->map = hashmap_new(0);
	if (u == NULL || u->map == NULL || password_decoy(u->decoy) < 0) {
		if (u != NULL)
			hashmap_free(u->map, NULL);
		free(u);
		free_backend(backend);
		return NULL;
	}
	rwlock_init(&u->lock);
	u->hashing = hashing;
	u->ledger = ledger;
	u->are_kept = backend != NULL;
	if (backend != NULL)
		u->backend = *backend;
	crypto_generichash_keygen(u->key);
	return u;
}

void users_free(struct users *u)
{
	if (u == NULL)
		return;
	hashmap_free(u->map, users_free_user);
	hashmap_free(u->given, free);
	free_backend(u->are_kept ? &u->backend : NULL);
	rwlock_destroy(&u->lock);
	sodium_memzero(u->key, sizeof(u->key));
	free(u);
}

bool users_are_kept(const struct users *u)
{
	return u->are_kept;
}

bool users_are_outdated(const struct users *u)
{
	return u->are_kept && u->backend.is_outdated(u->backend.context);
}

/* ---- one in the place of another ---- */

static bool is_kept_out(const struct limits_in_force *bar)
{
	return bar != NULL && bar->is_kept_out;
}

void users_keep_known(struct user *old, struct user *new)
{
	bool is_same_hash = strcmp(old->hash, new->hash) == 0;

	new->entry = old->entry;
	old->entry = NULL;
	if (is_same_hash && old->role == new->role &&is_kept_out(old->bar) == is_kept_out(new->bar))
		new->epoch = old->epoch;
	if (old->has_tag && is_same_hash) {
		memcpy(new->tag, old->tag, sizeof(new->tag));
		new->has_tag = true;
	}
}

void users_weigh_kinds(struct users *u, struct kinds_in_use *k)
{
	k->dearest = hash_kinds_in_use(k->users) == 0 ? HASH_KINDS_MAX
						      : hash_kinds_dearest(&u->kinds, k->users);
}

void users_settle_locked(struct users *u, const struct kinds_in_use *k) REQUIRES(&u->lock)
{
	memcpy(u->of_kind, k->users, sizeof(u->of_kind));
	if (k->dearest < HASH_KINDS_MAX)
		strcpy(u->decoy, u->kinds.kinds[k->dearest].sample);
	for (size_t i = 0; i < HASH_KINDS_MAX; i++)
		u->is_cheap[i] = i != k->dearest;
	atomic_store(&u->count, hashmap_count(u->map));
}

/* ---- limits ---- */

static int follow_book(struct users *u, struct user *user)
{
	struct limits_in_force *fresh, *old;

	if (find_bar(u, user, &fresh) < 0)
		return -1;
	rwlock_write(&u->lock);
	old = user->bar;
	user->bar = fresh;
	if (is_kept_out(old) != is_kept_out(fresh))
		user->epoch = ++u->epochs;
	rwlock_write_unlock(&u->lock);
	free(old);
	return users_limit_entry(u, user);
}

int users_follow(struct users *u, struct limit_book *book)
{
	size_t position = 0;
	struct user *user;
	int result = 0;

	u->book = book;
	while ((user = hashmap_next(u->map, &position)) != NULL)
		result = follow_book(u, user) < 0 ? -1 : result;
	return result;
}

/* ---- what is known of users ---- */

bool users_have(struct users *u, const char *name, size_t name_len)
{
	bool have;

	rwlock_read(&u->lock);
	have = hashmap_get(u->map, name, name_len) != NULL;
	rwlock_read_unlock(&u->lock);
	return have;
}

int users_note_given(struct users *u, const char *name)
{
	size_t len = strlen(name);
	char *copy;
	void *old = NULL;

	if (u->given == NULL)
		u->given = hashmap_new(0);
	copy = u->given == NULL ? NULL : strdup(name);
	if (copy == NULL || hashmap_put(u->given, copy, len, copy, &old) < 0) {
		free(copy);
		return -1;
	}
	free(old);
	return 0;
}

bool users_are_given(const struct users *u, const char *name)
{
	if (u->given == NULL)
		return false;
	return name == NULL || hashmap_get(u->given, name, strlen(name)) != NULL;
}

bool users_have_mixed_hashes(const struct users *u)
{
	return hash_kinds_in_use(u->of_kind) > 1;
}

size_t users_count(struct users *u)
{
	return atomic_load(&u->count);
}

size_t users_count_admins(struct users *u)
{
	size_t position = 0, count = 0;
	const struct user *user;

	rwlock_read(&u->lock);
	while (count < 2 && (user = hashmap_next(u->map, &position)) != NULL)
		count += user->role == USER_ROLE_ADMIN;
	rwlock_read_unlock(&u->lock);
	return count;
}

static enum user_state state_of(const struct user *user, int64_t now)
{
	const struct limits_in_force *h = user->bar;

	if (h != NULL && h->is_kept_out)
		return USER_DISABLED;
	if (h != NULL && limits_have(&h->limits, LIMIT_EXPIRES) && now >= h->limits.expires)
		return USER_EXPIRED;
	return ledger_read(user->entry).sessions > 0 ? USER_ACTIVE : USER_IDLE;
}

void users_count_states(struct users *u, int64_t now, size_t counts[USER_STATES])
{
	size_t position = 0;
	const struct user *user;

	memset(counts, 0, USER_STATES * sizeof(*counts));
	rwlock_read(&u->lock);
	while ((user = hashmap_next(u->map, &position)) != NULL)
		counts[state_of(user, now)]++;
	rwlock_read_unlock(&u->lock);
}

static size_t names_size_locked(struct users *u) REQUIRES_SHARED(&u->lock)
{
	size_t position = 0, size = 0;
	const struct user *user;

	while ((user = hashmap_next(u->map, &position)) != NULL)
		size += sizeof(char *) + user->name_len + 1;
	return size;
}

static size_t copy_names_locked(struct users *u, const char **names) REQUIRES_SHARED(&u->lock)
{
	char *text = (char *)(names + hashmap_count(u->map));
	size_t position = 0, count = 0;
	const struct user *user;

	while ((user = hashmap_next(u->map, &position)) != NULL) {
		memcpy(text, user->name, user->name_len + 1);
		names[count++] = text;
		text += user->name_len + 1;
	}
	return count;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **users_names(struct users *u, size_t *count)
{
	const char **names;

	rwlock_read(&u->lock);
	names = malloc(names_size_locked(u) + 1);
	*count = names == NULL ? 0 : copy_names_locked(u, names);
	rwlock_read_unlock(&u->lock);
	if (names != NULL)
		qsort(names, *count, sizeof(*names), compare_names);
	return names;
}

uint64_t users_password_mark(struct users *u, const char *name)
{
	uint64_t mark = 0;
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, name, strlen(name));
	if (user != NULL)
		crypto_generichash((unsigned char *)&mark, sizeof(mark),
			(const unsigned char *)user->hash, strlen(user->hash), u->key,
			sizeof(u->key));
	rwlock_read_unlock(&u->lock);
	return mark;
}

uint64_t users_login_epoch(struct users *u, const char *name)
{
	const struct user *user;
	uint64_t epoch;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, name, strlen(name));
	epoch = user != NULL ? user->epoch : 0;
	rwlock_read_unlock(&u->lock);
	return epoch;
}

bool users_get(struct users *u, const char *name, struct user_info *out)
{
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, name, strlen(name));
	if (user != NULL)
		*out = (struct user_info){.role = user->role, .figures = ledger_read(user->entry)};
	rwlock_read_unlock(&u->lock);
	return user != NULL;
}

bool users_read_limits(const struct hashmap *map, const char *name, struct limits *out)
{
	const struct user *user = hashmap_get(map, name, strlen(name));
	char why[LIMITS_ERROR_MAX];

	*out = (struct limits){.said = {0}};
	if (user != NULL)
		(void)limits_parse(user->attributes, LIMITS_OF_USER, out, why);
	return user != NULL;
}

static bool is_in_group(const struct hashmap *map, const char *name, const char *group)
{
	struct limits limits;

	return users_read_limits(map, name, &limits) &&
		limits_in_group(limits.groups, group, strlen(group));
}

bool users_map_has_group(const struct hashmap *map, const char *group)
{
	size_t position = 0;
	const struct user *user;

	while ((user = hashmap_next(map, &position)) != NULL) {
		if (is_in_group(map, user->name, group))
			return true;
	}
	return false;
}

bool users_own_limits(struct users *u, const char *name, struct limits *out)
{
	bool found;

	rwlock_read(&u->lock);
	found = users_read_limits(u->map, name, out);
	rwlock_read_unlock(&u->lock);
	return found;
}

bool users_is_in_group(struct users *u, const char *name, const char *group)
{
	bool is_in;

	rwlock_read(&u->lock);
	is_in = is_in_group(u->map, name, group);
	rwlock_read_unlock(&u->lock);
	return is_in;
}

bool users_have_group(struct users *u, const char *group)
{
	bool found;

	rwlock_read(&u->lock);
	found = users_map_has_group(u->map, group);
	rwlock_read_unlock(&u->lock);
	return found;
}
