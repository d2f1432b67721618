/* schedule: periodic jobs and when each is due. Told the time; one thread's, no lock. */
#ifndef SERVER_SCHEDULE_H
#define SERVER_SCHEDULE_H

#include <stdint.h>

/* One thing that is done again and again. It works in memory only and waits for nothing, not for a
 * disk either: all others wait for it. */
struct job {
	const char *name; /* for the log */
	/* Does it, at the time `now`; returns when it is due again (clock.h). It may be called
	 * earlier than that. */
	int64_t (*run)(void *context, int64_t now);
	void *context;

	/* the schedule's */
	int64_t due;
	struct job *next;
};

/* Zeroed: no jobs. */
struct schedule {
	struct job *first;
};

/* Adds `job`, which stays the caller's and must live as long as the schedule. It is due at once. */
void schedule_add(struct schedule *s, struct job *job);

/* All jobs are due at once, whatever they said. */
void schedule_hurry(struct schedule *s);

/* That job is due at once, whatever it said. */
void schedule_call(struct job *job);

/* Runs each job that is due at `now` once; returns when the next one is, CLOCK_NEVER for none. */
int64_t schedule_run(struct schedule *s, int64_t now);

#endif
