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

bool password_hash_is_legal(const char *hash)
{
	int verdict = crypt_checksalt(hash);

	if (strlen(hash) >= PASSWORD_HASH_SIZE || strlen(hash) < 13)
		return false; /* 13: DES, the shortest of them */
	return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY ||
		verdict == CRYPT_SALT_TOO_CHEAP;
}
