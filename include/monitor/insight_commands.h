/* insight_commands: what tells an administrator why sessions fail and what happens right now. No
 * state, no lock. */
#ifndef MONITOR_INSIGHT_COMMANDS_H
#define MONITOR_INSIGHT_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/commands.h"

/* The handlers of WHY and WATCH. */
void insight_run_why(const struct monitor_request *q, struct reply *r);
void insight_run_watch(const struct monitor_request *q, struct reply *r);

/* Adds the lines of WATCH with these parameters, which were taken apart by commands_take(), for the
 * events from number `*next` on, `most` of them are looked at; `*next` becomes that behind them.
 * False when a parameter is wrong; then `r` says so, and is to be empty before. */
bool insight_put_events(
	const struct monitor_request *q, uint64_t *next, size_t most, struct reply *r);

#endif
