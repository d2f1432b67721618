/* The file of users. */
#include "fuzz.h"

#include <string.h>

#include "state/users_file.h"

static const char *take(void *context, const struct users_file_entry *entry)
{
	FUZZ_CHECK(entry->name_len >= 1 && entry->name_len <= USERS_NAME_MAX);
	FUZZ_CHECK(users_name_problem(entry->name, entry->name_len) == NULL);
	FUZZ_CHECK(strlen(entry->hash) > 0);
	++*(size_t *)context;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char error[USERS_ERROR_MAX] = "";
	size_t count = 0;
	int result = users_file_read(fuzz_file(bytes, len), take, &count, error);

	FUZZ_CHECK(result == 0 || strlen(error) > 0);
	return 0;
}
