/* rule_origin: which rule a verdict's word stands for, and where that was written. No state, no
 * lock. */
#ifndef STATE_RULE_ORIGIN_H
#define STATE_RULE_ORIGIN_H

#include <stdbool.h>
#include <stdio.h>

#include "state/config.h"
#include "state/rules.h"

/* The rule of that word, of those that somebody wrote; false when it is another ("otherwise"). */
bool rule_origin_find(const struct config *c, const char *word, struct rule_info *out);

/* Writes where it comes from: "FILE:3", "flag", "command", "temporary", "default" or, where nobody
 * can change it, "built-in". */
void rule_origin_put_place(const struct config *c, const char *word, FILE *out);

/* Writes what it says: "deny to .example.org", "otherwise = allow", "protect = loopback". */
void rule_origin_put_text(const struct config *c, const char *word, FILE *out);

#endif
