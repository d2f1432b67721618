/*
 * A SOCKS client logs in with every connection, so the slow hash is paid once a password: after
 * that its account remembers a keyed hash of name, stored hash and password, which takes
 * microseconds to compare. The key is made at start and never leaves the process.
 *
 * An unknown name is checked against a decoy of the same cost as a known one's hash.
 */
#include "state/users.h"

#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "state/password.h"
#include "state/password.h"
#include "state/users_file.h"

#define TAG_SIZE 32

/* Atomics, since they are counted under the shared lock. */
struct account_counters {
	_Atomic(uint64_t) logins;
	_Atomic(uint64_t) sent, received;
	_Atomic(int64_t) last_login; /* seconds since 1970 */
};

struct account {
	enum user_role role;
	struct account_counters counters;
	bool has_tag; /* `tag` belongs to a password that was right */
	unsigned char tag[TAG_SIZE];
	size_t name_len;
	const char *hash; /* behind the name */
	char name[];
};

struct users {
	struct rwlock lock; /* map, decoy, and the tags in the accounts */
	struct hashmap *map;
	char decoy[PASSWORD_HASH_SIZE];
	char admin_decoy[PASSWORD_HASH_SIZE]; /* for whoever is no admin, where one is asked for */
	_Atomic(size_t) count;
	_Atomic(int64_t) check_ms; /* of the last slow check */

	struct hashing *hashing;
	unsigned char key[crypto_generichash_KEYBYTES];
};

/* ---- making and loading ---- */

struct users *users_new(struct hashing *hashing)
{
	struct users *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->map = hashmap_new(0);
	if (u->map == NULL || password_decoy(u->decoy) < 0 || password_decoy(u->admin_decoy) < 0) {
		hashmap_free(u->map, NULL);
		free(u);
		return NULL;
	}
	rwlock_init(&u->lock);
	u->hashing = hashing;
	crypto_generichash_keygen(u->key);
	return u;
}

void users_free(struct users *u)
{
	if (u == NULL)
		return;
	hashmap_free(u->map, free);
	rwlock_destroy(&u->lock);
	sodium_memzero(u->key, sizeof(u->key));
	free(u);
}

static struct account *account_new(const struct users_file_entry *entry)
{
	size_t hash_size = strlen(entry->hash) + 1;
	struct account *a = calloc(1, sizeof(*a) + entry->name_len + 1 + hash_size);
	char *hash;

	if (a == NULL)
		return NULL;
	a->role = entry->role;
	a->name_len = entry->name_len;
	memcpy(a->name, entry->name, entry->name_len);
	hash = a->name + entry->name_len + 1;
	memcpy(hash, entry->hash, hash_size);
	a->hash = hash;
	return a;
}

static const char *take_entry(void *context, const struct users_file_entry *entry)
{
	struct hashmap *map = context;
	struct account *a;
	void *old;

	if (hashmap_get(map, entry->name, entry->name_len) != NULL)
		return "this name was there already further up";
	a = account_new(entry);
	if (a == NULL || hashmap_put(map, a->name, a->name_len, a, &old) < 0) {
		free(a);
		return "out of memory";
	}
	return NULL;
}

/* What was counted, and what was verified under the same hash, stays so. Nobody counts meanwhile:
 * the lock is held, or the account is in no map yet. */
static void keep_known(const struct account *old, struct account *new)
{
	struct account_counters *c = &new->counters;

	atomic_store(&c->logins, atomic_load(&old->counters.logins));
	atomic_store(&c->sent, atomic_load(&old->counters.sent));
	atomic_store(&c->received, atomic_load(&old->counters.received));
	atomic_store(&c->last_login, atomic_load(&old->counters.last_login));
	if (old->has_tag && strcmp(old->hash, new->hash) == 0) {
		memcpy(new->tag, old->tag, sizeof(new->tag));
		new->has_tag = true;
	}
}

static void keep_all_known(const struct hashmap *from, struct hashmap *to)
{
	size_t position = 0;
	const struct account *old;

	while ((old = hashmap_next(from, &position)) != NULL) {
		struct account *new = hashmap_get(to, old->name, old->name_len);

		if (new != NULL)
			keep_known(old, new);
	}
}

/* One of the hashes that those who are asked about have; what there was before stays otherwise. */
static void set_decoys_locked(struct users *u) REQUIRES(&u->lock)
{
	size_t position = 0;
	const struct account *any = hashmap_next(u->map, &position), *a = any;

	if (any != NULL)
		strcpy(u->decoy, any->hash);
	while (a != NULL && a->role != USER_ROLE_ADMIN)
		a = hashmap_next(u->map, &position);
	if (a != NULL)
		strcpy(u->admin_decoy, a->hash);
}

int users_load(struct users *u, const char *path, char error[USERS_ERROR_MAX])
{
	struct hashmap *map = hashmap_new(0);
	struct hashmap *old;

	if (map == NULL) {
		snprintf(error, USERS_ERROR_MAX, "%s: out of memory", path);
		return -1;
	}
	if (users_file_read(path, take_entry, map, error) < 0) {
		hashmap_free(map, free);
		return -1;
	}
	rwlock_write(&u->lock);
	old = u->map;
	keep_all_known(old, map);
	u->map = map;
	set_decoys_locked(u);
	atomic_store(&u->count, hashmap_count(map));
	rwlock_write_unlock(&u->lock);
	hashmap_free(old, free);
	return 0;
}

static int put_account(struct users *u, struct account *a)
{
	void *old = NULL;
	int result;

	rwlock_write(&u->lock);
	result = hashmap_put(u->map, a->name, a->name_len, a, &old);
	if (result == 0 && old != NULL)
		keep_known(old, a);
	if (result == 0)
		set_decoys_locked(u);
	atomic_store(&u->count, hashmap_count(u->map));
	rwlock_write_unlock(&u->lock);
	free(result == 0 ? old : a);
	return result;
}

/* ---- rules for names and passwords ---- */

const char *users_name_problem(const char *name, size_t len)
{
	if (len == 0 || len > USERS_NAME_MAX)
		return "a user name has 1 to 255 bytes";
	if (name[0] == '#')
		return "a user name does not begin with #";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || c == ':')
			return "a user name has no blanks, colons or control characters";
	}
	return NULL;
}

const char *users_password_problem(const char *password)
{
	size_t len = strlen(password);

	if (len == 0 || len > USERS_PASSWORD_MAX)
		return "a password has 1 to 255 bytes";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)password[i] < ' ' || password[i] == 0x7f)
			return "a password has no control characters";
	}
	return NULL;
}

size_t users_count(struct users *u)
{
	return atomic_load(&u->count);
}

/* ---- logging in ---- */

struct claim {
	bool by_admin; /* whoever is no admin counts as unknown */
	const char *name;
	size_t name_len;
	char password[USERS_PASSWORD_MAX + 1];
	size_t password_len;
	const struct addr *from;
	struct bans *holdoff; /* NULL: it does not count */
};

/* What is known under the claim's name: the user's hash and keyed hash as they are now, or the
 * decoy. */
struct found {
	bool is_known;
	bool is_admin;
	bool has_tag;
	char hash[PASSWORD_HASH_SIZE];
	unsigned char tag[TAG_SIZE];
};

/* Every part is preceded by its length, so that no two claims give the same bytes. */
static void add_part(crypto_generichash_state *state, const void *part, size_t len)
{
	uint64_t size = len;

	crypto_generichash_update(state, (const unsigned char *)&size, sizeof(size));
	crypto_generichash_update(state, part, len);
}

static void compute_tag(
	const struct users *u, const struct claim *c, const char *hash, unsigned char tag[TAG_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, u->key, sizeof(u->key), TAG_SIZE);
	add_part(&state, c->name, c->name_len);
	add_part(&state, hash, strlen(hash));
	add_part(&state, c->password, c->password_len);
	crypto_generichash_final(&state, tag, TAG_SIZE);
}

static void look_up(struct users *u, const struct claim *c, struct found *f)
{
	const char *decoy = c->by_admin ? u->admin_decoy : u->decoy;
	const struct account *a;

	rwlock_read(&u->lock);
	a = hashmap_get(u->map, c->name, c->name_len);
	f->is_admin = a != NULL && a->role == USER_ROLE_ADMIN;
	if (c->by_admin && !f->is_admin)
		a = NULL;
	f->is_known = a != NULL;
	f->has_tag = a != NULL && a->has_tag;
	if (f->has_tag)
		memcpy(f->tag, a->tag, TAG_SIZE);
	strcpy(f->hash, a != NULL ? a->hash : decoy);
	rwlock_read_unlock(&u->lock);
}

/* Unless the account was changed meanwhile. */
static void remember_tag(
	struct users *u, const struct claim *c, const char *hash, const unsigned char tag[TAG_SIZE])
{
	struct account *a;

	rwlock_write(&u->lock);
	a = hashmap_get(u->map, c->name, c->name_len);
	if (a != NULL && strcmp(a->hash, hash) == 0) {
		memcpy(a->tag, tag, TAG_SIZE);
		a->has_tag = true;
	}
	rwlock_write_unlock(&u->lock);
}

/* Is it the password that was right before? `tag` receives the keyed hash of it otherwise. */
static bool is_remembered(
	struct users *u, const struct claim *c, struct found *f, unsigned char tag[TAG_SIZE])
{
	look_up(u, c, f);
	compute_tag(u, c, f->hash, tag);
	return f->has_tag && sodium_memcmp(tag, f->tag, TAG_SIZE) == 0;
}

/* Is it subject to the hold-off, which is there for administrators' passwords? */
static bool is_counted(const struct claim *c, const struct found *f)
{
	return c->holdoff != NULL && (c->by_admin || f->is_admin);
}

static bool is_right(struct users *u, const struct claim *c, const struct found *f)
{
	int64_t begun = clock_ms();
	bool matches = password_matches(c->password, f->hash);

	atomic_store_explicit(&u->check_ms, clock_ms() - begun, memory_order_relaxed);
	/* A password with a NUL in it is not the one that was hashed. */
	return matches && f->is_known && strlen(c->password) == c->password_len;
}

static void count_outcome(const struct claim *c, bool right)
{
	if (right)
		bans_forget(c->holdoff, c->from);
	else
		bans_note_failure(c->holdoff, c->from, clock_ms());
}

/* In a turn. Others with the same login, or from the same address, may have been here since. */
static enum login_result check_slowly(struct users *u, const struct claim *c)
{
	struct found f;
	unsigned char tag[TAG_SIZE];
	bool right;

	if (is_remembered(u, c, &f, tag))
		return LOGIN_OK;
	if (is_counted(c, &f) && !bans_may_check(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	right = is_right(u, c, &f);
	if (is_counted(c, &f))
		count_outcome(c, right);
	if (right)
		remember_tag(u, c, f.hash, tag);
	return right ? LOGIN_OK : LOGIN_REFUSED;
}

static enum login_result check_claim(
	struct users *u, const struct claim *c, const struct hashing_wait *wait)
{
	enum login_result result;
	struct found f;
	unsigned char tag[TAG_SIZE];

	if (is_remembered(u, c, &f, tag))
		return LOGIN_OK;
	if (is_counted(c, &f) && bans_holds(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (!hashing_enter(u->hashing, wait))
		return LOGIN_TOO_BUSY;
	result = check_slowly(u, c);
	hashing_leave(u->hashing);
	return result;
}

/* False when nobody can have such a password. */
static bool make_claim(struct claim *c, const struct login *login)
{
	*c = (struct claim){.name = login->name,
		.name_len = login->name_len,
		.password_len = login->password_len,
		.from = login->from,
		.holdoff = login->holdoff};
	if (login->password_len > USERS_PASSWORD_MAX)
		return false;
	memcpy(c->password, login->password, login->password_len);
	return true;
}

static void note_login(struct users *u, const struct claim *c)
{
	struct account *a;

	rwlock_read(&u->lock);
	a = hashmap_get(u->map, c->name, c->name_len);
	if (a != NULL) {
		atomic_fetch_add_explicit(&a->counters.logins, 1, memory_order_relaxed);
		atomic_store_explicit(
			&a->counters.last_login, (int64_t)time(NULL), memory_order_relaxed);
	}
	rwlock_read_unlock(&u->lock);
}

enum login_result users_login(
	struct users *u, const struct login *login, int64_t deadline, const _Atomic(bool) *told)
{
	struct hashing_wait wait = {.line = HASHING_CLIENTS, .deadline = deadline, .told = told};
	struct claim c;
	enum login_result result;

	if (!make_claim(&c, login))
		return LOGIN_REFUSED;
	result = check_claim(u, &c, &wait);
	if (result == LOGIN_OK)
		note_login(u, &c);
	sodium_memzero(c.password, sizeof(c.password));
	return result;
}

int64_t users_check_ms(struct users *u)
{
	return atomic_load_explicit(&u->check_ms, memory_order_relaxed);
}

bool users_knows_admin(struct users *u, const struct login *login)
{
	struct claim c;
	struct found f;
	unsigned char tag[TAG_SIZE];
	bool knows;

	if (!make_claim(&c, login))
		return false;
	c.by_admin = true;
	knows = is_remembered(u, &c, &f, tag);
	sodium_memzero(c.password, sizeof(c.password));
	return knows;
}

enum login_result users_login_admin(struct users *u, const struct login *login)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct claim c;
	enum login_result result;

	if (!make_claim(&c, login)) {
		if (c.holdoff != NULL)
			count_outcome(&c, false);
		return LOGIN_REFUSED;
	}
	c.by_admin = true;
	result = check_claim(u, &c, &wait);
	sodium_memzero(c.password, sizeof(c.password));
	return result;
}

/* ---- new passwords ---- */

/* A password that is known to be right needs no slow check at its first login. */
static void remember_password(struct users *u, const struct user_credentials *credentials)
{
	struct claim c = {.name = credentials->name,
		.name_len = strlen(credentials->name),
		.password_len = strlen(credentials->password)};
	struct found f;
	unsigned char tag[TAG_SIZE];

	strcpy(c.password, credentials->password);
	if (!is_remembered(u, &c, &f, tag))
		remember_tag(u, &c, f.hash, tag);
	sodium_memzero(c.password, sizeof(c.password));
}

static int refuse(char *error, const char *name, const char *why)
{
	snprintf(error, USERS_ERROR_MAX, "%s %s", name, why);
	return -1;
}

/* First into the file, then into the map. */
static int save_and_put(struct users *u, const struct users_file_entry *entry, const char *path,
	char error[USERS_ERROR_MAX])
{
	struct account *a = account_new(entry);

	if (a == NULL)
		return refuse(error, entry->name, "cannot be kept: out of memory");
	if (path != NULL && users_file_write(path, entry, 1, error) < 0) {
		free(a);
		return -1;
	}
	if (put_account(u, a) < 0)
		return refuse(
			error, entry->name, "is in the file, but not in effect: out of memory");
	return 0;
}

static int hash_and_save(struct users *u, const struct user_credentials *c, enum user_role role,
	const char *path, char error[USERS_ERROR_MAX])
{
	char hash[PASSWORD_HASH_SIZE];
	struct users_file_entry entry = {
		.name = c->name, .name_len = strlen(c->name), .hash = hash, .role = role};

	if (password_hash(c->password, hash) < 0)
		return refuse(error, c->name, strerror(errno));
	if (save_and_put(u, &entry, path, error) < 0)
		return -1;
	remember_password(u, c);
	return 0;
}

/* ---- operators ---- */

/* Has the user that password and role already? */
static bool is_operator(struct users *u, const struct user_credentials *c)
{
	size_t len = strlen(c->name);
	const struct account *a;
	char hash[PASSWORD_HASH_SIZE];

	rwlock_read(&u->lock);
	a = hashmap_get(u->map, c->name, len);
	if (a != NULL && a->role == USER_ROLE_ADMIN)
		strcpy(hash, a->hash);
	else
		hash[0] = '\0';
	rwlock_read_unlock(&u->lock);
	return hash[0] != '\0' && password_matches(c->password, hash);
}

int users_add_operators(struct users *u, const struct user_credentials *operators, size_t count,
	const char *path, char error[USERS_ERROR_MAX])
{
	for (size_t i = 0; i < count; i++) {
		if (is_operator(u, &operators[i]))
			remember_password(u, &operators[i]);
		else if (hash_and_save(u, &operators[i], USER_ROLE_ADMIN, path, error) < 0)
			return -1;
	}
	return 0;
}

/* ---- what administrators do ---- */

int users_add(struct users *u, const struct user_credentials *c, enum user_role role,
	const char *path, char error[USERS_ERROR_MAX])
{
	if (users_has(u, c->name, strlen(c->name)))
		return refuse(error, c->name, "exists already");
	if (path != NULL && users_file_has(path, c->name))
		return refuse(error, c->name, "stands in the users file already: RELOAD reads it");
	return hash_and_save(u, c, role, path, error);
}

int users_set_password(struct users *u, const struct user_credentials *c, const char *path,
	char error[USERS_ERROR_MAX])
{
	struct user_info info;

	if (!users_get(u, c->name, &info))
		return refuse(error, c->name, "does not exist");
	return hash_and_save(u, c, info.role, path, error);
}

size_t users_count_admins(struct users *u)
{
	size_t position = 0, count = 0;
	const struct account *a;

	rwlock_read(&u->lock);
	while (count < 2 && (a = hashmap_next(u->map, &position)) != NULL)
		count += a->role == USER_ROLE_ADMIN;
	rwlock_read_unlock(&u->lock);
	return count;
}

int users_remove(struct users *u, const char *name, const char *path, char error[USERS_ERROR_MAX])
{
	struct users_file_entry entry = {.name = name, .name_len = strlen(name)};
	struct user_info info;
	struct account *a;

	if (!users_get(u, name, &info))
		return refuse(error, name, "does not exist");
	if (info.role == USER_ROLE_ADMIN && users_count_admins(u) == 1)
		return refuse(error, name, "is the last admin and stays");
	if (path != NULL && users_file_write(path, &entry, 1, error) < 0)
		return -1;
	rwlock_write(&u->lock);
	a = hashmap_remove(u->map, name, entry.name_len);
	set_decoys_locked(u);
	atomic_store(&u->count, hashmap_count(u->map));
	rwlock_write_unlock(&u->lock);
	free(a);
	return 0;
}

/* ---- what is known of users ---- */

bool users_has(struct users *u, const char *name, size_t len)
{
	bool has;

	rwlock_read(&u->lock);
	has = hashmap_get(u->map, name, len) != NULL;
	rwlock_read_unlock(&u->lock);
	return has;
}

void users_count_bytes(
	struct users *u, const char *name, size_t len, uint64_t sent, uint64_t received)
{
	struct account *a;

	rwlock_read(&u->lock);
	a = hashmap_get(u->map, name, len);
	if (a != NULL) {
		atomic_fetch_add_explicit(&a->counters.sent, sent, memory_order_relaxed);
		atomic_fetch_add_explicit(&a->counters.received, received, memory_order_relaxed);
	}
	rwlock_read_unlock(&u->lock);
}

static size_t names_size_locked(struct users *u) REQUIRES_SHARED(&u->lock)
{
	size_t position = 0, size = 0;
	const struct account *a;

	while ((a = hashmap_next(u->map, &position)) != NULL)
		size += sizeof(char *) + a->name_len + 1;
	return size;
}

static size_t copy_names_locked(struct users *u, const char **names) REQUIRES_SHARED(&u->lock)
{
	char *text = (char *)(names + hashmap_count(u->map));
	size_t position = 0, count = 0;
	const struct account *a;

	while ((a = hashmap_next(u->map, &position)) != NULL) {
		memcpy(text, a->name, a->name_len + 1);
		names[count++] = text;
		text += a->name_len + 1;
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

bool users_get(struct users *u, const char *name, struct user_info *out)
{
	const struct account *a;

	rwlock_read(&u->lock);
	a = hashmap_get(u->map, name, strlen(name));
	if (a != NULL)
		*out = (struct user_info){.role = a->role,
			.logins = atomic_load(&a->counters.logins),
			.sent = atomic_load(&a->counters.sent),
			.received = atomic_load(&a->counters.received),
			.last_login = atomic_load(&a->counters.last_login)};
	rwlock_read_unlock(&u->lock);
	return a != NULL;
}
