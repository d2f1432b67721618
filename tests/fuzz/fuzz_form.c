/* Forms, queries, cookies and lists of words: what is decoded is a string within its memory, and
 * the parts of a target are all of it. */
#include <string.h>

#include "fuzz.h"
#include "wire/form.h"

#define MOST 4

static void check_words(int count, const char *const words[], const char *memory, size_t size)
{
	FUZZ_CHECK(count >= -1 && count <= MOST);
	for (int i = 0; i < count; i++) {
		FUZZ_CHECK(words[i] >= memory && words[i] < memory + size);
		FUZZ_CHECK(words[i] + strnlen(words[i], size) < memory + size);
	}
}

static void check_target(const struct http_slice *s)
{
	struct http_slice path, query;

	form_split_target(s, &path, &query);
	FUZZ_CHECK(path.len + query.len + 1 >= s->len && path.len + query.len <= s->len);
	FUZZ_CHECK(memchr(path.text, '?', path.len) == NULL);
}

static void check_form(const struct http_slice *s)
{
	struct http_slice rest = *s, name, value;
	char out[32];
	int len;

	while (form_next(&rest, &name, &value)) {
		FUZZ_CHECK(memchr(name.text, '=', name.len) == NULL);
		len = form_decode(&value, out, sizeof(out));
		FUZZ_CHECK(len == -1 || (len >= 0 && strlen(out) == (size_t)len));
	}
	len = form_find(s, "a", out, sizeof(out));
	FUZZ_CHECK(len < (int)sizeof(out));
}

static void check_cookies(const struct http_slice *s)
{
	struct http_slice value;

	if (form_find_cookie(s, "a", &value))
		FUZZ_CHECK(value.text >= s->text && value.text + value.len <= s->text + s->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Of its own, so that a read beyond its end is seen. */
	char *text = malloc(len == 0 ? 1 : len), memory[64];
	struct http_slice s = {.text = text, .len = len};
	const char *words[MOST];

	FUZZ_CHECK(text != NULL);
	memcpy(text, bytes, len);
	check_target(&s);
	check_form(&s);
	check_words(form_find_all(&s, "a", memory, sizeof(memory), words, MOST), words, memory,
		sizeof(memory));
	check_words(form_read_json(&s, memory, sizeof(memory), words, MOST), words, memory,
		sizeof(memory));
	/* The fields of a head are found to be right before they are stepped through. */
	if (len > 8 && memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL &&
		memcmp(text, "Cookie: ", 8) == 0) {
		char *head = malloc(len + 4);

		FUZZ_CHECK(head != NULL);
		memcpy(head, text, len);
		memcpy(head + len, "\r\n\r\n", 4);
		check_cookies(&(struct http_slice){.text = head, .len = len + 4});
		free(head);
	}
	free(text);
	return 0;
}
