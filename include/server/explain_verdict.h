/* explain_verdict: what an explanation comes to. A value; no lock. */
#ifndef SERVER_EXPLAIN_VERDICT_H
#define SERVER_EXPLAIN_VERDICT_H

enum explain_verdict {
	EXPLAIN_ALLOW,
	EXPLAIN_DENY,
	EXPLAIN_UNKNOWN, /* it depends on what a name comes to, which was not asked */
};

#endif
