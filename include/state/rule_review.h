/* rule_review: what an administrator may not have meant, in rules that are right as such. No state,
 * no lock. */
#ifndef STATE_RULE_REVIEW_H
#define STATE_RULE_REVIEW_H

#include <stdbool.h>

#include "state/config.h"
#include "state/group_source.h"
#include "state/rules.h"

/* Shows a warning for each such thing: rules that can never match, or have no effect behind an
 * earlier one; users and groups that there are not; names that are denied, and the addresses behind
 * them not. Temporary rules are left out. */
void rule_review(const struct config *c, const struct group_source *users,
	void (*say)(void *context, const char *warning), void *context);

/* Finds the last rule that denies names where who sends the address instead gets past it: no rule
 * below says deny to literal, and something below allows addresses. Temporary rules are left out.
 */
bool rule_review_names_alone(
	const struct config *c, const struct rules *rules, struct rule_info *out);

/* Is no name one of a group of clients and of users at once? If it is, `error` says so. */
bool rule_review_groups(
	const struct config *c, const struct group_source *users, char error[CONFIG_ERROR_MAX]);

#endif
