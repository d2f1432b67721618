/* quota: the periods of a quota, in local time, and what is used of one. Pure; no lock. */
#ifndef STATE_QUOTA_H
#define STATE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "state/limits.h"

/* When the period began in which `now` is, and when the next one begins: seconds since 1970. */
int64_t quota_begin(const struct quota *q, int64_t now);
int64_t quota_end(const struct quota *q, int64_t now);

/* What is known of a quota's use, and kept. */
struct quota_use {
	int64_t begun; /* the period; 0: none yet */
	uint64_t used, extra; /* bytes; `extra` was given for this period besides */
	int64_t behind; /* not kept: the period of a clock that shows one long before; 0: it does
			   not */
};

/* Goes over to the period of `now` when that is a later one: true, and nothing is used of it. A
 * clock that is set back does not begin one; where it was set back by more than a period, the next
 * one that it comes to by itself does. */
bool quota_turn(struct quota_use *use, const struct quota *q, int64_t now);

/* When the next one begins, behind quota_turn(). */
int64_t quota_until(const struct quota_use *use, const struct quota *q, int64_t now);

/* Nothing is used any more, of the period that the clock shows where that is one long before. */
void quota_reset(struct quota_use *use);

/* How it is kept: "BEGUN USED EXTRA". False when it is something else. */
bool quota_use_parse(const char *text, struct quota_use *out);

#define QUOTA_USE_MAX 72
const char *quota_use_format(const struct quota_use *use, char out[QUOTA_USE_MAX]);

#endif
