/* replies: a reply from a string, as tests write it. */
#ifndef TESTS_CLIENT_REPLIES_H
#define TESTS_CLIENT_REPLIES_H

#include "../base/check.h"
#include "client/reply.h"

/* To be freed. The text may hold NULs. */
static inline struct reply reply_of_bytes(const char *bytes, size_t len)
{
	struct reply r;

	assert_int_equal(reply_parse(bytes, len, &r), 0);
	return r;
}

static inline struct reply reply_of(const char *text)
{
	return reply_of_bytes(text, strlen(text));
}

/* Fails unless the line is `expected`. */
#define assert_line(line, expected) assert_true(reply_is(&(line), (expected)))

#endif
