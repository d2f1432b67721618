/* fail: the end of a measurement that cannot be made. */
#ifndef BENCH_FAIL_H
#define BENCH_FAIL_H

#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static inline _Noreturn void fail_by_errno(const char *what)
{
	perror(what);
	exit(1);
}

#endif
