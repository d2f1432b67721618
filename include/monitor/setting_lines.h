/* setting_lines: the answer to SETTINGS: of each setting the value, where it comes from, and what
 * else it could be. No state, no lock. */
#ifndef MONITOR_SETTING_LINES_H
#define MONITOR_SETTING_LINES_H

#include "monitor/reply.h"
#include "state/config.h"

/* A line for the setting called `word`, or for each that has it in its name, with _ or - alike; "":
 * for all of them. `now` is the configuration in force, `base` what file and flags said when they
 * were read last. */
void setting_lines_put(
	struct reply *r, const struct config *now, const struct config *base, const char *word);

#endif
