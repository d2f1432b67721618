/*
 * Where a helper is asked (login_helper.h), there may be far more people than lines in the users
 * file. Whoever is let in of whom there is none becomes a visitor: a user with an entry in the
 * ledger and the limits that hold for all, who is found by his name like any other. What an
 * administrator says of him is kept, and then he is one of those in the file, whose hash there is
 * the word `helper`.
 *
 * A name with a password here is never asked about, in whatever case it is written, and who is let
 * in under it all the same, because a helper calls him so, is refused: nobody gets another's
 * account by a directory.
 *
 * Answers are remembered by a keyed hash of name and password as they were given, so that an
 * account may have several names. Who has to wait waits in the helper's own queue; the turn that
 * comes decides for all with the same name and password.
 *
 * Visitors are put in and taken out by workers, so nobody has hold of one outside of the lock.
 * Those that have no session make room for others once there are many; what is used of their quotas
 * is kept by their names.
 */
#include "state/users_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/ledger_limits.h"
#include "state/login_helper.h"

#define VISITORS_MAX 65536 /* some kB each, beside those who have a session */
#define VISITORS_LOOKED_AT 64 /* for one that may go, when one comes */
#define PERSON_PATIENCE_MS 15000 /* in front of a screen */

int users_set_helper(struct users *u, struct login_helper *helper)
{
	u->visitors = hashmap_new(0);
	if (u->visitors == NULL)
		return -1;
	u->visitors_most = VISITORS_MAX;
	u->helper = helper;
	return 0;
}

/* ---- who is asked about ---- */

/* Does the name belong to somebody with a password here, but for the case of its letters? */
static bool is_written_otherwise(const struct users *u, const char *name, size_t len)
	REQUIRES_SHARED(&u->lock)
{
	char lower[USERS_NAME_MAX];
	const struct user *user;

	if (len > sizeof(lower))
		return false;
	users_put_lower(name, len, lower);
	user = hashmap_get(u->map, lower, len);
	return user != NULL ? !user_is_of_helper(user) : users_have_case(u->cases, lower, len);
}

/* Is the password of who has this name a helper's to know? `user` is found under it (NULL: nobody),
 * and is none any more if he came by a helper and somebody with a password here has got his name
 * since, written otherwise. A line with the word `helper` stands for itself. */
static bool is_of_helper(const struct users *u, const char *name, size_t len,
	const struct user *user) REQUIRES_SHARED(&u->lock)
{
	if (user != NULL && !user_is_of_helper(user))
		return false;
	return !is_written_otherwise(u, name, len);
}

/* Whose account of a helper that is; NULL: nobody's. */
static struct user *find_locked(const struct users *u, const char *name, size_t len)
	REQUIRES_SHARED(&u->lock)
{
	struct user *user = users_get_locked(u, name, len);

	return user != NULL && is_of_helper(u, name, len, user) ? user : NULL;
}

bool users_are_asked_of_helper(
	const struct users *u, const struct claim *c, const struct user *user)
{
	if (u->helper == NULL || c->by_admin)
		return false;
	return is_of_helper(u, c->name, c->name_len, user);
}

bool users_ask_helper(struct users *u, const char *name, size_t name_len)
{
	const struct claim c = {.name = name, .name_len = name_len};
	bool asks;

	if (u->helper == NULL)
		return false;
	rwlock_read(&u->lock);
	asks = users_are_asked_of_helper(u, &c, users_get_locked(u, name, name_len));
	rwlock_read_unlock(&u->lock);
	return asks;
}

bool users_are_of_helper(struct users *u, const char *name, size_t name_len)
{
	bool are;

	rwlock_read(&u->lock);
	are = find_locked(u, name, name_len) != NULL;
	rwlock_read_unlock(&u->lock);
	return are;
}

/* ---- accounts ---- */

struct user *users_replace_visitor_locked(struct users *u, struct user *user)
{
	struct user *visitor = NULL;

	if (u->visitors != NULL)
		visitor = hashmap_remove(u->visitors, user->name, user->name_len);
	if (visitor != NULL)
		users_keep_known(visitor, user);
	return visitor;
}

static char *copy_groups(const char *groups)
{
	return *groups == '\0' ? NULL : strdup(groups);
}

static bool has_groups(const struct user *user, const char *groups)
{
	return strcmp(user->groups == NULL ? "" : user->groups, groups) == 0;
}

/* One without a session, of the next few; or NULL. */
static struct user *evict_locked(struct users *u) REQUIRES(&u->lock)
{
	for (int i = 0; i < VISITORS_LOOKED_AT; i++) {
		struct user *user = hashmap_next(u->visitors, &u->visitors_at);

		if (user == NULL)
			u->visitors_at = 0;
		else if (ledger_read(user->entry).sessions == 0)
			return hashmap_remove(u->visitors, user->name, user->name_len);
	}
	return NULL;
}

/* False when somebody of that name is there by now, or memory is out. */
static bool put_visitor(struct users *u, struct user *user)
{
	struct user *gone = NULL;
	bool is_put = false;
	void *old;

	rwlock_write(&u->lock);
	if (users_get_locked(u, user->name, user->name_len) == NULL) {
		if (hashmap_count(u->visitors) >= u->visitors_most)
			gone = evict_locked(u);
		is_put = hashmap_put(u->visitors, user->name, user->name_len, user, &old) == 0;
	}
	rwlock_write_unlock(&u->lock);
	if (gone != NULL)
		ledger_keep_quota(gone->entry);
	users_free_user(gone);
	return is_put;
}

/* False without memory. */
static bool change_groups(struct users *u, const struct helper_person *p)
{
	size_t len = strlen(p->name);
	char *fresh = copy_groups(p->groups);
	struct user *user;

	if (fresh == NULL && *p->groups != '\0')
		return false;
	rwlock_write(&u->lock);
	user = find_locked(u, p->name, len);
	if (user != NULL) {
		char *old = user->groups;

		user->groups = fresh;
		user->version = ++u->epochs;
		fresh = old;
	}
	rwlock_write_unlock(&u->lock);
	free(fresh);
	return users_follow_limits(u, p->name, len) == 0;
}

static void log_taken_name(const char *name)
{
	static struct log_limit limit;
	uint64_t held_back;
	struct log_line line;

	if (!log_limit_pass(&limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN,
		"a helper lets in whom it calls by the name of a user with a password here: "
		"refused");
	log_text(&line, "user", name);
	log_end(&line);
}

static void log_impossible_name(void)
{
	static struct log_limit limit;
	uint64_t held_back;

	if (log_limit_pass(&limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_WARN,
			"a helper lets in somebody under a name that no user can have: refused; "
			"user= in its answer gives him another one");
}

static void log_doubtful_name(void)
{
	static struct log_limit limit;
	uint64_t held_back;

	if (log_limit_pass(&limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_WARN,
			"a helper lets in somebody under a name with letters beyond ASCII, which a "
			"directory may know in several spellings: refused; user= in its answer "
			"says what he is called, or a line helper in the users file");
}

/* What is known of the name that a helper calls somebody. */
enum name_state {
	NAME_IS_FREE,
	NAME_IS_LOCAL,
	NAME_IS_DOUBTFUL,
	NAME_IS_KNOWN,
	NAME_HAS_OTHER_GROUPS,
};

/* May it be one of many spellings by which a directory finds him? Each would have an account, with
 * a quota of its own, and would be no user who was disabled. Those of ASCII's letters are one. */
static bool is_one_of_many(const struct helper_person *p)
{
	for (const char *c = p->name; p->is_as_given && *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			return true;
	}
	return false;
}

static enum name_state look_at_name(struct users *u, const struct helper_person *p)
{
	enum name_state state = NAME_IS_FREE;
	size_t len = strlen(p->name);
	const struct user *user;

	rwlock_read(&u->lock);
	user = users_get_locked(u, p->name, len);
	if (!is_of_helper(u, p->name, len, user))
		state = NAME_IS_LOCAL;
	else if (is_one_of_many(p) && hashmap_get(u->map, p->name, len) == NULL)
		state = NAME_IS_DOUBTFUL;
	else if (user != NULL)
		state = has_groups(user, p->groups) ? NAME_IS_KNOWN : NAME_HAS_OTHER_GROUPS;
	rwlock_read_unlock(&u->lock);
	return state;
}

/* False without memory. Two may come at once, and then the one who was there first is taken. */
static bool add_visitor(struct users *u, const struct helper_person *p)
{
	struct user *fresh = users_make_visitor(u, p->name, p->groups);
	size_t len = strlen(p->name);

	if (fresh == NULL)
		return false;
	if (!put_visitor(u, fresh)) {
		users_free_user(fresh);
		return users_are_of_helper(u, p->name, len);
	}
	/* What is said may have changed meanwhile. */
	return users_follow_limits(u, p->name, len) == 0;
}

/* Sees that the account is there, in the groups that it is in. */
static enum login_result take_in(struct users *u, const struct helper_person *p)
{
	bool is_taken = true;

	if (p->name[0] == '\0') {
		log_impossible_name();
		return LOGIN_REFUSED;
	}
	switch (look_at_name(u, p)) {
	case NAME_IS_LOCAL:
		log_taken_name(p->name);
		return LOGIN_REFUSED;
	case NAME_IS_DOUBTFUL:
		log_doubtful_name();
		return LOGIN_REFUSED;
	case NAME_HAS_OTHER_GROUPS:
		is_taken = change_groups(u, p);
		break;
	case NAME_IS_FREE:
		is_taken = add_visitor(u, p);
		break;
	case NAME_IS_KNOWN:
		break;
	}
	return is_taken ? LOGIN_OK : LOGIN_NO_MEMORY;
}

enum login_result users_join_of_helper(
	struct users *u, const char *name, const struct addr *from, struct ledger_entry **entry)
{
	enum login_result result = LOGIN_REFUSED;
	const struct user *user;

	rwlock_read(&u->lock);
	user = find_locked(u, name, strlen(name));
	if (user != NULL)
		result = users_bar_of(user, from);
	if (result == LOGIN_OK) {
		*entry = user->entry;
		ledger_join_user(*entry);
	}
	rwlock_read_unlock(&u->lock);
	return result;
}

/* ---- logins ---- */

/* Is a helper's account of that name there? */
static bool has_account(struct users *u, const char *name)
{
	return users_are_of_helper(u, name, strlen(name));
}

/* What the account says to a login that is right. */
static enum login_result ask_account(struct users *u, const struct claim *c, const char *name)
{
	enum login_result result = LOGIN_REFUSED;
	const struct user *user;

	rwlock_read(&u->lock);
	user = find_locked(u, name, strlen(name));
	if (user != NULL)
		result = users_bar_of(user, c->from);
	rwlock_read_unlock(&u->lock);
	return result;
}

/* What is remembered; nothing is where the account is gone. */
static enum login_memory recall(
	struct users *u, const unsigned char *tag, char name[USERS_NAME_MAX + 1])
{
	enum login_memory memory = login_helper_recall(u->helper, tag, name);

	return memory == LOGIN_KNOWN_RIGHT && !has_account(u, name) ? LOGIN_UNKNOWN : memory;
}

enum login_result users_recall_by_helper(
	struct users *u, const struct claim *c, char name[USERS_NAME_MAX + 1])
{
	unsigned char tag[USERS_TAG_SIZE];

	if (!login_helper_can_ask(c->name, c->name_len, c->password, c->password_len))
		return LOGIN_REFUSED;
	if (c->holdoff != NULL && !holdoff_may_compare(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	users_compute_tag(u, c, USERS_OF_HELPER, tag);
	if (recall(u, tag, name) != LOGIN_KNOWN_RIGHT)
		return LOGIN_REFUSED;
	if (c->holdoff != NULL)
		holdoff_note_known(c->holdoff, c->from);
	return ask_account(u, c, name);
}

/* The claim's name has no NUL behind it. LOGIN_OK: the login is right. */
static enum login_result ask(struct users *u, const struct claim *c,
	const struct hashing_wait *wait, struct helper_person *p)
{
	char asked[USERS_NAME_MAX + 1];
	const struct helper_question question = {
		.name = asked, .password = c->password, .wait = wait};

	memcpy(asked, c->name, c->name_len);
	asked[c->name_len] = '\0';
	switch (login_helper_ask(u->helper, &question, p)) {
	case HELPER_RIGHT:
		return take_in(u, p);
	case HELPER_WRONG:
		return LOGIN_REFUSED;
	case HELPER_SILENT:
	case HELPER_TOO_LATE:
	case HELPER_TOO_MANY_GROUPS:
		return LOGIN_UNANSWERED;
	case HELPER_NOT_AWAITED:
		return LOGIN_TOO_BUSY;
	case HELPER_NO_MEMORY:
		break;
	}
	return LOGIN_NO_MEMORY;
}

/* Only who logs in in front of a screen: the page is one door for everybody. */
static bool is_counted(const struct claim *c)
{
	return c->by_person && c->holdoff != NULL;
}

static void count_outcome(const struct claim *c, enum login_result result)
{
	if (!is_counted(c))
		return;
	if (result == LOGIN_OK)
		holdoff_forget(c->holdoff, c->from);
	else if (result == LOGIN_REFUSED)
		holdoff_note_failure(c->holdoff, c->from, clock_ms());
}

/* In a turn; LOGIN_OK: the login is right. */
static enum login_result check_in_turn(struct users *u, const struct claim *c,
	const struct hashing_wait *wait, const unsigned char *tag, char name[USERS_NAME_MAX + 1])
{
	uint64_t age = login_helper_age(u->helper);
	struct helper_person p = {.name = ""};
	enum login_memory memory = recall(u, tag, name);
	enum login_result result;

	if (memory == LOGIN_KNOWN_RIGHT)
		return LOGIN_OK;
	if (is_counted(c) && !holdoff_may_check(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	result = memory == LOGIN_KNOWN_WRONG ? LOGIN_REFUSED : ask(u, c, wait, &p);
	count_outcome(c, result);
	if (memory == LOGIN_UNKNOWN && result == LOGIN_REFUSED)
		login_helper_remember(u->helper, tag, NULL, age);
	if (result == LOGIN_OK) {
		login_helper_remember(u->helper, tag, p.name, age);
		strcpy(name, p.name);
	}
	return result;
}

/* Who leaves in the middle of his question, or has no time left for it, leaves the turn to those
 * who wait for the same, and may have more. */
static bool leaves_turn(enum login_result result, const struct hashing_wait *wait)
{
	return result == LOGIN_TOO_BUSY ||
		(result == LOGIN_UNANSWERED && clock_ms() >= wait->deadline);
}

/* What the turn leads to, of oneself or of somebody with the same login, is `*result`. False: that
 * was right, and whose account it is has been forgotten since, or not been kept as somebody had all
 * or any of it forgotten meanwhile: it was not handed over, but remembered. */
static bool take_turn(struct users *u, const struct claim *c, const struct hashing_wait *wait,
	const unsigned char *tag, char name[USERS_NAME_MAX + 1], enum login_result *result)
{
	struct hashing *queue = login_helper_queue(u->helper);
	struct hashing_turn turn;

	*result = LOGIN_TOO_BUSY;
	switch (hashing_enter(queue, wait, &turn)) {
	case HASHING_TURN:
		*result = check_in_turn(u, c, wait, tag, name);
		if (leaves_turn(*result, wait))
			hashing_give_back(queue, &turn);
		else
			hashing_leave(queue, &turn, (int)*result);
		break;
	case HASHING_ANSWERED:
		*result = (enum login_result)turn.answer;
		return *result != LOGIN_OK || recall(u, tag, name) == LOGIN_KNOWN_RIGHT;
	case HASHING_NO_MEMORY:
		*result = LOGIN_NO_MEMORY;
		break;
	case HASHING_REFUSED:
		break;
	}
	return true;
}

/* All whose shared answer is forgotten share another one, once: what comes in between again is more
 * than is waited for. */
static enum login_result take_turns(struct users *u, const struct claim *c,
	const struct hashing_wait *wait, const unsigned char *tag, char name[USERS_NAME_MAX + 1])
{
	enum login_result result;

	for (unsigned i = 0; i < 2; i++) {
		if (take_turn(u, c, wait, tag, name, &result))
			return result;
	}
	return LOGIN_TOO_BUSY;
}

/* Who is counted asks for himself, and so does whoever is to be told what is not remembered. */
static enum login_result wait_for_answer(struct users *u, const struct claim *c,
	struct hashing_wait *wait, const unsigned char *tag, char name[USERS_NAME_MAX + 1])
{
	unsigned char key[USERS_TAG_SIZE];

	memcpy(key, tag, sizeof(key));
	if (is_counted(c))
		users_widen_tag(u, c, key);
	if (c->by_person)
		wait->deadline = clock_deadline(PERSON_PATIENCE_MS);
	wait->key = login_helper_cache(u->helper) > 0 ? key : NULL;
	return take_turns(u, c, wait, tag, name);
}

static enum login_result check_claim_there(struct users *u, const struct claim *c,
	struct hashing_wait *wait, char name[USERS_NAME_MAX + 1])
{
	unsigned char tag[USERS_TAG_SIZE];
	enum login_memory memory;

	users_compute_tag(u, c, USERS_OF_HELPER, tag);
	memory = recall(u, tag, name);
	if (memory == LOGIN_KNOWN_RIGHT) {
		if (is_counted(c))
			holdoff_note_known(c->holdoff, c->from);
		return LOGIN_OK;
	}
	if (is_counted(c) && holdoff_holds(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (memory == LOGIN_KNOWN_WRONG && !is_counted(c))
		return LOGIN_REFUSED;
	return wait_for_answer(u, c, wait, tag, name);
}

/* What cannot be asked is wrong, as if it had been. */
enum login_result users_check_by_helper(struct users *u, const struct claim *c,
	struct hashing_wait *wait, char name[USERS_NAME_MAX + 1])
{
	enum login_result result = LOGIN_REFUSED;

	if (is_counted(c) && !holdoff_may_compare(c->holdoff, c->from, clock_ms()))
		return LOGIN_HELD_OFF;
	if (login_helper_can_ask(c->name, c->name_len, c->password, c->password_len))
		result = check_claim_there(u, c, wait, name);
	else
		count_outcome(c, LOGIN_REFUSED);
	return result == LOGIN_OK ? ask_account(u, c, name) : result;
}
