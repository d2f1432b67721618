/* answers: a reply from a string, as tests write it. */
#ifndef TESTS_WIRE_ANSWERS_H
#define TESTS_WIRE_ANSWERS_H

#include "../base/check.h"
#include "wire/answer.h"

/* To be freed. The text may hold NULs. */
static inline struct answer answer_of_bytes(const char *bytes, size_t len)
{
	struct answer r;

	assert_int_equal(answer_parse(bytes, len, &r), 0);
	return r;
}

static inline struct answer answer_of(const char *text)
{
	return answer_of_bytes(text, strlen(text));
}

/* Fails unless the line is `expected`. */
#define assert_line(line, expected) assert_true(answer_is(&(line), (expected)))

#endif
