/*
 * The words for a user: what he may, as files and commands write it, and what his name and password
 * may be. A name must be told from all that stands beside names in rules and commands.
 */
#include "state/user_words.h"

#include <string.h>

#include "base/addr.h"
#include "base/lines.h"

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

void users_put_lower(const char *name, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
}

const char *users_helper_problem(
	const char *name, size_t len, const char *hash, enum user_role role)
{
	if (strcmp(hash, USERS_OF_HELPER) != 0)
		return NULL;
	if (role == USER_ROLE_ADMIN)
		return "whose password a helper knows is no admin: that takes a password here";
	for (size_t i = 0; i < len; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			return "whose password a helper knows is written in lower case, as accounts "
			       "of helpers are called";
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
