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

bool password_matches(const char *password, const char *hash)
{
	char computed[PASSWORD_HASH_SIZE];
	size_t len = strlen(hash);

	if (compute(password, hash, computed) < 0 || strlen(computed) != len)
		return false;
	return sodium_memcmp(computed, hash, len) == 0;
}

/* The characters of a complete hash behind its last $, by method (crypt(5)). */
static size_t digest_len(const char *hash)
{
	static const struct {
		const char *prefix;
		size_t len;
	} methods[] = {{"$y$", 43}, {"$gy$", 43}, {"$7$", 43}, {"$2", 53}, {"$6$", 86}, {"$5$", 43},
		{"$sha1$", 28}, {"$md5", 22}, {"$1$", 22}, {"$3$", 32}};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strncmp(hash, methods[i].prefix, strlen(methods[i].prefix)) == 0)
			return methods[i].len;
	}
	return 0;
}

/* crypt_checksalt(3) looks at method and salt only, and takes most words for the salt of a DES
 * hash, plain passwords too; DES with its 8 characters is no method to support. */
bool password_hash_is_legal(const char *hash)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *digest = strrchr(hash, '$');
	int verdict = crypt_checksalt(hash);

	if (digest == NULL || strlen(hash) >= PASSWORD_HASH_SIZE)
		return false;
	if (strlen(digest + 1) != digest_len(hash) ||
		strspn(digest + 1, digits) != strlen(digest + 1))
		return false;
	return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY ||
		verdict == CRYPT_SALT_TOO_CHEAP;
}
