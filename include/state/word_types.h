/* word_types: the type of settings that are a set of words. No lock: a value type. */
#ifndef STATE_WORD_TYPES_H
#define STATE_WORD_TYPES_H

#include "state/setting_types.h"

/* One or several of `words`, whose values are bits, in an int64_t. */
extern const struct setting_type setting_word_set;

#define SETTING_WORD_SET(values, member) SETTING_AT(setting_word_set, int64_t, values, member)

#endif
