/* check: cmocka with the headers that it wants, and the few things that it lacks. */
#ifndef TESTS_BASE_CHECK_H
#define TESTS_BASE_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails unless the string `part` occurs in `text`. */
#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (strstr((text), (part)) == NULL)                                                \
			fail_msg("\"%s\" is not in \"%s\"", (part), (text));                       \
	} while (0)

/* Fails unless `text` begins with the string `start`. */
#define assert_begins(text, start)                                                                 \
	do {                                                                                       \
		if (strncmp((text), (start), strlen(start)) != 0)                                  \
			fail_msg("\"%s\" does not begin with \"%s\"", (text), (start));            \
	} while (0)

/* A number below `bound`, the same ones in every run. */
static inline size_t check_random(unsigned *seed, size_t bound)
{
	return (size_t)rand_r(seed) % bound;
}

#endif
