/* analyzed: what cmocka.h does not tell the analyzers: that a check which fails does not return. */
#ifndef TESTS_LINT_ANALYZED_H
#define TESTS_LINT_ANALYZED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void _fail(const char *file, int line) __attribute__((noreturn));
void _skip(const char *file, int line) __attribute__((noreturn));

#define CHECKED(holds) ((holds) ? (void)0 : _fail(__FILE__, __LINE__))

#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#undef assert_int_not_equal
#define assert_true(c) CHECKED(c)
#define assert_false(c) CHECKED(!(c))
#define assert_null(p) CHECKED((p) == NULL)
#define assert_non_null(p) CHECKED((p) != NULL)
#define assert_int_equal(a, b) CHECKED((uintmax_t)(a) == (uintmax_t)(b))
#define assert_int_not_equal(a, b) CHECKED((uintmax_t)(a) != (uintmax_t)(b))

#endif
