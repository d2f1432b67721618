/* faults: memory that is out when a test wants it to be. For one thread, in tests whose line WRAP_
 * in the Makefile names calloc, malloc and aligned_alloc. */
#ifndef TESTS_BASE_FAULTS_H
#define TESTS_BASE_FAULTS_H

#include <stdbool.h>

#include "check.h"

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static int faults_countdown; /* the allocation that fails; 0: none does */

static inline bool faults_strikes(void)
{
	return faults_countdown > 0 && --faults_countdown == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return faults_strikes() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return faults_strikes() ? NULL : __real_malloc(size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return faults_strikes() ? NULL : __real_aligned_alloc(alignment, size);
}

/* The `n`th allocation from now on fails, from 1; the others succeed. */
static inline void faults_fail(int n)
{
	faults_countdown = n;
}

/* No allocation fails any more. Has one? */
static inline bool faults_struck(void)
{
	bool struck = faults_countdown == 0;

	faults_countdown = 0;
	return struck;
}

#endif
