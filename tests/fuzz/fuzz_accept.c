/* Fields Accept and Accept-Encoding: a quality is one, and a form that is asked for by no range is
 * wanted only where there is no such field. */
#include <string.h>

#include "fuzz.h"
#include "wire/http_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct http_media media[] = {
		{"application", "openmetrics-text", "1.0.0"}, {"text", "plain", NULL}};
	/* Of its own, so that a read beyond its end is seen. */
	char *text = malloc(len + 16);
	struct http_slice rest, fields = {.text = text};
	struct http_field field;
	int status;

	FUZZ_CHECK(text != NULL);
	memcpy(text, "Accept: ", 8);
	memcpy(text + 8, bytes, len);
	memcpy(text + 8 + len, "\r\n\r\n", 4);
	fields.len = len + 12;
	rest = fields;
	while ((status = http_parse_field(&rest, &field, false)) > 0)
		;
	/* What a parser has refused is never asked about. */
	for (size_t i = 0; status == 0 && i < sizeof(media) / sizeof(media[0]); i++) {
		int quality = http_accept_quality(&fields, &media[i]);

		FUZZ_CHECK(quality >= 0 && quality <= HTTP_QUALITY_MAX);
	}
	if (status == 0)
		(void)http_accepts_coding(&fields, "gzip");
	free(text);
	return 0;
}
