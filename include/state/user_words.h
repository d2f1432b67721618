/* user_words: the words for what a user may, and what names and passwords may be. No state, no
 * lock.
 */
#ifndef STATE_USER_WORDS_H
#define STATE_USER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define USERS_NAME_MAX 255 /* RFC 1929 section 2 */
#define USERS_PASSWORD_MAX 255 /* RFC 1929 section 2 */

/* What stands for a name where there was no login. */
#define USERS_ANONYMOUS "Anonymous"

/* What stands for a hash where a helper (login_helper.h) is asked about the password. */
#define USERS_OF_HELPER "helper"

/* What a user may: the one list, with the words in the file, in commands and in listings. */
/* clang-format off */
#define USER_ROLE_LIST(X) \
	X(USER, "user") \
	X(ADMIN, "admin") /* uses the monitor too */

enum user_role {
#define USER_ROLE(name, word) USER_ROLE_##name,
	USER_ROLE_LIST(USER_ROLE)
#undef USER_ROLE
	USER_ROLES,
};
/* clang-format on */

const char *user_role_word(enum user_role role);

/* False when it is none of the words. */
bool user_role_parse(const char *word, enum user_role *role);

/* Why `name` cannot be the name of a user, in words; NULL when it can. */
const char *users_name_problem(const char *name, size_t len);

/* Writes the `len` bytes of a name in lower case, of ASCII's letters: what is that of others
 * depends on who is asked. `out` may be the name itself. */
void users_put_lower(const char *name, size_t len, char *out);

/* Why a user with this hash cannot have that name and role; NULL when he can. Accounts that helpers
 * know are called in lower case, and none of them is an administrator. */
const char *users_helper_problem(
	const char *name, size_t len, const char *hash, enum user_role role);

/* The same for a password. */
const char *users_password_problem(const char *password);

#endif
