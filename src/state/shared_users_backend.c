/*
 * In front of the backend of the users whom this node keeps alone. Whoever is in that one is its
 * own, and whoever becomes an admin goes there; all others are the nodes'. So who can write where
 * nodes share their state makes nobody an administrator, and changes nobody who is this node's.
 *
 * Somebody of both is this node's own, which the log says once of each.
 */
#include "state/shared_users_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "state/limits.h"
#include "state/users_memory.h"

/* ---- who is hidden ---- */

/* Was it not said of him yet? What cannot be remembered is said again. */
static bool note_hidden(struct shared_users *s, const char *name)
{
	if (name_queue_has(s->hidden, name))
		return false;
	(void)!name_queue_put(s->hidden, name);
	return true;
}

static void say_hidden(const char *name, size_t more)
{
	struct log_line line;

	log_begin(&line, LOG_WARN,
		"shared_users: a user of this node's own holds here, not the one whom the nodes "
		"share under that name");
	log_text(&line, "user", name);
	if (more > 0)
		log_number(&line, "more", (int64_t)more);
	log_end(&line);
}

/* ---- loading ---- */

struct reading {
	struct shared_users *shared;
	users_taker *take;
	void *taker;
	size_t bad, hidden;
	char first_hidden[USERS_NAME_MAX + 1];
};

static const char *take_own(void *context, const struct user_record *user)
{
	struct reading *r = context;

	if (name_queue_put(r->shared->read, user->name) < 0)
		return "out of memory";
	return r->take(r->taker, user);
}

static struct user_record record_of_shared(const char *name, const struct shared_record *r)
{
	return (struct user_record){.name = name,
		.name_len = strlen(name),
		.hash = r->hash,
		.role = USER_ROLE_USER,
		.attributes = r->attributes};
}

static void count_hidden(struct reading *r, const char *name)
{
	if (!note_hidden(r->shared, name))
		return;
	if (r->hidden++ == 0)
		snprintf(r->first_hidden, sizeof(r->first_hidden), "%s", name);
}

static const char *take_shared(struct reading *r, const struct standing_fact *fact)
{
	char problem[LIMITS_ERROR_MAX];
	struct user_record user;
	struct shared_record record;

	if (shared_record_parse(fact->value, &record) != NULL ||
		shared_record_problem(&record, fact->key, problem) != NULL) {
		r->bad++;
		return NULL;
	}
	if (record.is_deleted) {
		shared_users_note_grave(r->shared, fact->key);
		return NULL;
	}
	if (name_queue_has(r->shared->read, fact->key)) {
		count_hidden(r, fact->key);
		return NULL;
	}
	user = record_of_shared(fact->key, &record);
	/* cppcheck-suppress returnDanglingLifetime ; a text, and never the user's */
	return r->take(r->taker, &user);
}

static int load_shared(struct reading *r, char *error)
{
	size_t count = 0;
	struct standing_fact *facts = shared_users_list(r->shared, &count);
	const char *why = facts == NULL ? "out of memory" : NULL;

	for (size_t i = 0; i < count && why == NULL; i++)
		why = take_shared(r, &facts[i]);
	free(facts);
	if (why != NULL)
		snprintf(error, USERS_ERROR_MAX, "shared_users: %s", why);
	return why != NULL ? -1 : 0;
}

static int load_both(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	struct shared_users *s = context;
	struct reading r = {.shared = s, .take = take, .taker = taker};

	name_queue_free(s->read);
	s->read = name_queue_new();
	if (s->read == NULL) {
		snprintf(error, USERS_ERROR_MAX, "shared_users: out of memory");
		return -1;
	}
	if (s->inner.load(s->inner.context, take_own, &r, error) < 0 || load_shared(&r, error) < 0)
		return -1;
	if (r.hidden > 0)
		say_hidden(r.first_hidden, r.hidden - 1);
	if (r.bad > 0)
		log_message(LOG_WARN,
			"shared_users: %zu of the records kept can be nobody's, and were passed over",
			r.bad);
	return 0;
}

static void settle_both(void *context)
{
	struct shared_users *s = context;
	struct name_queue *old = s->own;

	s->inner.settle(s->inner.context);
	if (s->read == NULL)
		return;
	mutex_lock(&s->lock);
	s->own = s->read;
	mutex_unlock(&s->lock);
	s->read = NULL;
	name_queue_free(old);
}

static bool is_inner_outdated(void *context)
{
	const struct shared_users *s = context;

	return s->inner.is_outdated(s->inner.context);
}

/* ---- one user ---- */

static int fetch_shared(void *context, const char *name, size_t name_len, users_taker *take,
	void *taker, char error[USERS_ERROR_MAX])
{
	struct shared_users *s = context;
	struct shared_record r;
	struct user_record user;
	const char *why = NULL;
	enum shared_found found;
	char *text;

	(void)name_len;
	if (shared_users_is_own(s, name)) {
		if (shared_users_stand(s, name) && note_hidden(s, name))
			say_hidden(name, 0);
		return 1;
	}
	found = shared_users_find(s, name, &r, &text);
	if (found == SHARED_UNREADABLE)
		why = "out of memory";
	if (found == SHARED_USER) {
		user = record_of_shared(name, &r);
		why = take(taker, &user);
	}
	free(text);
	if (why != NULL)
		snprintf(error, USERS_ERROR_MAX, "%s: %s", name, why);
	return why != NULL ? -1 : found == SHARED_USER;
}

/* False, with the reason: what stands of them may be long outdated. */
static bool may_change_shared(
	struct shared_users *s, const char *name, const char *what, char *error)
{
	if (shared_users_are_valid(s))
		return true;
	snprintf(error, USERS_ERROR_MAX,
		"%s cannot be %s: the nodes have not heard of each other for longer "
		"than shared_grace",
		name, what);
	return false;
}

/* What stands of him, unless the record says something else. */
static int save_shared(struct shared_users *s, const struct user_record *user, char *error)
{
	const char *attributes = user->attributes;
	struct shared_record there;
	char *text;
	int result;

	if (!may_change_shared(s, user->name, "kept", error))
		return -1;
	if (shared_users_find(s, user->name, &there, &text) == SHARED_USER &&
		!user->sets_attributes)
		attributes = there.attributes;
	result = shared_users_say(s, user->name, user->hash, attributes, error);
	free(text);
	return result;
}

static int save_own(struct shared_users *s, const struct user_record *user, char *error)
{
	int result;

	mutex_lock(&s->lock);
	result = name_queue_prepare(s->own, user->name);
	mutex_unlock(&s->lock);
	if (result < 0) {
		snprintf(error, USERS_ERROR_MAX, "%s cannot be kept: out of memory", user->name);
		return -1;
	}
	if (s->inner.save(s->inner.context, user, error) < 0)
		return -1;
	mutex_lock(&s->lock);
	(void)!name_queue_put(s->own, user->name);
	mutex_unlock(&s->lock);
	return 0;
}

static int save_either(void *context, const struct user_record *user, char error[USERS_ERROR_MAX])
{
	struct shared_users *s = context;

	if (user->role != USER_ROLE_ADMIN && !shared_users_is_own(s, user->name))
		return save_shared(s, user, error);
	if (shared_users_have(s, user->name) && !may_change_shared(s, user->name, "kept", error))
		return -1;
	return save_own(s, user, error);
}

static int remove_own(struct shared_users *s, const char *name, char *error)
{
	if (!shared_users_is_own(s, name))
		return 0;
	if (s->inner.remove(s->inner.context, name, strlen(name), error) < 0)
		return -1;
	mutex_lock(&s->lock);
	(void)name_queue_remove(s->own, name);
	mutex_unlock(&s->lock);
	(void)name_queue_remove(s->hidden, name);
	return 0;
}

/* The nodes' first: what cannot be written here is tried again, and then is all that is left. */
static int remove_both(
	void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX])
{
	struct shared_users *s = context;

	(void)name_len;
	if (shared_users_stand(s, name) &&
		(!may_change_shared(s, name, "deleted", error) ||
			shared_users_say(s, name, NULL, "", error) < 0))
		return -1;
	return remove_own(s, name, error);
}

static void free_inner(void *context)
{
	struct shared_users *s = context;

	s->inner.free(s->inner.context);
	s->inner = (struct users_backend){.context = NULL};
}

struct users_backend shared_users_backend(struct shared_users *s, const struct users_backend *inner)
{
	s->is_inner_kept = inner != NULL;
	s->inner = inner != NULL ? *inner : users_memory_backend();
	return (struct users_backend){.context = s->inner.context == NULL ? NULL : s,
		.load = load_both,
		.settle = settle_both,
		.is_outdated = is_inner_outdated,
		.save = save_either,
		.remove = remove_both,
		.fetch = fetch_shared,
		.free = free_inner};
}

/* ---- from one to the other ---- */

int shared_users_share(struct shared_users *s, const char *name, const char *hash,
	const char *attributes, char error[USERS_ERROR_MAX])
{
	const struct user_record user = {.name = name,
		.name_len = strlen(name),
		.hash = hash,
		.attributes = attributes,
		.sets_attributes = true};

	(void)note_hidden(s, name); /* as whoever has said this knows */
	return save_shared(s, &user, error);
}

int shared_users_unhide(struct shared_users *s, const char *name, char error[USERS_ERROR_MAX])
{
	return remove_own(s, name, error);
}
