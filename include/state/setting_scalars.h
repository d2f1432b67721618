/* setting_scalars: the types of settings that are one number, time, word or text. No state, no
 * lock.
 */
#ifndef STATE_SETTING_SCALARS_H
#define STATE_SETTING_SCALARS_H

#include "state/setting_types.h"

#define SETTING_NUMBER(values, member) SETTING_AT(setting_number, int64_t, values, member)
#define SETTING_DURATION(values, member) SETTING_AT(setting_duration, int64_t, values, member)
#define SETTING_CHOICE(values, member) SETTING_AT(setting_choice, int64_t, values, member)
#define SETTING_TEXT(values, member) SETTING_AT(setting_text, char *, values, member)

extern const struct setting_type setting_number; /* or one of `words` */
extern const struct setting_type setting_duration; /* in milliseconds, or one of `words` */
extern const struct setting_type setting_choice; /* one of `words` */
extern const struct setting_type setting_text; /* never NULL once it was set */

#endif
