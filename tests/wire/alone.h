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

/* Parses exactly `n` bytes of memory, so that AddressSanitizer sees each look behind them. */
static inline int parse_alone(int (*parse)(const uint8_t *p, size_t n), const void *bytes, size_t n)
{
	uint8_t *copy = malloc(n);
	int result;

	assert_true(copy != NULL || n == 0);
	if (n > 0)
		memcpy(copy, bytes, n);
	result = parse(copy, n);
	free(copy);
	return result;
}

#endif
