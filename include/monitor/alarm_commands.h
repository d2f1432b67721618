/* alarm_commands: ALARMS, which tells what is wrong now. No state, no lock. */
#ifndef MONITOR_ALARM_COMMANDS_H
#define MONITOR_ALARM_COMMANDS_H

#include "monitor/commands.h"

/* Of the newest requests so many are looked at, as far as they are no older. */
#define ALARM_REQUESTS 200
#define ALARM_SECONDS 300
#define ALARM_LEAST 20 /* of fewer nothing is said */

void alarm_command_alarms(const struct monitor_request *q, struct reply *r);

#endif
