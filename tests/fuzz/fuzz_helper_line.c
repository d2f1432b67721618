/* Whatever a helper says: the user of an answer is one that can be asked about, and no text holds
 * control bytes. */
#include <string.h>

#include "fuzz.h"
#include "wire/helper_line.h"

static void check_line(const char *text, size_t len, bool has_channel)
{
	struct helper_answer a;
	int used = helper_line_parse(text, len, has_channel, &a);

	FUZZ_CHECK(used >= HELPER_LINE_MALFORMED && used <= (int)len && used <= HELPER_LINE_MAX);
	FUZZ_CHECK(used != HELPER_LINE_MORE || memchr(text, '\n', len) == NULL);
	if (used <= 0)
		return;
	FUZZ_CHECK(text[used - 1] == '\n');
	FUZZ_CHECK((a.channel != HELPER_NO_CHANNEL) == has_channel);
	FUZZ_CHECK(a.user[0] == '\0' || auth_line_can_ask(a.user, strlen(a.user)));
	FUZZ_CHECK(a.message[0] == '\0' || auth_line_can_ask(a.message, strlen(a.message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Of its own, so that a read beyond its end is seen. */
	char *text = malloc(len == 0 ? 1 : len);

	FUZZ_CHECK(text != NULL);
	memcpy(text, bytes, len);
	check_line(text, len, false);
	check_line(text, len, true);
	free(text);
	return 0;
}
