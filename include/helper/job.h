/* job: a question that helpers are asked on somebody's behalf. One thread's; no lock. */
#ifndef HELPER_JOB_H
#define HELPER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/helper_line.h"

struct slot;

/* Its owner's, who sets the first two, which stay until it is done or given up, and looks at the
 * next two. */
struct job {
	const char *name;
	const char *behind; /* a password, or a group */
	bool is_done;
	struct helper_answer answer; /* then */

	/* The crew's. */
	struct job *next; /* in its queue */
	bool is_queued;
	int64_t deadline; /* for it to be taken out of there */
	struct slot *slot; /* of the helper that is at it; NULL: none */
	unsigned tries; /* how many have been */
};

void job_finish(struct job *j, const struct helper_answer *answer);

/* Nobody can say, for this reason. */
void job_fail(struct job *j, const char *why);

#endif
