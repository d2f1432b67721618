/* rule_types: the types of the settings that rules are made of. No state, no lock. */
#ifndef STATE_RULE_TYPES_H
#define STATE_RULE_TYPES_H

#include "state/client_groups.h"
#include "state/setting_types.h"
#include "state/text_lines.h"

/* A list of rules; in one value they are separated by semicolons. Each was read once to see that it
 * is right, and is kept in the one form that rule.h has for it; rules_compile() reads them again,
 * with the groups and files that they name. */
extern const struct setting_type setting_rules;

/* Words of what is protected, as PLACE_BIT() of rule_places.h in an int64_t; or none. */
extern const struct setting_type setting_protected;

#define SETTING_RULES(values, member) SETTING_AT(setting_rules, struct text_lines, values, member)
#define SETTING_PROTECTED(values, member) SETTING_AT(setting_protected, int64_t, values, member)

#endif
