/*
 * A job that is late is run once, not once for each time that it missed. The list is short, so it
 * is gone through from end to end; a job that is always due holds up nobody, because all others
 * have their turn before it is asked again.
 */
#include "server/schedule.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"

/* A job that takes as long has waited for something, which it must not. */
#define SLOW_MS 1000

void schedule_add(struct schedule *s, struct job *job)
{
	job->due = INT64_MIN;
	job->next = s->first;
	s->first = job;
}

void schedule_hurry(struct schedule *s)
{
	for (struct job *job = s->first; job != NULL; job = job->next)
		job->due = INT64_MIN;
}

void schedule_call(struct job *job)
{
	job->due = INT64_MIN;
}

static void run_job(struct job *job, int64_t now)
{
	int64_t begun = clock_ms(), took;

	job->due = job->run(job->context, now);
	took = clock_ms() - begun;
	if (took >= SLOW_MS)
		log_message(LOG_WARN, "the periodic job \"%s\" took %lld ms", job->name,
			(long long)took);
}

int64_t schedule_run(struct schedule *s, int64_t now)
{
	int64_t next = CLOCK_NEVER;

	for (struct job *job = s->first; job != NULL; job = job->next) {
		if (now >= job->due)
			run_job(job, now);
		next = clock_earlier(next, job->due);
	}
	return next;
}
