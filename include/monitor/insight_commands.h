/* insight_commands: what tells an administrator why sessions fail and what happens right now. No
 * state, no lock. */
#ifndef MONITOR_INSIGHT_COMMANDS_H
#define MONITOR_INSIGHT_COMMANDS_H

#include "monitor/commands.h"

/* The handlers of WHY and WATCH. */
void insight_run_why(const struct monitor_request *q, struct reply *r);
void insight_run_watch(const struct monitor_request *q, struct reply *r);

#endif
