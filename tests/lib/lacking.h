/* lacking: how a test is left out that needs what is not here; tests/run.sh says so by name. */
#ifndef TESTS_LACKING_H
#define TESTS_LACKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Ends the test as skipped; `what` it needs follows the word "needs". */
static inline __attribute__((noreturn)) void skip_for_want_of(const char *what)
{
	print_message("needs %s\n", what);
	skip();
	abort(); /* never: cmocka does not say so */
}

#endif
