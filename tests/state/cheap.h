/* cheap: password hashes of the lowest cost, so that tests are quick. */
#ifndef TESTS_STATE_CHEAP_H
#define TESTS_STATE_CHEAP_H

#include <crypt.h>

#include "../base/check.h"
#include "state/password.h"

/* A hash of `password` by the method `prefix` ("$2b$") at `cost`, with a salt of its own. */
static inline void cheap_hash_by(
	const char *prefix, unsigned long cost, const char *password, char out[PASSWORD_HASH_SIZE])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));

	assert_non_null(data);
	assert_non_null(crypt_gensalt_rn(prefix, cost, NULL, 0, setting, sizeof(setting)));
	assert_non_null(crypt_rn(password, setting, data, sizeof(*data)));
	strcpy(out, data->output);
	free(data);
}

/* bcrypt at the cost 4: about a millisecond. */
static inline void cheap_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	cheap_hash_by("$2b$", 4, password, out);
}

/* password_check(), where there is memory. */
static inline bool is_password(const char *password, const char *hash)
{
	bool matches = false;

	assert_int_equal(password_check(password, hash, &matches), 0);
	return matches;
}

#endif
