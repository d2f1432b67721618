/* explain: what would become of a request, gate by gate, and why; nothing is connected to. No
 * state; no lock of its own. From any thread that may wait, since names are looked up. */
#ifndef SERVER_EXPLAIN_H
#define SERVER_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proxy/services.h"
#include "server/explain_verdict.h"
#include "state/question.h"

/* What a gate in front of the rules says. */
struct explain_gate {
	const char *result; /* "pass", "deny", "unknown", or more closely what it does */
	bool denies;
	char reason[32]; /* the word that such a session would end with; "": none is told */
	char text[512]; /* why, in words */
	int64_t until; /* seconds since 1970 from which on it says something else; 0: not told */
};

/* Writes a line of key:value for each thing that is found out, the last one with the verdict.
 * Without `asks_names` names stay names. The resolver of `v` may be NULL then. */
enum explain_verdict explain(
	struct services *v, const struct question *q, bool asks_names, FILE *out);

#endif
