/* An answer's head: the same however it is cut, and what is written of it is a head again that says
 * the same. */
#include <string.h>

#include "fuzz.h"
#include "wire/http_response.h"
#include "wire/http_write.h"

static char written[2 * HTTP_HEAD_MAX];

static void check_written(const struct http_response *r)
{
	struct http_writer w = {written, written + sizeof(written), false};
	struct http_slice rest = r->fields;
	struct http_response again;
	struct http_field field;
	size_t seen = 0;

	http_put_text(&w, "HTTP/1.1 200 OK\r\n");
	while (http_next_field(&rest, &field))
		http_put_field(&w, &field);
	http_put_text(&w, "\r\n");
	FUZZ_CHECK(!w.is_full);
	if (w.at - written >= HTTP_HEAD_MAX)
		return;
	FUZZ_CHECK(http_parse_response((const uint8_t *)written, (size_t)(w.at - written), &seen,
			   &again) == w.at - written);
	FUZZ_CHECK(again.body.framing == r->body.framing && again.body.length == r->body.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct http_response whole, part;
	size_t seen = 0, kept = 0;
	int result = http_parse_response(bytes, len, &seen, &whole), now = HTTP_MORE;

	for (size_t n = 0; n <= len && now == HTTP_MORE && len < 1024; n++)
		now = http_parse_response(bytes, n, &kept, &part);
	FUZZ_CHECK(len >= 1024 || now == result);
	FUZZ_CHECK(result <= (int)len);
	if (result > 0)
		check_written(&whole);
	return 0;
}
