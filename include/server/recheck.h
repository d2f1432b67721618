/* recheck: ends live sessions that the rules would refuse by now: at once, and by a job of the
 * janitor's when a rule begins or ends to hold. Atomics; no lock. */
#ifndef SERVER_RECHECK_H
#define SERVER_RECHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/services.h"
#include "server/schedule.h"

/* Which refusals count: those of any rule, or those of a temporary one, by its number, and of such
 * as came behind it. */
#define RECHECK_ANY_RULE 0U

/* How many live sessions are refused now; with `ends` they are told to end (rule_changed), and
 * those that have not connected yet are neither ended nor counted: their own verdict answers them,
 * or the job ends them, which is to be told (recheck_follow()). From any thread. */
size_t recheck_sessions(struct services *v, unsigned rule, bool ends);

struct recheck {
	struct services *services;
	/* Told by others: one above the rule whose refusals count; 0: nothing. */
	_Atomic(unsigned) asked;

	/* the job's */
	int64_t border; /* the next, in seconds since 1970; 0: it was not looked yet */
	int64_t looked; /* when that was, likewise */
	struct recheck_look {
		unsigned rule; /* as for recheck_sessions() */
		uint64_t last; /* the newest who may have been let in by what was; 0: none */
	} by_any, by_one; /* for any rule, and for one and those behind it */
	struct job job;
};

/* Makes the job ready to be added; `r` must live as long as it. */
void recheck_init(struct recheck *r, struct services *v);

/* The rules are others, and sessions were ended by recheck_sessions(). Who was about to connect
 * then, and may have been judged before, is looked at again by the job, which is to be called
 * behind this (janitor_call()). From any thread. */
void recheck_follow(struct recheck *r, unsigned rule);

#endif
