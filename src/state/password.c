/*
 * libcrypt chooses the method of new hashes, so that it grows stronger with the system, and knows
 * those of others, so that hashes come from mkpasswd(1) or another machine. A decoy is a salt with
 * no hash behind it: nothing matches it, and finding that out takes as long as for a hash.
 */
#include "state/password.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(PASSWORD_HASH_SIZE == CRYPT_OUTPUT_SIZE, "as crypt(3) says");

/* ---- parameters: is there anything that libcrypt can compute by them? ----
 *
 * It looks at them only when it computes, and calls them wrong as it calls memory that is out; at
 * each login, then. */

static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* A number of 0 to 63, one character; -1: it is none. */
static int take_digit(const char **text)
{
	const char *at = **text == '\0' ? NULL : strchr(digits, **text);

	if (at == NULL)
		return -1;
	++*text;
	return (int)(at - digits);
}

/* Skips a number of yescrypt's: its first character is below 48, or says how many follow. */
static bool skip_number(const char **text)
{
	int first = take_digit(text), start = 0, end = 47, chars = 0;

	if (first < 0)
		return false;
	for (; first > end; chars++) {
		start = end + 1;
		end = start + (62 - end) / 2;
	}
	for (; chars > 0; chars--) {
		if (take_digit(text) < 0)
			return false;
	}
	return true;
}

/* yescrypt's: a flavour (scrypt's, its first, or the one that is made now), the logarithm of N and
 * r; then perhaps which others follow, a bit each, and these: p and t, as the rest wants what only
 * its authors have. */
static bool is_legal_for_yescrypt(const char *text)
{
	static const char flavours[] = "./j";
	int log, which = 0;

	if (*text == '\0' || strchr(flavours, *text) == NULL)
		return false;
	text++;
	log = take_digit(&text);
	if (log < 1 || log > 47 || !skip_number(&text))
		return false;
	if (*text != '$')
		which = take_digit(&text) + 1;
	if (which > 3)
		return false;
	for (; which > 0; which >>= 1) {
		if ((which & 1) != 0 && !skip_number(&text))
			return false;
	}
	return *text == '$';
}

/* scrypt's: the logarithm of N, and five characters each of r and p. */
static bool is_legal_for_scrypt(const char *text)
{
	static const size_t numbers = 10;
	int log = take_digit(&text);

	return log >= 1 && strspn(text, digits) >= numbers && strncmp(text, ".....", 5) != 0 &&
		strncmp(text + 5, ".....", 5) != 0;
}

/* bcrypt's: a letter, and the logarithm of its rounds. */
static bool is_legal_for_bcrypt(const char *text)
{
	static const char decimal[] = "0123456789";
	int log;

	if (strlen(text) < 5 || text[1] != '$' || text[4] != '$' || strspn(text + 2, decimal) != 2)
		return false;
	log = (text[2] - '0') * 10 + (text[3] - '0');
	return log >= 4 && log <= 31;
}

/* SHA-crypt's: rounds=NUMBER, or nothing. */
static bool is_legal_for_sha(const char *text)
{
	static const char rounds[] = "rounds=";
	size_t len;

	if (strncmp(text, rounds, strlen(rounds)) != 0)
		return true;
	text += strlen(rounds);
	len = strspn(text, "0123456789");
	return len >= 4 && len <= 9 && text[0] != '0' && text[len] == '$';
}

/* ---- methods (crypt(5)) ---- */

struct method {
	const char *prefix;
	size_t digest_len; /* the characters behind the last $ */
	/* Where the parameters are that say what it costs: as many characters behind the prefix, or
	 * all up to the next $ (UP_TO_DOLLAR), or the same if it begins with "rounds=" (ROUNDS). */
	int parameters;
	bool takes_megabytes;
	bool (*is_legal)(const char *parameters); /* NULL: it is not looked at */
};

#define UP_TO_DOLLAR (-1)
#define ROUNDS (-2)

static const struct method *find_method(const char *hash)
{
	static const struct method methods[] = {
		{"$y$", 43, UP_TO_DOLLAR, true, is_legal_for_yescrypt},
		{"$gy$", 43, UP_TO_DOLLAR, true, is_legal_for_yescrypt},
		{"$7$", 43, 11, true, is_legal_for_scrypt},
		{"$2", 53, 5, false, is_legal_for_bcrypt},
		{"$6$", 86, ROUNDS, false, is_legal_for_sha},
		{"$5$", 43, ROUNDS, false, is_legal_for_sha},
		{"$sha1$", 28, UP_TO_DOLLAR, false, NULL}, {"$md5", 22, UP_TO_DOLLAR, false, NULL},
		{"$1$", 22, 0, false, NULL}, {"$3$", 32, 0, false, NULL}};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strncmp(hash, methods[i].prefix, strlen(methods[i].prefix)) == 0)
			return &methods[i];
	}
	return NULL;
}

size_t password_kind_len(const char *hash)
{
	static const char rounds[] = "rounds=";
	const struct method *m = find_method(hash);
	size_t prefix = m == NULL ? 0 : strlen(m->prefix);
	const char *parameters = hash + prefix;

	if (m == NULL)
		return 0;
	if (m->parameters >= 0)
		return prefix + strnlen(parameters, (size_t)m->parameters);
	if (m->parameters == ROUNDS && strncmp(parameters, rounds, strlen(rounds)) != 0)
		return prefix;
	return prefix + strcspn(parameters, "$");
}

/* ---- hashes ---- */

/* How deep below its caller crypt(3) may leave the password. */
#define LEFT_ON_STACK 4096

/* struct crypt_data has 32 kB, which no worker's stack has room for. */
static int compute(const char *password, const char *setting, char out[PASSWORD_HASH_SIZE])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *hash;
	int result = -1;

	if (data == NULL)
		return -1;
	hash = crypt_rn(password, setting, data, sizeof(*data));
	if (hash != NULL) {
		strcpy(out, hash);
		result = 0;
	}
	sodium_memzero(data, sizeof(*data));
	free(data);
	sodium_stackzero(LEFT_ON_STACK);
	return result;
}

int password_decoy(char out[PASSWORD_HASH_SIZE])
{
	return crypt_gensalt_rn(NULL, 0, NULL, 0, out, PASSWORD_HASH_SIZE) == NULL ? -1 : 0;
}

int password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	char setting[PASSWORD_HASH_SIZE];

	if (password_decoy(setting) < 0)
		return -1;
	return compute(password, setting, out);
}

/* libcrypt says of want of memory what it says of a bad hash: EINVAL. */
static bool lacks_memory(const char *hash, int error)
{
	const struct method *m = find_method(hash);

	return error == ENOMEM || (m != NULL && m->takes_megabytes);
}

/* Anything but want of memory is the hash's fault: no password is that one's. */
int password_check(const char *password, const char *hash, bool *matches)
{
	char computed[PASSWORD_HASH_SIZE];
	size_t len = strlen(hash);

	*matches = false;
	if (compute(password, hash, computed) == 0) {
		*matches = strlen(computed) == len && sodium_memcmp(computed, hash, len) == 0;
	} else if (lacks_memory(hash, errno)) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* crypt_checksalt(3) looks at method and salt only, and takes most words for the salt of a DES
 * hash, plain passwords too; DES with its 8 characters is no method to support. */
bool password_hash_is_legal(const char *hash)
{
	const struct method *method = find_method(hash);
	const char *digest = strrchr(hash, '$');
	int verdict = crypt_checksalt(hash);

	if (digest == NULL || strlen(hash) >= PASSWORD_HASH_SIZE)
		return false;
	if (method == NULL ||
		(method->is_legal != NULL && !method->is_legal(hash + strlen(method->prefix))) ||
		strlen(digest + 1) != method->digest_len ||
		strspn(digest + 1, digits) != strlen(digest + 1))
		return false;
	return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY ||
		verdict == CRYPT_SALT_TOO_CHEAP;
}
