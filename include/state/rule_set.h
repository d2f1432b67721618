/* rule_set: what a compiled set of rules consists of, for those who compile, judge and list. Beside
 * its atomics it is immutable once it is made; no lock. */
#ifndef STATE_RULE_SET_H
#define STATE_RULE_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/rule.h"

struct rules {
	_Atomic(unsigned) references;
	uint32_t id; /* of no other set, for rules_count_hit() */
	bool otherwise_allows;
	bool asks_own; /* some rule, or what is protected, wants to know which addresses are ours */
	bool asks_users; /* some rule has the keyword user */
	bool asks_groups; /* some rule names a group of users */
	unsigned is_protected; /* PLACE_BIT() */
	size_t count; /* of rules, the temporary ones first */
	size_t temporary; /* so many */
	struct rule **rules; /* a reference each */
	struct rule_hits *otherwise_hits;
	struct rule_hits *protection_hits[PLACE_PROTECTED];
	size_t time_count; /* of those of all rules, each once */
	struct rule_time *times;
	size_t warning_count;
	char **warnings;
};

/* Where a verdict's hit counts: rules by their index, then these. */
static inline uint32_t rule_set_otherwise(const struct rules *r)
{
	return (uint32_t)r->count;
}

static inline uint32_t rule_set_protection(const struct rules *r, enum rule_place place)
{
	return (uint32_t)(r->count + 1 + place);
}

#endif
