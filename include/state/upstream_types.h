/* upstream_types: the type of the setting upstream. No state, no lock. */
#ifndef STATE_UPSTREAM_TYPES_H
#define STATE_UPSTREAM_TYPES_H

#include "state/setting_types.h"
#include "state/text_lines.h"

#define UPSTREAM_LINES_MAX 64

/* A list of lines as upstream_line_parse() reads them, with their logins; shown without. */
extern const struct setting_type setting_upstreams;

#define SETTING_UPSTREAMS(values, member)                                                          \
	SETTING_AT(setting_upstreams, struct text_lines, values, member)

#endif
