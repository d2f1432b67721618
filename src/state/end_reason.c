/*
 * Counters, logs and replies all tell a reason by the same word, so that what is seen in one place
 * can be searched for in another. What a dialect tells its client is the dialect's.
 */
#include "state/end_reason.h"

static const char *const words[END_REASONS] = {
#define END_REASON(name, word) [END_##name] = (word),
	END_REASON_LIST(END_REASON)
#undef END_REASON
};

const char *end_reason_word(enum end_reason reason)
{
	return words[reason];
}
