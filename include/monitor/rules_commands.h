/* rules_commands: what an administrator can say about rules: RULES, DROP_RULE, ALLOW, DENY,
 * EXPLAIN. No state,
 * no lock. */
#ifndef MONITOR_RULES_COMMANDS_H
#define MONITOR_RULES_COMMANDS_H

#include "monitor/commands.h"

/* Handlers of rows of the commands' table (commands.h). */
void rules_commands_list(const struct monitor_request *q, struct reply *r);
void rules_commands_drop(const struct monitor_request *q, struct reply *r);
void rules_commands_allow(const struct monitor_request *q, struct reply *r);
void rules_commands_deny(const struct monitor_request *q, struct reply *r);
void rules_commands_explain(const struct monitor_request *q, struct reply *r);

#endif
