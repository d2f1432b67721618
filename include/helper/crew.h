/* crew: the helpers of one command, which are kept alive, and the questions that wait for one of
 * them. One thread's; no lock. */
#ifndef HELPER_CREW_H
#define HELPER_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/job.h"
#include "helper/polls.h"

/* How it is to be. */
struct crew_plan {
	char *const *argv; /* the caller's */
	const char *name; /* in the log */
	unsigned children;
	unsigned concurrency; /* questions at once of each, by channels; 0: one, without */
	int64_t timeout_ms; /* for an answer; and for a question to find somebody who takes it */
};

#define CREW_POLLS(children) (3 * (size_t)(children)) /* what it may add to them */

struct crew;

/* NULL without memory. */
struct crew *crew_new(const struct crew_plan *plan) __attribute__((warn_unused_result));

/* Whose processes have all ended. NULL is allowed. */
void crew_free(struct crew *c);

/* Starts them all. -1 with errno when the command cannot be executed; those that were started are
 * to be stopped then. */
int crew_start(struct crew *c) __attribute__((warn_unused_result));

/* Has a helper asked; `j` tells when that is done, perhaps at once. */
void crew_ask(struct crew *c, struct job *j);

/* Nobody wants to know any more. A job that is done, or was never asked, is no matter. */
void crew_give_up(struct crew *c, struct job *j);

void crew_add_polls(struct crew *c, struct polls *p);

/* Does what poll(2) has said, and what the clock says. */
void crew_go_on(struct crew *c, const struct polls *p);
int64_t crew_deadline(const struct crew *c);

/* A process has ended that was not waited for yet. False when it is none of theirs. */
bool crew_bury(struct crew *c, pid_t pid);

/* Has each helper replaced by a new one, once it has answered what it was asked. */
void crew_renew(struct crew *c);

/* Tells them to end, or `at_once` kills them, and starts no more. */
void crew_stop(struct crew *c, bool at_once);
bool crew_has_ended(const struct crew *c);

#endif
