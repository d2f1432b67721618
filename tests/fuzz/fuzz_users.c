/* The file of users. */
#include "fuzz.h"

#include <string.h>

#include "state/users_file.h"

static const char *take(void *taker, const struct user_record *user)
{
	struct limits limits;
	char why[LIMITS_ERROR_MAX];

	FUZZ_CHECK(user->name_len >= 1 && user->name_len <= USERS_NAME_MAX);
	FUZZ_CHECK(users_name_problem(user->name, user->name_len) == NULL);
	FUZZ_CHECK(strlen(user->hash) > 0);
	FUZZ_CHECK(limits_parse(user->attributes, LIMITS_OF_USER, &limits, why));
	++*(size_t *)taker;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct users_backend file = users_file_backend(fuzz_file(bytes, len));
	char error[USERS_ERROR_MAX] = "";
	size_t count = 0;
	int result = file.load(file.context, take, &count, error);

	file.free(file.context);
	FUZZ_CHECK(result == 0 || strlen(error) > 0);
	return 0;
}
