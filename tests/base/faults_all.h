/* faults_all: faults.h for the other ways to memory, too. In tests whose line WRAP_ in the Makefile
 * names $(WRAP_MEMORY). */
#ifndef TESTS_BASE_FAULTS_ALL_H
#define TESTS_BASE_FAULTS_ALL_H

#include "faults.h"

void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

void *__wrap_realloc(void *memory, size_t size)
{
	return faults_strikes() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return faults_strikes() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
	return faults_strikes() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return faults_strikes() ? NULL : __real_strndup(text, len);
}

#endif
