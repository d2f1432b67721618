/* alone: messages for parsers, in memory that ends where they do. For tests of codecs. */
#ifndef TESTS_WIRE_ALONE_H
#define TESTS_WIRE_ALONE_H

#include <stdlib.h>
#include <string.h>

#include "../base/check.h"

struct message {
	const char *bytes;
	size_t len;
};

#define MESSAGE(text)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* Exactly these bytes in memory of their own, so that AddressSanitizer sees each look behind them.
 * To be freed. */
static inline uint8_t *copy_alone(const void *bytes, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, bytes, n);
	return copy;
}

/* Parses a copy that is alone. */
static inline int parse_alone(int (*parse)(const uint8_t *p, size_t n), const void *bytes, size_t n)
{
	uint8_t *copy = copy_alone(bytes, n);
	int result = parse(copy, n);

	free(copy);
	return result;
}

#endif
