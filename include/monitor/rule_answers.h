/* rule_answers: the monitor's answers that tell of rules: those in force, and what they say of a
 * request. No state, no lock. */
#ifndef MONITOR_RULE_ANSWERS_H
#define MONITOR_RULE_ANSWERS_H

#include "monitor/reply.h"
#include "proxy/services.h"

/* A line for each rule in force, and for what decides where none does. */
void rule_answers_list(struct services *v, struct reply *r);

/* What would become of the request that `text` asks about (question.h). May wait for name servers.
 */
void rule_answers_explain(struct services *v, const char *text, struct reply *r);

#endif
