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

/* ---- methods (crypt(5)) ---- */

struct method {
	const char *prefix;
	size_t digest_len; /* the characters behind the last $ */
	/* Where the parameters are that say what it costs: as many characters behind the prefix, or
	 * all up to the next $ (UP_TO_DOLLAR), or the same if it begins with "rounds=" (ROUNDS). */
	int parameters;
	bool takes_megabytes;
};

#define UP_TO_DOLLAR (-1)
#define ROUNDS (-2)

static const struct method *find_method(const char *hash)
{
	static const struct method methods[] = {{"$y$", 43, UP_TO_DOLLAR, true},
		{"$gy$", 43, UP_TO_DOLLAR, true}, {"$7$", 43, 11, true}, {"$2", 53, 5, false},
		{"$6$", 86, ROUNDS, false}, {"$5$", 43, ROUNDS, false},
		{"$sha1$", 28, UP_TO_DOLLAR, false}, {"$md5", 22, UP_TO_DOLLAR, false},
		{"$1$", 22, 0, false}, {"$3$", 32, 0, false}};

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
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const struct method *method = find_method(hash);
	const char *digest = strrchr(hash, '$');
	int verdict = crypt_checksalt(hash);

	if (digest == NULL || strlen(hash) >= PASSWORD_HASH_SIZE)
		return false;
	if (method == NULL || strlen(digest + 1) != method->digest_len ||
		strspn(digest + 1, digits) != strlen(digest + 1))
		return false;
	return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY ||
		verdict == CRYPT_SALT_TOO_CHEAP;
}
