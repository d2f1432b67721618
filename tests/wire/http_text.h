/* http_text: what the tests of HTTP's codecs share: slices as strings, and bytes alone in their
 * memory. */
#ifndef TESTS_WIRE_HTTP_TEXT_H
#define TESTS_WIRE_HTTP_TEXT_H

#include "../base/check.h"
#include "wire/http_fields.h"

#define assert_slice(slice, wanted)                                                                \
	do {                                                                                       \
		assert_int_equal((slice).len, strlen(wanted));                                     \
		assert_memory_equal((slice).text, (wanted), (slice).len);                          \
	} while (0)

static inline struct http_slice slice_of(const char *text)
{
	return (struct http_slice){text, strlen(text)};
}

/* Exactly these bytes in memory of their own, so that AddressSanitizer sees each look behind them.
 * To be freed. */
static inline uint8_t *copy_alone(const char *text, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	return copy;
}

#endif
