/*
 * Users are in a map by name. Each has what the backend keeps of him, an entry in the ledger, what
 * may keep him from logging in, and the keyed hash of a password that was right. Those of whom
 * nothing is kept, since only a helper knows them, are in a map of their own (users_directory.c).
 */
#include "state/users_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/ledger_limits.h"
#include "state/login_helper.h"

/* ---- one user ---- */

struct user *users_get_locked(const struct users *u, const char *name, size_t len)
{
	struct user *user = hashmap_get(u->map, name, len);

	return user != NULL || u->visitors == NULL ? user : hashmap_get(u->visitors, name, len);
}

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

/* What the line says; the backend has looked at it. */
static void read_line_of(const struct user *user, struct limits *out)
{
	char why[LIMITS_ERROR_MAX];

	*out = (struct limits){.said = {0}};
	(void)limits_parse(user->attributes, LIMITS_OF_USER, out, why);
}

/* Adds those that are not there yet; there is room for as many as either may say. */
static void add_groups(struct limits *limits, const char *groups)
{
	size_t used = strlen(limits->groups);

	while (*groups != '\0') {
		size_t len = strcspn(groups, ",");

		if (!limits_in_group(limits->groups, groups, len)) {
			used += (size_t)snprintf(limits->groups + used,
				sizeof(limits->groups) - used, "%s%.*s", used > 0 ? "," : "",
				(int)len, groups);
		}
		groups += len + (groups[len] == ',');
	}
	limits->said[LIMIT_GROUPS] = LIMIT_SAID;
}

void users_say_limits(const struct user *user, struct limits *out)
{
	read_line_of(user, out);
	if (user->groups != NULL)
		add_groups(out, user->groups);
}

int users_make_bar(const struct limits_in_force *in_force, struct limits_in_force **out)
{
	*out = NULL;
	if (!in_force->is_kept_out && !limits_have(&in_force->limits, LIMIT_EXPIRES) &&
		!limits_have(&in_force->limits, LIMIT_FROM))
		return 0;
	*out = malloc(sizeof(**out));
	if (*out == NULL)
		return -1;
	**out = *in_force;
	return 0;
}

/* Of a user whom nobody else sees yet: what may keep him out and, where he has an entry, what that
 * is held to. */
static int hold_to_book(const struct users *u, struct user *user)
{
	struct limit_book *book = u->book;
	struct limits_in_force in_force;
	struct limits own;

	if (book == NULL)
		return 0;
	users_say_limits(user, &own);
	limit_book_of_user(book, &own, &in_force, NULL);
	if (users_make_bar(&in_force, &user->bar) < 0)
		return -1;
	return user->entry == NULL ? 0 : ledger_limit_user(user->entry, &in_force);
}

/* Whoever replaces somebody of that name gets that one's entry when he does. */
struct user *users_make_user(struct users *u, const struct user_record *record)
{
	struct user *user = copy_record(record);

	if (user == NULL)
		return NULL;
	user->kind = strcmp(user->hash, USERS_OF_HELPER) == 0
		? HASH_KINDS_MAX
		: hash_kinds_find(&u->kinds, user->hash);
	user->epoch = user->version = ++u->epochs;
	if (users_prepare_case(user) < 0 || hold_to_book(u, user) < 0) {
		users_free_user(user);
		return NULL;
	}
	if (users_find(u, record->name, record->name_len) != NULL)
		return user;
	user->entry = ledger_add_user(u->ledger, record->name, record->name_len);
	if (user->entry == NULL) {
		users_free_user(user);
		return NULL;
	}
	return user;
}

struct user *users_make_visitor(struct users *u, const char *name, const char *groups)
{
	const struct user_record record = {.name = name,
		.name_len = strlen(name),
		.hash = USERS_OF_HELPER,
		.role = USER_ROLE_USER,
		.attributes = ""};
	struct user *user = copy_record(&record);

	if (user == NULL)
		return NULL;
	user->kind = HASH_KINDS_MAX;
	user->epoch = user->version = ++u->epochs;
	user->groups = *groups == '\0' ? NULL : strdup(groups);
	user->entry = ledger_add_user(u->ledger, name, record.name_len);
	if ((user->groups != NULL || *groups == '\0') && user->entry != NULL &&
		hold_to_book(u, user) == 0)
		return user;
	users_free_user(user);
	return NULL;
}

/* NULL is allowed. */
void users_free_user(void *memory)
{
	struct user *user = memory;

	if (user != NULL && user->entry != NULL)
		ledger_retire_user(user->entry);
	if (user != NULL) {
		free(user->bar);
		free(user->groups);
		free(user->lower);
	}
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

	if (u != NULL) {
		u->map = hashmap_new(0);
		u->cases = hashmap_new(0);
	}
	if (u == NULL || u->map == NULL || u->cases == NULL || password_decoy(u->decoy) < 0) {
		if (u != NULL) {
			hashmap_free(u->map, NULL);
			hashmap_free(u->cases, NULL);
		}
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
	hashmap_free(u->cases, free);
	hashmap_free(u->visitors, users_free_user);
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
	struct ledger_entry *spare = new->entry;

	new->entry = old->entry;
	old->entry = spare; /* of who took the place of a visitor; goes with him */
	old->is_replaced = true;
	if (is_same_hash && user_is_of_helper(new)) {
		new->groups = old->groups;
		old->groups = NULL;
	}
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

/* What a user's limits depend on, as it was at one moment, and his entry, which is held. */
struct basis {
	struct limits own;
	uint64_t version, book_version;
	struct ledger_entry *entry;
};

/* False when there is no such user. */
static bool take_basis(
	struct users *u, struct limit_book *book, const char *name, size_t len, struct basis *out)
{
	const struct user *user;

	out->book_version = limit_book_version(book);
	rwlock_read(&u->lock);
	user = users_get_locked(u, name, len);
	if (user != NULL) {
		users_say_limits(user, &out->own);
		out->version = user->version;
		out->entry = user->entry;
		ledger_hold_user(out->entry);
	}
	rwlock_read_unlock(&u->lock);
	return user != NULL;
}

/* Unless the user has become another one meanwhile. */
static void put_bar(struct users *u, const char *name, size_t len, const struct basis *b,
	struct limits_in_force *fresh)
{
	struct limits_in_force *old = fresh;
	struct user *user;

	rwlock_write(&u->lock);
	user = users_get_locked(u, name, len);
	if (user != NULL && user->version == b->version) {
		old = user->bar;
		user->bar = fresh;
		if (is_kept_out(old) != is_kept_out(fresh))
			user->epoch = ++u->epochs;
	}
	rwlock_write_unlock(&u->lock);
	free(old);
}

static bool is_current(struct users *u, struct limit_book *book, const char *name, size_t len,
	const struct basis *b)
{
	const struct user *user;
	bool is_same;

	rwlock_read(&u->lock);
	user = users_get_locked(u, name, len);
	is_same = user == NULL || user->version == b->version;
	rwlock_read_unlock(&u->lock);
	return is_same && limit_book_version(book) == b->book_version;
}

/* Two threads may do so at once of one who is a helper's: then the one that has done it by what is
 * old already sees that behind it, and does it again. */
int users_follow_limits(struct users *u, const char *name, size_t len)
{
	struct limit_book *book = u->book;
	struct limits_in_force in_force, *bar;
	struct basis b;
	int result = 0;

	if (book == NULL)
		return 0;
	do {
		if (!take_basis(u, book, name, len, &b))
			return 0;
		limit_book_of_user(book, &b.own, &in_force, NULL);
		result = users_make_bar(&in_force, &bar);
		if (result == 0)
			put_bar(u, name, len, &b, bar);
		if (ledger_limit_user(b.entry, &in_force) < 0)
			result = -1;
		ledger_release_user(b.entry);
	} while (!is_current(u, book, name, len, &b));
	return result;
}

static int follow_visitors(struct users *u)
{
	size_t count = 0;
	const char **names = users_names(u, &count);
	int result = names == NULL ? -1 : 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names[i]);

		if (users_find(u, names[i], len) == NULL)
			result = users_follow_limits(u, names[i], len) < 0 ? -1 : result;
	}
	free(names);
	return result;
}

int users_follow_all(struct users *u)
{
	size_t position = 0;
	const struct user *user;
	int result = 0;

	while ((user = hashmap_next(u->map, &position)) != NULL) {
		if (users_follow_limits(u, user->name, user->name_len) < 0)
			result = -1;
	}
	if (u->visitors != NULL && follow_visitors(u) < 0)
		result = -1;
	return result;
}

int users_follow(struct users *u, struct limit_book *book)
{
	u->book = book;
	return users_follow_all(u);
}

/* ---- what is known of users ---- */

bool users_have(struct users *u, const char *name, size_t name_len)
{
	bool have;

	rwlock_read(&u->lock);
	have = users_get_locked(u, name, name_len) != NULL;
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

/* Walks both maps, each from the `position` that it has come to. */
struct walk {
	size_t kept, visitors;
};

static const struct user *next_locked(const struct users *u, struct walk *w)
	REQUIRES_SHARED(&u->lock)
{
	const struct user *user = hashmap_next(u->map, &w->kept);

	return user != NULL || u->visitors == NULL ? user : hashmap_next(u->visitors, &w->visitors);
}

static size_t count_locked(const struct users *u) REQUIRES_SHARED(&u->lock)
{
	return hashmap_count(u->map) + (u->visitors == NULL ? 0 : hashmap_count(u->visitors));
}

void users_count_states(struct users *u, int64_t now, size_t counts[USER_STATES])
{
	struct walk w = {0};
	const struct user *user;

	memset(counts, 0, USER_STATES * sizeof(*counts));
	rwlock_read(&u->lock);
	while ((user = next_locked(u, &w)) != NULL)
		counts[state_of(user, now)]++;
	rwlock_read_unlock(&u->lock);
}

static size_t names_size_locked(struct users *u) REQUIRES_SHARED(&u->lock)
{
	struct walk w = {0};
	const struct user *user;
	size_t size = 0;

	while ((user = next_locked(u, &w)) != NULL)
		size += sizeof(char *) + user->name_len + 1;
	return size;
}

static size_t copy_names_locked(struct users *u, const char **names) REQUIRES_SHARED(&u->lock)
{
	char *text = (char *)(names + count_locked(u));
	const struct user *user;
	struct walk w = {0};
	size_t count = 0;

	while ((user = next_locked(u, &w)) != NULL) {
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
	user = users_get_locked(u, name, strlen(name));
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
	user = users_get_locked(u, name, strlen(name));
	epoch = user != NULL ? user->epoch : 0;
	rwlock_read_unlock(&u->lock);
	return epoch;
}

bool users_get(struct users *u, const char *name, struct user_info *out)
{
	const struct user *user;

	rwlock_read(&u->lock);
	user = users_get_locked(u, name, strlen(name));
	if (user != NULL)
		*out = (struct user_info){.role = user->role, .figures = ledger_read(user->entry)};
	rwlock_read_unlock(&u->lock);
	return user != NULL;
}

bool users_read_limits(const struct hashmap *map, const char *name, struct limits *out)
{
	const struct user *user = hashmap_get(map, name, strlen(name));

	*out = (struct limits){.said = {0}};
	if (user != NULL)
		read_line_of(user, out);
	return user != NULL;
}

static bool is_in_group(const struct user *user, const char *group)
{
	struct limits limits;

	users_say_limits(user, &limits);
	return limits_in_group(limits.groups, group, strlen(group));
}

bool users_map_has_group(const struct hashmap *map, const char *group)
{
	size_t position = 0;
	const struct user *user;

	while ((user = hashmap_next(map, &position)) != NULL) {
		if (is_in_group(user, group))
			return true;
	}
	return false;
}

/* By `read`. */
static bool look_at_limits(struct users *u, const char *name,
	void (*read)(const struct user *user, struct limits *out), struct limits *out)
{
	const struct user *user;

	*out = (struct limits){.said = {0}};
	rwlock_read(&u->lock);
	user = users_get_locked(u, name, strlen(name));
	if (user != NULL)
		read(user, out);
	rwlock_read_unlock(&u->lock);
	return user != NULL;
}

bool users_own_limits(struct users *u, const char *name, struct limits *out)
{
	return look_at_limits(u, name, read_line_of, out);
}

bool users_said_limits(struct users *u, const char *name, struct limits *out)
{
	return look_at_limits(u, name, users_say_limits, out);
}

bool users_is_in_group(struct users *u, const char *name, const char *group)
{
	const struct user *user;
	bool is_in;

	rwlock_read(&u->lock);
	user = users_get_locked(u, name, strlen(name));
	is_in = user != NULL && is_in_group(user, group);
	rwlock_read_unlock(&u->lock);
	return is_in;
}

bool users_have_group(struct users *u, const char *group)
{
	bool found;

	rwlock_read(&u->lock);
	found = users_map_has_group(u->map, group) ||
		(u->visitors != NULL && users_map_has_group(u->visitors, group));
	rwlock_read_unlock(&u->lock);
	/* Who is in it may not have come yet. */
	return found || (u->helper != NULL && login_helper_asks_about(u->helper, group));
}
