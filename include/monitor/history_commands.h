/* history_commands: USAGE, DAYS, SITES and FORGET, of which the keeper's thread does what it is to
 * be asked. No state, no lock. */
#ifndef MONITOR_HISTORY_COMMANDS_H
#define MONITOR_HISTORY_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/commands.h"

/* Of rows more is not answered. */
#define HISTORY_LINES 10000

void history_command_usage(const struct monitor_request *q, struct reply *r);
void history_command_days(const struct monitor_request *q, struct reply *r);
void history_command_sites(const struct monitor_request *q, struct reply *r);
void history_command_forget(const struct monitor_request *q, struct reply *r);

/* Some days, both included. */
struct history_period {
	int32_t from, to;
};

/* What the words mean on the day `today`, NULL where there is none: "today", "yesterday", "week",
 * "month", dates. One word alone names its days, a date alone those from it until today. False with
 * the word that is wrong, or the two in the wrong order, in `*wrong`. */
bool history_period_parse(const char *from, const char *to, int32_t today,
	struct history_period *out, const char **wrong);

#endif
