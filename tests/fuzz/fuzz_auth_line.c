/* Questions and answers about logins: what is read holds no control byte, and written again it is
 * read as the same. */
#include <string.h>

#include "fuzz.h"
#include "wire/auth_line.h"

static void check_used(int used, const char *text, size_t len)
{
	FUZZ_CHECK(used >= AUTH_LINE_MALFORMED && used <= (int)len);
	FUZZ_CHECK(used <= 0 || (text[used - 1] == '\n' && used <= AUTH_LINE_MAX));
	FUZZ_CHECK(used != AUTH_LINE_MORE || memchr(text, '\n', len) == NULL);
}

static void check_question(const char *text, size_t len)
{
	struct auth_question q, again;
	char line[AUTH_LINE_MAX];
	int used = auth_line_parse_question(text, len, &q);
	size_t written;

	check_used(used, text, len);
	if (used <= 0)
		return;
	FUZZ_CHECK(auth_line_can_ask(q.name, strlen(q.name)));
	FUZZ_CHECK(auth_line_can_ask(q.password, strlen(q.password)));
	written = auth_line_put_question(q.name, q.password, q.groups, line, sizeof(line));
	FUZZ_CHECK(written > 0);
	FUZZ_CHECK(auth_line_parse_question(line, written, &again) == (int)written);
	FUZZ_CHECK(strcmp(q.name, again.name) == 0 && strcmp(q.password, again.password) == 0 &&
		strcmp(q.groups, again.groups) == 0);
}

static void check_answer(const char *text, size_t len)
{
	struct auth_answer a, again;
	char line[AUTH_LINE_MAX];
	int used = auth_line_parse_answer(text, len, &a);
	size_t written;

	check_used(used, text, len);
	if (used <= 0)
		return;
	written = auth_line_put_answer(&a, line, sizeof(line));
	FUZZ_CHECK(written > 0);
	FUZZ_CHECK(auth_line_parse_answer(line, written, &again) == (int)written);
	FUZZ_CHECK(a.verdict == again.verdict && strcmp(a.user, again.user) == 0 &&
		strcmp(a.groups, again.groups) == 0 && strcmp(a.message, again.message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Of its own, so that a read beyond its end is seen. */
	char *text = malloc(len == 0 ? 1 : len);

	FUZZ_CHECK(text != NULL);
	memcpy(text, bytes, len);
	check_question(text, len);
	check_answer(text, len);
	free(text);
	return 0;
}
