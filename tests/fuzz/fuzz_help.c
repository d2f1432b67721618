/* Completion by what a server says in HELP: a line to complete, up to the first LF, the reply to
 * HELP up to its end, and the reply to whatever names more words. */
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "client/completion.h"

static void check_word(const struct completion *c, const char *word)
{
	size_t len = strlen(word), n;

	FUZZ_CHECK(len > 0 && len < COMPLETION_WORD_MAX);
	FUZZ_CHECK(strncasecmp(word, c->begun, c->begun_len) == 0);
	for (size_t i = 0; i < len; i += n) {
		n = utf8_length(word + i, len - i);
		FUZZ_CHECK(n > 0 && !utf8_is_control(word + i, n));
	}
}

/* What all words have in common completes each of them. */
static void check_words(const struct completion *c)
{
	size_t common = completion_common(c);

	FUZZ_CHECK(common >= c->begun_len);
	for (size_t i = 0; i < c->count; i++) {
		check_word(c, c->words[i]);
		FUZZ_CHECK(strlen(c->words[i]) >= common);
		FUZZ_CHECK(memcmp(c->words[i], c->words[0], common) == 0 || common == c->begun_len);
	}
}

static void complete(const char *line, size_t line_len, const char *p, size_t len)
{
	size_t end = answer_find_end(p, len, 0);
	struct completion c = {.count = 0};
	struct answer help, more;

	if (answer_parse(p, end > 0 ? end : len, &help) < 0)
		return;
	completion_find(&c, &help, line, line_len);
	FUZZ_CHECK(c.begun + c.begun_len == line + line_len);
	if (end > 0 && c.source != NULL && answer_parse(p + end, len - end, &more) == 0) {
		completion_add(&c, &more);
		answer_free(&more);
	}
	check_words(&c);
	completion_free(&c);
	answer_free(&help);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *p = (const char *)bytes, *end = memchr(bytes, '\n', len);
	size_t line_len = end == NULL ? 0 : (size_t)(end - p);

	if (end != NULL && memchr(p, '\0', line_len) == NULL)
		complete(p, line_len, end + 1, len - line_len - 1);
	return 0;
}
