/* A request's head: the same however it is cut, within its bytes, and its fields are stepped
 * through to the end; and the login in it. */
#include <string.h>

#include "fuzz.h"
#include "wire/http.h"

static void check_within(const struct http_slice *s, const uint8_t *bytes, size_t len)
{
	const uint8_t *text = (const uint8_t *)s->text;

	FUZZ_CHECK(s->len == 0 || (text >= bytes && text + s->len <= bytes + len));
}

static void check_fields(const struct http_request *r, const uint8_t *bytes, size_t len)
{
	struct http_slice rest = r->fields;
	struct http_field field;
	unsigned count = 0;

	while (http_next_field(&rest, &field)) {
		check_within(&field.name, bytes, len);
		check_within(&field.value, bytes, len);
		check_within(&field.tail, bytes, len);
		(void)http_is_hop_by_hop(&r->connection, &field.name);
		count++;
	}
	FUZZ_CHECK(count <= HTTP_FIELDS_MAX);
	FUZZ_CHECK(rest.len == 0);
}

static void check_request(const struct http_request *r, const uint8_t *bytes, size_t len)
{
	struct http_basic login;

	check_within(&r->method, bytes, len);
	check_within(&r->authority, bytes, len);
	check_within(&r->path, bytes, len);
	check_within(&r->host, bytes, len);
	check_fields(r, bytes, len);
	FUZZ_CHECK(r->form != HTTP_AUTHORITY_FORM || r->dst.port != 0);
	FUZZ_CHECK(memchr(r->path.text == NULL ? "" : r->path.text, ' ', r->path.len) == NULL);
	if (r->has_login && http_parse_basic(&r->login, &login))
		FUZZ_CHECK(login.password_at + login.password_len <= HTTP_BASIC_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct http_request whole, part;
	size_t seen = 0, kept = 0;
	int result = http_parse_request(bytes, len, &seen, &whole), now = HTTP_MORE;

	for (size_t n = 0; n <= len && now == HTTP_MORE && len < 1024; n++)
		now = http_parse_request(bytes, n, &kept, &part);
	FUZZ_CHECK(len >= 1024 || now == result);
	FUZZ_CHECK(result <= (int)len);
	if (result > 0)
		check_request(&whole, bytes, (size_t)result);
	return 0;
}
