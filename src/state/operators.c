/*
 * The same command line is given at every start, so a password that is right already is not hashed
 * anew: the users file would be written each time. Whoever is no admin yet is not checked, since
 * that would take as long as a hash.
 */
#include "state/operators.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static bool is_operator(struct users *u, const struct user_credentials *c)
{
	struct login login = {.name = c->name,
		.name_len = strlen(c->name),
		.password = c->password,
		.password_len = strlen(c->password)};
	struct user_info info;

	return users_get(u, c->name, &info) && info.role == USER_ROLE_ADMIN &&
		users_login_admin(u, &login) == LOGIN_OK;
}

static int put_operator(
	struct users *u, struct hashing *hashing, const struct user_credentials *c, char *error)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	char hash[PASSWORD_HASH_SIZE];

	if (hashing_make(hashing, &wait, c->password, hash) < 0) {
		snprintf(error, USERS_ERROR_MAX, "%s: the password cannot be hashed: %s", c->name,
			strerror(errno));
		return -1;
	}
	if (users_set_admin(u, c->name, hash, error) < 0)
		return -1;
	users_remember(u, c, hash);
	return 0;
}

bool operators_are_kept(struct users *u, const struct user_credentials *operators, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_operator(u, &operators[i]))
			return false;
	}
	return true;
}

int operators_put(struct users *u, struct hashing *hashing,
	const struct user_credentials *operators, size_t count, char error[USERS_ERROR_MAX])
{
	for (size_t i = 0; i < count; i++) {
		if (users_note_given(u, operators[i].name) < 0) {
			snprintf(error, USERS_ERROR_MAX, "%s: out of memory", operators[i].name);
			return -1;
		}
		if (!is_operator(u, &operators[i]) &&
			put_operator(u, hashing, &operators[i], error) < 0)
			return -1;
	}
	return 0;
}
