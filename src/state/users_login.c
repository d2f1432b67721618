/*
 * A SOCKS client logs in with every connection, so the slow hash is paid once a password: after
 * that the user remembers a keyed hash of name, stored hash and password, which takes
 * microseconds to compare. The key is made at start and never leaves the process.
 *
 * Names cannot be told apart by the time: an unknown one is checked against a decoy, a hash of the
 * dearest kind that any user has, and so is, besides his own, the wrong password of somebody whose
 * hash is of a cheaper kind.
 */
#include "state/users_parts.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "state/login_helper.h"

/* What is known under the claim's name: the user's hash and keyed hash as they are now, or the
 * decoy; or that a helper is asked. */
struct found {
	bool is_known;
	bool is_admin;
	bool has_tag;
	bool depends_on_place; /* `from` of the user */
	bool asks_helper; /* and nothing else of this is of use */
	bool lacks_helper; /* the password is one's to know, and there is none */
	enum login_result bar; /* LOGIN_OK, or why a right password is none */
	char hash[PASSWORD_HASH_SIZE];
	char decoy[PASSWORD_HASH_SIZE]; /* "": the hash costs as much */
	unsigned char tag[USERS_TAG_SIZE];
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

void users_compute_tag(const struct users *u, const struct claim *c, const char *hash,
	unsigned char tag[USERS_TAG_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, u->key, sizeof(u->key), USERS_TAG_SIZE);
	add_part(&state, c->name, c->name_len);
	add_part(&state, hash, strlen(hash));
	add_part(&state, c->password, c->password_len);
	crypto_generichash_final(&state, tag, USERS_TAG_SIZE);
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

enum login_result users_bar_of(const struct user *user, const struct addr *from)
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

void users_set_gate(struct users *u, const struct users_gate *gate)
{
	u->gate = *gate;
}

/* Outside of the lock. */
static enum login_result ask_gate(const struct users *u, const char *name, size_t len)
{
	char copy[USERS_NAME_MAX + 1];

	if (u->gate.is_shut == NULL || len > USERS_NAME_MAX)
		return LOGIN_OK;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return u->gate.is_shut(u->gate.context, copy) ? LOGIN_UNANSWERED : LOGIN_OK;
}

static void look_up(struct users *u, const struct claim *c, struct found *f)
{
	const struct user *user;

	rwlock_read(&u->lock);
	user = users_get_locked(u, c->name, c->name_len);
	f->asks_helper = users_are_asked_of_helper(u, c, user);
	f->lacks_helper = false;
	if (user != NULL && user_is_of_helper(user)) {
		f->lacks_helper = u->helper == NULL;
		user = NULL;
	}
	f->is_admin = user != NULL && user->role == USER_ROLE_ADMIN;
	if (c->by_admin && !f->is_admin)
		user = NULL;
	f->is_known = user != NULL;
	f->bar = user != NULL ? users_bar_of(user, c->from) : LOGIN_OK;
	f->depends_on_place =
		user != NULL && user->bar != NULL && limits_have(&user->bar->limits, LIMIT_FROM);
	f->has_tag = user != NULL && user->has_tag;
	if (f->has_tag)
		memcpy(f->tag, user->tag, USERS_TAG_SIZE);
	strcpy(f->hash, user != NULL ? user->hash : u->decoy);
	strcpy(f->decoy, user != NULL && u->is_cheap[user->kind] ? u->decoy : "");
	rwlock_read_unlock(&u->lock);
	if (f->is_known && f->bar == LOGIN_OK)
		f->bar = ask_gate(u, c->name, c->name_len);
}

/* Unless the user was changed meanwhile. */
static void remember_tag(struct users *u, const struct claim *c, const char *hash,
	const unsigned char tag[USERS_TAG_SIZE])
{
	struct user *user;

	rwlock_write(&u->lock);
	user = hashmap_get(u->map, c->name, c->name_len);
	if (user != NULL && strcmp(user->hash, hash) == 0) {
		memcpy(user->tag, tag, USERS_TAG_SIZE);
		user->has_tag = true;
	}
	rwlock_write_unlock(&u->lock);
}

/* Is it the password that was right before, of whom was found, and who may log in? `tag` receives
 * the keyed hash of it.
 */
static bool has_right_tag(const struct users *u, const struct claim *c, const struct found *f,
	unsigned char tag[USERS_TAG_SIZE])
{
	users_compute_tag(u, c, f->hash, tag);
	return f->has_tag && sodium_memcmp(tag, f->tag, USERS_TAG_SIZE) == 0 && f->bar == LOGIN_OK;
}

/* Is it the password that was right before, of somebody who may log in? `tag` receives the keyed
 * hash of it otherwise. Somebody may have become a helper's meanwhile, and then it is none. */
static bool is_remembered(
	struct users *u, const struct claim *c, struct found *f, unsigned char tag[USERS_TAG_SIZE])
{
	look_up(u, c, f);
	return has_right_tag(u, c, f, tag);
}

/* Is it subject to the hold-off, which is there for administrators' passwords, and for all where
 * one page is the door for everybody? */
static bool is_counted(const struct claim *c, const struct found *f)
{
	return c->holdoff != NULL && (c->by_admin || c->by_person || f->is_admin);
}

/* The same of whom was found, as far as that may be asked: LOGIN_OK, LOGIN_REFUSED with the tag, or
 * LOGIN_HELD_OFF. */
static enum login_result compare_quickly(struct users *u, const struct claim *c,
	const struct found *f, unsigned char tag[USERS_TAG_SIZE])
{
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
	unsigned char tag[USERS_TAG_SIZE];
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
void users_widen_tag(
	const struct users *u, const struct claim *c, unsigned char tag[USERS_TAG_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, u->key, sizeof(u->key), USERS_TAG_SIZE);
	add_part(&state, tag, USERS_TAG_SIZE);
	add_part(&state, &c->client, sizeof(c->client));
	crypto_generichash_final(&state, tag, USERS_TAG_SIZE);
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

/* Against whom was found. */
static enum login_result check_found(
	struct users *u, const struct claim *c, struct hashing_wait *wait, struct found *f)
{
	unsigned char tag[USERS_TAG_SIZE];
	enum login_result result = compare_quickly(u, c, f, tag);

	if (result != LOGIN_REFUSED)
		return result;
	if (is_counted(c, f) && holdoff_holds(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (is_counted(c, f) || f->depends_on_place)
		users_widen_tag(u, c, tag);
	wait->key = tag;
	return check_in_turn(u, c, wait, f);
}

/* `f` receives whom it was checked against; with LOGIN_OK `called` receives what the account is
 * called of one whom a helper knows. Whom it would know, if there were one, costs what a wrong
 * password costs. */
static enum login_result check_claim(struct users *u, const struct claim *c,
	struct hashing_wait *wait, struct found *f, char called[USERS_NAME_MAX + 1])
{
	enum login_result result;
	bool lacks_helper;

	look_up(u, c, f);
	if (f->asks_helper)
		return users_check_by_helper(u, c, wait, called);
	lacks_helper = f->lacks_helper;
	result = check_found(u, c, wait, f);
	return result == LOGIN_REFUSED && lacks_helper ? LOGIN_NO_HELPER : result;
}

/* What is not to be checked costs what a wrong login costs, and is refused for the same reasons: so
 * nobody tells by it whose name is an administrator's. The name is nobody's. */
static enum login_result check_in_vain(
	struct users *u, const struct claim *c, struct hashing_wait *wait)
{
	struct claim vain = *c;
	struct found ignored;
	enum login_result result;

	vain.name = "";
	vain.name_len = 0;
	look_up(u, &vain, &ignored);
	result = check_found(u, &vain, wait, &ignored);
	sodium_memzero(vain.password, sizeof(vain.password));
	return result == LOGIN_REFUSED ? LOGIN_HELD_OFF : result;
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
		result = users_bar_of(user, c->from);
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
	char called[USERS_NAME_MAX + 1];
	struct claim c;
	struct found f;
	enum login_result result;

	if ((users_count(u) == 0 && u->helper == NULL) || !make_claim(&c, login))
		return LOGIN_REFUSED;
	result = check_claim(u, &c, &wait, &f, called);
	if (result == LOGIN_HELD_OFF)
		result = check_in_vain(u, &c, &wait);
	sodium_memzero(c.password, sizeof(c.password));
	if (result != LOGIN_OK)
		return result;
	if (f.asks_helper)
		return users_join_of_helper(u, called, c.from, entry);
	return join_user(u, &c, f.hash, entry);
}

enum login_result users_bar(
	struct users *u, const char *name, size_t name_len, const struct addr *from)
{
	enum login_result bar = LOGIN_OK;
	const struct user *user;

	rwlock_read(&u->lock);
	user = users_get_locked(u, name, name_len);
	if (user != NULL)
		bar = users_bar_of(user, from);
	rwlock_read_unlock(&u->lock);
	return user != NULL && bar == LOGIN_OK ? ask_gate(u, name, name_len) : bar;
}

uint64_t users_login_mark(const struct users *u, const struct login *login)
{
	unsigned char tag[USERS_TAG_SIZE];
	crypto_generichash_state state;
	uint64_t mark;

	crypto_generichash_init(&state, u->key, sizeof(u->key), USERS_TAG_SIZE);
	add_part(&state, login->name, login->name_len);
	add_part(&state, login->password, login->password_len);
	crypto_generichash_final(&state, tag, USERS_TAG_SIZE);
	sodium_stackzero(LEFT_ON_STACK);
	memcpy(&mark, tag, sizeof(mark));
	return mark;
}

/* What the account is called, to whoever wants to know. */
static void tell_name(
	const struct login *login, const struct claim *c, const struct found *f, const char *called)
{
	if (login->called == NULL)
		return;
	if (f->asks_helper) {
		strcpy(login->called, called);
	} else {
		memcpy(login->called, c->name, c->name_len);
		login->called[c->name_len] = '\0';
	}
}

/* Would check_now() say LOGIN_OK without a slow hash, or a question? */
static bool knows(struct users *u, struct claim *c, const struct login *login)
{
	unsigned char tag[USERS_TAG_SIZE];
	char called[USERS_NAME_MAX + 1];
	enum login_result result;
	struct found f;

	look_up(u, c, &f);
	result = f.asks_helper ? users_recall_by_helper(u, c, called)
			       : compare_quickly(u, c, &f, tag);
	sodium_memzero(c->password, sizeof(c->password));
	if (result == LOGIN_OK)
		tell_name(login, c, &f, called);
	return result == LOGIN_OK;
}

/* However long that takes, before all clients. */
static enum login_result check_now(struct users *u, struct claim *c, const struct login *login)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	char called[USERS_NAME_MAX + 1];
	enum login_result result;
	struct found f;

	result = check_claim(u, c, &wait, &f, called);
	sodium_memzero(c->password, sizeof(c->password));
	if (result == LOGIN_OK)
		tell_name(login, c, &f, called);
	return result;
}

static enum login_result refuse_claim(const struct claim *c)
{
	if (c->holdoff != NULL)
		count_outcome(c, false);
	return LOGIN_REFUSED;
}

bool users_knows_admin(struct users *u, const struct login *login)
{
	struct claim c;

	if (!make_claim(&c, login))
		return false;
	c.by_admin = true;
	return knows(u, &c, login);
}

enum login_result users_login_admin(struct users *u, const struct login *login)
{
	struct claim c;

	if (!make_claim(&c, login))
		return refuse_claim(&c);
	c.by_admin = true;
	return check_now(u, &c, login);
}

bool users_knows_person(struct users *u, const struct login *login)
{
	struct claim c;

	if (!make_claim(&c, login))
		return false;
	c.by_person = true;
	return knows(u, &c, login);
}

enum login_result users_login_person(struct users *u, const struct login *login)
{
	struct claim c;

	if (!make_claim(&c, login))
		return refuse_claim(&c);
	c.by_person = true;
	return check_now(u, &c, login);
}

void users_wake_logins(struct users *u)
{
	hashing_wake(u->hashing);
	if (u->helper != NULL)
		hashing_wake(login_helper_queue(u->helper));
}

void users_stop_logins(struct users *u)
{
	hashing_stop(u->hashing);
	if (u->helper != NULL)
		login_helper_stop(u->helper);
}

/* What was hashed last is left in vector registers, too; whatever saves them all next, such as the
 * dynamic linker, would write it to the stack. Another hash takes its place. */
static void clear_registers(const struct users *u)
{
	const struct claim nobody = {.name = "", .password_len = USERS_PASSWORD_MAX};
	unsigned char tag[USERS_TAG_SIZE];

	users_compute_tag(u, &nobody, "", tag);
}

void users_remember(struct users *u, const struct user_credentials *credentials, const char *hash)
{
	struct claim c = {.name = credentials->name,
		.name_len = strlen(credentials->name),
		.password_len = strlen(credentials->password)};
	unsigned char tag[USERS_TAG_SIZE];

	strcpy(c.password, credentials->password);
	users_compute_tag(u, &c, hash, tag);
	remember_tag(u, &c, hash, tag);
	sodium_memzero(c.password, sizeof(c.password));
	clear_registers(u);
}
