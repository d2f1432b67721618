/* http_text: what the tests of HTTP's codecs share: slices as strings. */
#ifndef TESTS_WIRE_HTTP_TEXT_H
#define TESTS_WIRE_HTTP_TEXT_H

#include "alone.h"
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

#endif
