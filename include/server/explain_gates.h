/* explain_gates: what stands between a client and the rules, each as a question that changes and
 * counts nothing. No state; no lock of its own. */
#ifndef SERVER_EXPLAIN_GATES_H
#define SERVER_EXPLAIN_GATES_H

#include "server/explain.h"

struct explain_gates_question {
	struct services *services;
	const struct config *config;
	const struct question *question; /* as it was asked */
	int64_t time; /* seconds since 1970 */
};

struct explain_gates_row {
	const char *name;
	/* Fills in what the gate says; it passes, with no more to tell, unless that is changed. */
	void (*ask)(const struct explain_gates_question *q, struct explain_gate *g);
};

/* In the order in which a session passes them. */
extern const struct explain_gates_row explain_gates_table[];
extern const size_t explain_gates_count;

/* Would the session go on as the user that the question names, rather than as Anonymous? */
bool explain_gates_keeps_user(
	const struct config *c, struct users *users, const struct question *q);

#endif
