/* fuzz: what the fuzz targets share. A target looks at bytes from outside as its parser does, and
 * stops the process when the result cannot be. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What libFuzzer calls, again and again. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* The path of a file in memory that holds these bytes; the same one each time. */
const char *fuzz_file(const uint8_t *bytes, size_t len);

#endif
