/* setting_commands: CONFIG, SETTINGS, LOG_LEVEL and RELOAD. No state, no lock. */
#ifndef MONITOR_SETTING_COMMANDS_H
#define MONITOR_SETTING_COMMANDS_H

#include "monitor/commands.h"

void setting_command_config(const struct monitor_request *q, struct reply *r);
void setting_command_settings(const struct monitor_request *q, struct reply *r);
void setting_command_log_level(const struct monitor_request *q, struct reply *r);
void setting_command_reload(const struct monitor_request *q, struct reply *r);

#endif
