/*
 * A table in memory, gone through as a whole: it is small, and each id is compared in constant
 * time. What may end a session (another password or role, a ban on the user) is asked anew at each
 * request, so nothing has to tell this table of it.
 */
#include "web/logins.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"

void logins_make_id(char out[LOGINS_ID_TEXT + 1])
{
	unsigned char bytes[LOGINS_ID_SIZE];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(out, LOGINS_ID_TEXT + 1, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
}

bool logins_is_token(const char *expected, const char *given)
{
	return strlen(given) == LOGINS_ID_TEXT &&
		sodium_memcmp(expected, given, LOGINS_ID_TEXT) == 0;
}

/* A free one, or that of who did nothing for longest. */
static struct login_session *make_room(struct logins *l)
{
	struct login_session *found = &l->sessions[0];

	for (size_t i = 0; i < LOGINS_MOST; i++) {
		struct login_session *s = &l->sessions[i];

		if (!s->is_used)
			return s;
		if (s->last_act < found->last_act)
			found = s;
	}
	return found;
}

struct login_session *logins_begin(
	struct logins *l, struct users *users, const char *user, uint64_t password_mark)
{
	struct login_session *s = make_room(l);
	struct user_info info;

	if (!users_get(users, user, &info))
		return NULL;
	*s = (struct login_session){.is_used = true,
		.role = info.role,
		.password_mark = password_mark,
		.epoch = users_login_epoch(users, user),
		.begun = clock_ms(),
		.last_act = clock_ms()};
	strcpy(s->user, user);
	logins_make_id(s->id);
	logins_make_id(s->token);
	return s;
}

static bool is_over(const struct login_session *s, struct users *users, const struct addr *from)
{
	int64_t now = clock_ms();

	return now - s->last_act >= LOGINS_IDLE_MS || now - s->begun >= LOGINS_LONGEST_MS ||
		users_login_epoch(users, s->user) != s->epoch ||
		users_password_mark(users, s->user) != s->password_mark ||
		users_bar(users, s->user, strlen(s->user), from) != LOGIN_OK;
}

struct login_session *logins_find(struct logins *l, struct users *users,
	const struct http_slice *cookie, const struct addr *from)
{
	struct login_session *found = NULL;

	if (cookie->len != LOGINS_ID_TEXT)
		return NULL;
	for (size_t i = 0; i < LOGINS_MOST; i++) {
		struct login_session *s = &l->sessions[i];

		if (s->is_used && sodium_memcmp(s->id, cookie->text, LOGINS_ID_TEXT) == 0)
			found = s;
	}
	if (found == NULL || !is_over(found, users, from))
		return found;
	logins_end(found);
	return NULL;
}

void logins_note_act(struct login_session *s)
{
	s->last_act = clock_ms();
}

void logins_end(struct login_session *s)
{
	if (s != NULL)
		sodium_memzero(s, sizeof(*s));
}

void logins_clear(struct logins *l)
{
	sodium_memzero(l, sizeof(*l));
}
