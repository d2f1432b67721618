/* limit_types: the types of settings that limit accounts: limits, and lines of limits with whom
 * they are for. Values; no lock. */
#ifndef STATE_LIMIT_TYPES_H
#define STATE_LIMIT_TYPES_H

#include "state/limits.h"
#include "state/setting_types.h"

/* Limits and where they were written; of defaults one line. */
struct limit_default {
	struct limits limits;
	struct setting_place place;
};

/* Whom a line is for: a network, or a group by its name. */
struct limit_holder {
	char *group; /* without the @; NULL: it is the network */
	struct network network;
};

struct limit_line {
	size_t count;
	struct limit_holder *holders;
	struct limits limits;
	struct setting_place place;
};

/* As they were written. */
struct limit_lines {
	size_t count, size;
	struct limit_line *lines;
};

/* Why `word` cannot be whom limits are for, @GROUP or (with `may_be_network`) an address or a
 * network; NULL when `out` has it, whose group is to be freed. */
const char *limit_holder_parse(
	const char *word, size_t len, bool may_be_network, struct limit_holder *out);

/* "KEY=VALUE KEY=VALUE"; "most" of the row is the set of legal keys. */
extern const struct setting_type setting_limits;

/* "@GROUP KEY=VALUE ...", and "ADDR, NETWORK, @GROUP KEY=VALUE ...", a list; several lines in one
 * text are separated by ; */
extern const struct setting_type setting_group_limits;
extern const struct setting_type setting_client_limits;

#define SETTING_LIMITS(values, member)                                                             \
	SETTING_AT(setting_limits, struct limit_default, values, member)
#define SETTING_GROUP_LIMITS(values, member)                                                       \
	SETTING_AT(setting_group_limits, struct limit_lines, values, member)
#define SETTING_CLIENT_LIMITS(values, member)                                                      \
	SETTING_AT(setting_client_limits, struct limit_lines, values, member)

#endif
