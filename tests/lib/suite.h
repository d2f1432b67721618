/* suite: what every daemon test begins with: cmocka, and a daemon a test. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

/* cmocka.h needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon.h"
#include "net.h"

#endif
