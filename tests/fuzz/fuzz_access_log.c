/* The end of the access log's file, as it is read at start. */
#include "fuzz.h"

#include <string.h>

#include "state/access_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct access_entry entries[16];
	struct access_log *log = access_log_new(8);
	struct access_cursor cursor;

	FUZZ_CHECK(log != NULL);
	FUZZ_CHECK(access_log_fill(log, fuzz_file(bytes, len)) == 0);
	access_log_begin(log, &cursor, NULL, 0, 8);
	while (cursor.next != cursor.end) {
		size_t n = access_log_read(log, &cursor, entries, 16);

		for (size_t i = 0; i < n; i++) {
			FUZZ_CHECK(entries[i].user_len <= USERS_NAME_MAX);
			FUZZ_CHECK(strlen(entries[i].target) < ACCESS_TARGET_MAX);
			FUZZ_CHECK(strlen(entries[i].reason) < ACCESS_REASON_MAX);
			FUZZ_CHECK(entries[i].success == (entries[i].reason[0] == '\0'));
		}
	}
	access_log_free(log);
	return 0;
}
