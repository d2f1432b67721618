/*
 * A SOCKS client logs in with every connection, so the slow hash is paid once a password: after
 * that the user remembers a keyed hash of name, stored hash and password, which takes
 * microseconds to compare. The key is made at start and never leaves the process.
 *
 * Names cannot be told apart by the time: an unknown one is checked against a decoy, a hash of the
 * dearest kind that any user has, and so is, besides his own, the wrong password of somebody whose
 * hash is of a cheaper kind.
 */
#include "state/users.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lines.h"
#include "base/lock.h"
#include "state/hash_kinds.h"
#include "state/ledger_limits.h"
#include "state/password.h"

#define TAG_SIZE HASHING_KEY_SIZE

struct user {
	enum user_role role;
	struct ledger_entry *entry; /* NULL: another one of that name has it */
	bool has_tag; /* `tag` belongs to a password that was right */
	unsigned char tag[TAG_SIZE];
	size_t kind; /* of his hash */
	size_t name_len;
	const char *hash; /* behind the name, and so are the attributes behind the hash */
	const char *attributes;
	struct limits_in_force *bar; /* to logging in; NULL: nothing is */
	char name[];
};

struct users {
	struct rwlock lock; /* map, decoy, and the tags in the users */
	struct hashmap *map;
	char decoy[PASSWORD_HASH_SIZE]; /* of the dearest kind that is in use */
	bool is_cheap[HASH_KINDS_MAX]; /* the kinds that cost less */
	_Atomic(size_t) count;

	/* of the thread that makes changes */
	struct hash_kinds kinds;
	size_t of_kind[HASH_KINDS_MAX]; /* users in the map */

	struct hashing *hashing;
	struct ledger *ledger;
	struct limit_book *book; /* of the thread that makes changes; NULL: there is none */
	struct hashmap *given; /* names of the command line, each as its own value; NULL: none */
	bool are_kept; /* there is a backend */
	struct users_backend backend;
	unsigned char key[crypto_generichash_KEYBYTES];
};

/* ---- one user ---- */

/* Valid until the next change: only the thread that asks makes any. */
static const struct user *find_user(struct users *u, const char *name, size_t len)
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
static struct user *user_new(struct users *u, const struct user_record *record)
{
	struct user *user = copy_record(record);

	if (user == NULL)
		return NULL;
	user->kind = hash_kinds_find(&u->kinds, user->hash);
	if (find_bar(u, user, &user->bar) < 0) {
		free(user);
		return NULL;
	}
	if (find_user(u, record->name, record->name_len) != NULL)
		return user;
	user->entry = ledger_add_user(u->ledger, record->name, record->name_len);
	if (user->entry == NULL) {
		free(user->bar);
		free(user);
		return NULL;
	}
	return user;
}

/* The user's entry is held to what is said of the user. -1 without memory. */
static int limit_entry_of(const struct users *u, const struct user *user)
{
	struct limits_in_force in_force;

	if (u->book == NULL)
		return 0;
	find_limits(u, user, &in_force, NULL);
	return ledger_limit_user(user->entry, &in_force);
}

/* NULL is allowed. */
static void user_free(void *memory)
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
	hashmap_free(u->map, user_free);
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

/* ---- putting users into the place of others ---- */

/* What lives goes over to the new one, and what was verified under the same hash stays so. With the
 * lock held. */
static void keep_known(struct user *old, struct user *new)
{
	new->entry = old->entry;
	old->entry = NULL;
	if (old->has_tag && strcmp(old->hash, new->hash) == 0) {
		memcpy(new->tag, old->tag, sizeof(new->tag));
		new->has_tag = true;
	}
}

static bool is_same(const struct user *a, const struct user *b)
{
	return a->role == b->role && strcmp(a->hash, b->hash) == 0 &&
		strcmp(a->attributes, b->attributes) == 0;
}

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
		d.changed += !is_same(old, new);
		keep_known(old, new);
	}
	return d;
}

/* The kinds that the users have, by numbers, and what a failed check costs by that. What there was
 * before stays when there are no users. */
struct kinds_in_use {
	size_t users[HASH_KINDS_MAX];
	size_t dearest;
};

/* Before a change, since what is not known yet is measured. */
static void weigh_kinds(struct users *u, struct kinds_in_use *k)
{
	k->dearest = hash_kinds_in_use(k->users) == 0 ? HASH_KINDS_MAX
						      : hash_kinds_dearest(&u->kinds, k->users);
}

/* With the map as it is from now on. */
static void settle_locked(struct users *u, const struct kinds_in_use *k) REQUIRES(&u->lock)
{
	memcpy(u->of_kind, k->users, sizeof(u->of_kind));
	if (k->dearest < HASH_KINDS_MAX)
		strcpy(u->decoy, u->kinds.kinds[k->dearest].sample);
	for (size_t i = 0; i < HASH_KINDS_MAX; i++)
		u->is_cheap[i] = i != k->dearest;
	atomic_store(&u->count, hashmap_count(u->map));
}

struct users_draft {
	struct users *users;
	struct hashmap *map;
	struct kinds_in_use kinds;
};

static const char *take_user(void *taker, const struct user_record *record)
{
	struct users_draft *draft = taker;
	struct user *user;
	void *old;

	if (hashmap_get(draft->map, record->name, record->name_len) != NULL)
		return "this name was there already further up";
	user = user_new(draft->users, record);
	if (user == NULL || hashmap_put(draft->map, user->name, user->name_len, user, &old) < 0) {
		user_free(user);
		return "out of memory";
	}
	draft->kinds.users[user->kind]++;
	return NULL;
}

struct users_draft *users_read(struct users *u, char error[USERS_ERROR_MAX])
{
	struct users_draft *draft = calloc(1, sizeof(*draft));

	if (draft != NULL) {
		draft->users = u;
		draft->map = hashmap_new(0);
	}
	if (draft == NULL || draft->map == NULL)
		snprintf(error, USERS_ERROR_MAX, "users: out of memory");
	else if (u->backend.load(u->backend.context, take_user, draft, error) == 0) {
		weigh_kinds(u, &draft->kinds);
		return draft;
	}
	users_draft_free(draft);
	return NULL;
}

size_t users_draft_count(const struct users_draft *draft)
{
	return hashmap_count(draft->map);
}

/* What a user's line says of his limits; false when there is no such user. */
static bool read_own_limits(const struct hashmap *map, const char *name, struct limits *out)
{
	const struct user *user = hashmap_get(map, name, strlen(name));
	char why[LIMITS_ERROR_MAX];

	*out = (struct limits){.said = {0}};
	if (user != NULL)
		(void)limits_parse(user->attributes, LIMITS_OF_USER, out, why);
	return user != NULL;
}

static bool has_group(const struct hashmap *map, const char *group)
{
	size_t position = 0;
	const struct user *user;
	struct limits limits;

	while ((user = hashmap_next(map, &position)) != NULL) {
		if (read_own_limits(map, user->name, &limits) &&
			limits_in_group(limits.groups, group, strlen(group)))
			return true;
	}
	return false;
}

bool users_draft_limits(const struct users_draft *draft, const char *name, struct limits *out)
{
	return read_own_limits(draft->map, name, out);
}

bool users_draft_have_group(const struct users_draft *draft, const char *group)
{
	return has_group(draft->map, group);
}

void users_draft_free(struct users_draft *draft)
{
	if (draft == NULL)
		return;
	hashmap_free(draft->map, user_free);
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

		if (user->entry == NULL)
			continue;
		ledger_retire_user(user->entry);
		user->entry = NULL;
		if (farewell != NULL)
			farewell(context, user->name, user->name_len, has_sessions);
	}
}

/* Of the thread that makes changes: nobody else changes the map. Whose limits cannot be kept for
 * want of memory keeps those that he has. */
static void limit_all_entries(struct users *u)
{
	size_t position = 0;
	const struct user *user;

	while ((user = hashmap_next(u->map, &position)) != NULL)
		(void)!limit_entry_of(u, user);
}

static int follow_book(struct users *u, struct user *user)
{
	struct limits_in_force *fresh, *old;

	if (find_bar(u, user, &fresh) < 0)
		return -1;
	rwlock_write(&u->lock);
	old = user->bar;
	user->bar = fresh;
	rwlock_write_unlock(&u->lock);
	free(old);
	return limit_entry_of(u, user);
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

struct users_difference users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context)
{
	struct users_difference difference;
	struct hashmap *old;

	rwlock_write(&u->lock);
	old = u->map;
	difference = keep_all_known(old, draft->map);
	u->map = draft->map;
	settle_locked(u, &draft->kinds);
	rwlock_write_unlock(&u->lock);
	draft->map = old;
	limit_all_entries(u);
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

/* ---- rules for names and passwords ---- */

static const char *const role_words[USER_ROLES] = {
#define USER_ROLE(name, word) [USER_ROLE_##name] = (word),
	USER_ROLE_LIST(USER_ROLE)
#undef USER_ROLE
};

const char *user_role_word(enum user_role role)
{
	return role_words[role];
}

bool user_role_parse(const char *word, enum user_role *role)
{
	for (enum user_role r = 0; r < USER_ROLES; r++) {
		if (strcmp(word, role_words[r]) == 0) {
			*role = r;
			return true;
		}
	}
	return false;
}

/* What rules and commands say instead of a name. */
static bool stands_for_others(const char *name, size_t len)
{
	static const char *const words[] = {"anonymous", "known", "*", "-"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && strncasecmp(words[i], name, len) == 0)
			return true;
	}
	return false;
}

const char *users_name_problem(const char *name, size_t len)
{
	struct network network;

	if (len == 0 || len > USERS_NAME_MAX)
		return "a user name has 1 to 255 bytes";
	if (name[0] == '#' || name[0] == '@')
		return "a user name does not begin with # or @";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || strchr(":,\"", c) != NULL)
			return "a user name has no blanks, colons, commas, double quotes or "
			       "control characters";
	}
	/* As the first in the file he would lose it, or have all be refused. */
	if (lines_mark_of(name, len) != LINES_NO_MARK)
		return "a user name does not begin with a byte order mark";
	if (stands_for_others(name, len))
		return "anonymous, known, * and - stand for others, not for a user";
	if (network_parse(name, len, &network))
		return "a user name is no address or network";
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

/* ---- logging in ---- */

struct claim {
	bool by_admin; /* whoever is no admin counts as unknown */
	const char *name;
	size_t name_len;
	char password[USERS_PASSWORD_MAX + 1];
	size_t password_len;
	const struct addr *from;
	const void *client; /* whose it is, among those who wait for a hash */
	struct holdoff *holdoff; /* NULL: it does not count */
};

/* What is known under the claim's name: the user's hash and keyed hash as they are now, or the
 * decoy. */
struct found {
	bool is_known;
	bool is_admin;
	bool has_tag;
	bool depends_on_place; /* `from` of the user */
	enum login_result bar; /* LOGIN_OK, or why a right password is none */
	char hash[PASSWORD_HASH_SIZE];
	char decoy[PASSWORD_HASH_SIZE]; /* "": the hash costs as much */
	unsigned char tag[TAG_SIZE];
};

/* Every part is preceded by its length, so that no two claims give the same bytes. */
static void add_part(crypto_generichash_state *state, const void *part, size_t len)
{
	uint64_t size = len;

	crypto_generichash_update(state, (const unsigned char *)&size, sizeof(size));
	crypto_generichash_update(state, part, len);
}

/* How deep below its caller libsodium leaves the password, which it does not wipe there. */
#define LEFT_ON_STACK 1024

static void compute_tag(
	const struct users *u, const struct claim *c, const char *hash, unsigned char tag[TAG_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, u->key, sizeof(u->key), TAG_SIZE);
	add_part(&state, c->name, c->name_len);
	add_part(&state, hash, strlen(hash));
	add_part(&state, c->password, c->password_len);
	crypto_generichash_final(&state, tag, TAG_SIZE);
	sodium_stackzero(LEFT_ON_STACK);
}

static bool is_in_networks(const struct limits *limits, const struct addr *from)
{
	for (size_t i = 0; i < limits->from_count; i++) {
		if (network_contains(&limits->from[i], from))
			return true;
	}
	return false;
}

/* Why the user may not log in from there now; LOGIN_OK when he may. With the lock held. */
static enum login_result bar_of(const struct user *user, const struct addr *from)
{
	const struct limits_in_force *h = user->bar;

	if (h == NULL)
		return LOGIN_OK;
	if (h->is_kept_out)
		return LOGIN_DISABLED;
	if (limits_have(&h->limits, LIMIT_EXPIRES) && time(NULL) >= h->limits.expires)
		return LOGIN_EXPIRED;
	if (limits_have(&h->limits, LIMIT_FROM) && from != NULL &&
		!is_in_networks(&h->limits, from))
		return LOGIN_NOT_FROM_HERE;
	return LOGIN_OK;
}

static void look_up(struct users *u, const struct claim *c, struct found *f)
{
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, c->name, c->name_len);
	f->is_admin = user != NULL && user->role == USER_ROLE_ADMIN;
	if (c->by_admin && !f->is_admin)
		user = NULL;
	f->is_known = user != NULL;
	f->bar = user != NULL ? bar_of(user, c->from) : LOGIN_OK;
	f->depends_on_place =
		user != NULL && user->bar != NULL && limits_have(&user->bar->limits, LIMIT_FROM);
	f->has_tag = user != NULL && user->has_tag;
	if (f->has_tag)
		memcpy(f->tag, user->tag, TAG_SIZE);
	strcpy(f->hash, user != NULL ? user->hash : u->decoy);
	strcpy(f->decoy, user != NULL && u->is_cheap[user->kind] ? u->decoy : "");
	rwlock_read_unlock(&u->lock);
}

/* Unless the user was changed meanwhile. */
static void remember_tag(
	struct users *u, const struct claim *c, const char *hash, const unsigned char tag[TAG_SIZE])
{
	struct user *user;

	rwlock_write(&u->lock);
	user = hashmap_get(u->map, c->name, c->name_len);
	if (user != NULL && strcmp(user->hash, hash) == 0) {
		memcpy(user->tag, tag, TAG_SIZE);
		user->has_tag = true;
	}
	rwlock_write_unlock(&u->lock);
}

/* Is it the password that was right before, of whom was found, and who may log in? `tag` receives
 * the keyed hash of it.
 */
static bool has_right_tag(const struct users *u, const struct claim *c, const struct found *f,
	unsigned char tag[TAG_SIZE])
{
	compute_tag(u, c, f->hash, tag);
	return f->has_tag && sodium_memcmp(tag, f->tag, TAG_SIZE) == 0 && f->bar == LOGIN_OK;
}

/* Is it the password that was right before, of somebody who may log in? `tag` receives the keyed
 * hash of it otherwise. */
static bool is_remembered(
	struct users *u, const struct claim *c, struct found *f, unsigned char tag[TAG_SIZE])
{
	look_up(u, c, f);
	return has_right_tag(u, c, f, tag);
}

/* Is it subject to the hold-off, which is there for administrators' passwords? */
static bool is_counted(const struct claim *c, const struct found *f)
{
	return c->holdoff != NULL && (c->by_admin || f->is_admin);
}

/* The same, as far as that may be asked: LOGIN_OK, LOGIN_REFUSED with the tag, or LOGIN_HELD_OFF.
 */
static enum login_result compare_quickly(
	struct users *u, const struct claim *c, struct found *f, unsigned char tag[TAG_SIZE])
{
	look_up(u, c, f);
	if (is_counted(c, f) && !holdoff_may_compare(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (!has_right_tag(u, c, f, tag))
		return LOGIN_REFUSED;
	if (is_counted(c, f))
		holdoff_note_known(c->holdoff, c->from);
	return LOGIN_OK;
}

/* LOGIN_OK, LOGIN_REFUSED, LOGIN_NO_MEMORY, or what bars the user. Whoever is barred pays like one
 * whose password is wrong. */
static enum login_result compare_slowly(
	struct users *u, const struct claim *c, const struct found *f)
{
	int64_t begun = clock_ms();
	bool matches, ignored;

	if (password_check(c->password, f->hash, &matches) < 0)
		return LOGIN_NO_MEMORY;
	/* A password with a NUL in it is not the one that was hashed. */
	matches = matches && f->is_known && strlen(c->password) == c->password_len;
	if ((!matches || f->bar != LOGIN_OK) && *f->decoy != '\0' &&
		password_check(c->password, f->decoy, &ignored) < 0)
		return LOGIN_NO_MEMORY;
	hashing_note_cost(u->hashing, clock_ms() - begun);
	return matches ? f->bar : LOGIN_REFUSED;
}

static void count_outcome(const struct claim *c, bool right)
{
	if (right)
		holdoff_forget(c->holdoff, c->from);
	else
		holdoff_note_failure(c->holdoff, c->from, clock_ms());
}

/* In a turn. Others with the same login, or from the same address, may have been here since. */
static enum login_result check_slowly(struct users *u, const struct claim *c, struct found *f)
{
	unsigned char tag[TAG_SIZE];
	enum login_result result;

	if (is_remembered(u, c, f, tag))
		return LOGIN_OK;
	if (is_counted(c, f) && !holdoff_may_check(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	result = compare_slowly(u, c, f);
	if (result == LOGIN_NO_MEMORY)
		return result;
	if (is_counted(c, f))
		count_outcome(c, result == LOGIN_OK);
	if (result == LOGIN_OK)
		remember_tag(u, c, f->hash, tag);
	return result;
}

/* One answer is right for all who log in with the same name and password, unless it depends on
 * where they come from. */
static void widen_key(const struct users *u, const struct claim *c, unsigned char key[TAG_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, u->key, sizeof(u->key), TAG_SIZE);
	add_part(&state, key, TAG_SIZE);
	add_part(&state, &c->client, sizeof(c->client));
	crypto_generichash_final(&state, key, TAG_SIZE);
}

static enum login_result check_in_turn(
	struct users *u, const struct claim *c, const struct hashing_wait *wait, struct found *f)
{
	struct hashing_turn turn;
	enum login_result result;

	switch (hashing_enter(u->hashing, wait, &turn)) {
	case HASHING_TURN:
		result = check_slowly(u, c, f);
		hashing_leave(u->hashing, &turn, (int)result);
		return result;
	case HASHING_ANSWERED:
		return (enum login_result)turn.answer;
	case HASHING_NO_MEMORY:
		return LOGIN_NO_MEMORY;
	case HASHING_REFUSED:
		break;
	}
	return LOGIN_TOO_BUSY;
}

/* `f` receives whom it was checked against. */
static enum login_result check_claim(
	struct users *u, const struct claim *c, struct hashing_wait *wait, struct found *f)
{
	unsigned char tag[TAG_SIZE];
	enum login_result result = compare_quickly(u, c, f, tag);

	if (result != LOGIN_REFUSED)
		return result;
	if (is_counted(c, f) && holdoff_holds(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (is_counted(c, f) || f->depends_on_place)
		widen_key(u, c, tag);
	wait->key = tag;
	return check_in_turn(u, c, wait, f);
}

/* False when nobody can have such a password. */
static bool make_claim(struct claim *c, const struct login *login)
{
	*c = (struct claim){.name = login->name,
		.name_len = login->name_len,
		.password_len = login->password_len,
		.from = login->from,
		.client = login->client,
		.holdoff = login->holdoff};
	if (login->password_len == 0 || login->password_len > USERS_PASSWORD_MAX)
		return false;
	memcpy(c->password, login->password, login->password_len);
	return true;
}

/* A session begins of the user whose hash this is; LOGIN_REFUSED: he is gone, or has another one by
 * now. Hashes have a salt, so nobody who has got the name since has the same. */
static enum login_result join_user(
	struct users *u, const struct claim *c, const char *hash, struct ledger_entry **entry)
{
	enum login_result result = LOGIN_REFUSED;
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, c->name, c->name_len);
	if (user != NULL && strcmp(user->hash, hash) == 0)
		result = bar_of(user, c->from);
	if (result == LOGIN_OK) {
		*entry = user->entry;
		ledger_join_user(*entry);
	}
	rwlock_read_unlock(&u->lock);
	return result;
}

enum login_result users_login(struct users *u, const struct login *login, int64_t deadline,
	const _Atomic(bool) *told, struct ledger_entry **entry)
{
	struct hashing_wait wait = {.line = HASHING_CLIENTS,
		.deadline = deadline,
		.told = told,
		.patience = login->patience,
		.waiter = login->waiter,
		.client = login->client};
	struct claim c;
	struct found f;
	enum login_result result;

	if (users_count(u) == 0 || !make_claim(&c, login))
		return LOGIN_REFUSED;
	result = check_claim(u, &c, &wait, &f);
	sodium_memzero(c.password, sizeof(c.password));
	if (result != LOGIN_OK)
		return result;
	return join_user(u, &c, f.hash, entry);
}

enum login_result users_bar(
	struct users *u, const char *name, size_t name_len, const struct addr *from)
{
	enum login_result bar = LOGIN_OK;
	const struct user *user;

	rwlock_read(&u->lock);
	user = hashmap_get(u->map, name, name_len);
	if (user != NULL)
		bar = bar_of(user, from);
	rwlock_read_unlock(&u->lock);
	return bar;
}

bool users_have(struct users *u, const char *name, size_t name_len)
{
	bool have;

	rwlock_read(&u->lock);
	have = hashmap_get(u->map, name, name_len) != NULL;
	rwlock_read_unlock(&u->lock);
	return have;
}

uint64_t users_login_mark(const struct users *u, const struct login *login)
{
	unsigned char tag[TAG_SIZE];
	crypto_generichash_state state;
	uint64_t mark;

	crypto_generichash_init(&state, u->key, sizeof(u->key), TAG_SIZE);
	add_part(&state, login->name, login->name_len);
	add_part(&state, login->password, login->password_len);
	crypto_generichash_final(&state, tag, TAG_SIZE);
	sodium_stackzero(LEFT_ON_STACK);
	memcpy(&mark, tag, sizeof(mark));
	return mark;
}

int64_t users_check_ms(const struct users *u)
{
	return hashing_cost(u->hashing);
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
	knows = compare_quickly(u, &c, &f, tag) == LOGIN_OK;
	sodium_memzero(c.password, sizeof(c.password));
	return knows;
}

enum login_result users_login_admin(struct users *u, const struct login *login)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct claim c;
	struct found f;
	enum login_result result;

	if (!make_claim(&c, login)) {
		if (c.holdoff != NULL)
			count_outcome(&c, false);
		return LOGIN_REFUSED;
	}
	c.by_admin = true;
	result = check_claim(u, &c, &wait, &f);
	sodium_memzero(c.password, sizeof(c.password));
	return result;
}

/* What was hashed last is left in vector registers, too; whatever saves them all next, such as the
 * dynamic linker, would write it to the stack. Another hash takes its place. */
static void clear_registers(const struct users *u)
{
	const struct claim nobody = {.name = "", .password_len = USERS_PASSWORD_MAX};
	unsigned char tag[TAG_SIZE];

	compute_tag(u, &nobody, "", tag);
}

void users_remember(struct users *u, const struct user_credentials *credentials, const char *hash)
{
	struct claim c = {.name = credentials->name,
		.name_len = strlen(credentials->name),
		.password_len = strlen(credentials->password)};
	unsigned char tag[TAG_SIZE];

	strcpy(c.password, credentials->password);
	compute_tag(u, &c, hash, tag);
	remember_tag(u, &c, hash, tag);
	sodium_memzero(c.password, sizeof(c.password));
	clear_registers(u);
}

/* ---- changes ---- */

static int refuse_change(char *error, const char *name, const char *why)
{
	snprintf(error, USERS_ERROR_MAX, "%s %s", name, why);
	return -1;
}

static int make_room_in_map(struct users *u)
{
	int result;

	rwlock_write(&u->lock);
	result = hashmap_reserve(u->map, 1);
	rwlock_write_unlock(&u->lock);
	return result;
}

/* The kinds once `old` is out of the map and `new` in it; NULL: nobody. */
static void count_kinds(
	struct users *u, const struct user *old, const struct user *new, struct kinds_in_use *k)
{
	memcpy(k->users, u->of_kind, sizeof(k->users));
	if (old != NULL)
		k->users[old->kind]--;
	if (new != NULL)
		k->users[new->kind]++;
	weigh_kinds(u, k);
}

/* There is room for him. */
static void put_user(struct users *u, struct user *user)
{
	struct kinds_in_use kinds;
	void *old = NULL;
	int result;

	count_kinds(u, find_user(u, user->name, user->name_len), user, &kinds);
	rwlock_write(&u->lock);
	result = hashmap_put(u->map, user->name, user->name_len, user, &old);
	assert(result == 0);
	if (old != NULL)
		keep_known(old, user);
	settle_locked(u, &kinds);
	rwlock_write_unlock(&u->lock);
	user_free(old);
	(void)!limit_entry_of(u, user);
}

/* First at the backend, then in the map: all that could fail there was done before. */
static int store_user(struct users *u, const struct user_record *record, char *error)
{
	struct user *user = user_new(u, record);
	const struct users_backend *b = &u->backend;

	if (user == NULL || make_room_in_map(u) < 0) {
		user_free(user);
		return refuse_change(error, record->name, "cannot be kept: out of memory");
	}
	if (u->are_kept && b->save(b->context, record, error) < 0) {
		user_free(user);
		return -1;
	}
	put_user(u, user);
	return 0;
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

	if (find_user(u, name, record.name_len) != NULL)
		return refuse_change(error, name, "exists already");
	return store_user(u, &record, error);
}

int users_add_limited(struct users *u, const char *name, const char *hash, const char *attributes,
	char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, USER_ROLE_USER);

	if (find_user(u, name, record.name_len) != NULL)
		return refuse_change(error, name, "exists already");
	record.attributes = attributes;
	return store_user(u, &record, error);
}

int users_set_attributes(
	struct users *u, const char *name, const char *attributes, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(name);
	const struct user *old = find_user(u, name, len);
	struct user_record record;

	if (old == NULL)
		return refuse_change(error, name, "does not exist");
	record = record_of(name, old->hash, old->role);
	record.attributes = attributes;
	record.sets_attributes = true;
	return store_user(u, &record, error);
}

int users_set_password(
	struct users *u, const char *name, const char *hash, char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, USER_ROLE_USER);
	const struct user *old = find_user(u, name, record.name_len);

	if (old == NULL)
		return refuse_change(error, name, "does not exist");
	record.role = old->role;
	record.attributes = old->attributes;
	return store_user(u, &record, error);
}

static bool is_last_admin(struct users *u, const struct user *user)
{
	return user->role == USER_ROLE_ADMIN && users_count_admins(u) == 1;
}

int users_set_role(
	struct users *u, const char *name, enum user_role role, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(name);
	const struct user *old = find_user(u, name, len);
	struct user_record record;

	if (old == NULL)
		return refuse_change(error, name, "does not exist");
	if (role != USER_ROLE_ADMIN && is_last_admin(u, old))
		return refuse_change(error, name, "is the last admin and stays one");
	record = record_of(name, old->hash, role);
	record.attributes = old->attributes;
	return store_user(u, &record, error);
}

int users_set_admin(
	struct users *u, const char *name, const char *hash, char error[USERS_ERROR_MAX])
{
	struct user_record record = record_of(name, hash, USER_ROLE_ADMIN);
	const struct user *old = find_user(u, name, record.name_len);

	if (old != NULL)
		record.attributes = old->attributes;
	return store_user(u, &record, error);
}

static void take_out(struct users *u, const char *name, size_t len)
{
	struct kinds_in_use kinds;
	struct user *user;

	count_kinds(u, find_user(u, name, len), NULL, &kinds);
	rwlock_write(&u->lock);
	user = hashmap_remove(u->map, name, len);
	settle_locked(u, &kinds);
	rwlock_write_unlock(&u->lock);
	user_free(user);
}

int users_remove(struct users *u, const char *name, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(name);
	const struct user *user = find_user(u, name, len);
	const struct users_backend *b = &u->backend;

	if (user == NULL)
		return refuse_change(error, name, "does not exist");
	if (is_last_admin(u, user))
		return refuse_change(error, name, "is the last admin and stays");
	if (u->are_kept && b->remove(b->context, name, len, error) < 0)
		return -1;
	take_out(u, name, len);
	return 0;
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

/* ---- what is known of users ---- */

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

bool users_own_limits(struct users *u, const char *name, struct limits *out)
{
	bool found;

	rwlock_read(&u->lock);
	found = read_own_limits(u->map, name, out);
	rwlock_read_unlock(&u->lock);
	return found;
}

bool users_have_group(struct users *u, const char *group)
{
	bool found;

	rwlock_read(&u->lock);
	found = has_group(u->map, group);
	rwlock_read_unlock(&u->lock);
	return found;
}
