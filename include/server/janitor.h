/* janitor: the thread of the periodic jobs. A mutex guards what it is told. */
#ifndef SERVER_JANITOR_H
#define SERVER_JANITOR_H

#include "server/schedule.h"

struct janitor;

/* Nothing runs yet. NULL without memory. */
struct janitor *janitor_new(void);

/* Adds a job (schedule.h), before janitor_start(). */
void janitor_add(struct janitor *j, struct job *job);

/* Starts the thread, in which all jobs run at once for the first time. -1 with errno. */
int janitor_start(struct janitor *j) __attribute__((warn_unused_result));

/* All jobs are to look now, because what they look at has changed. From any thread; returns at
 * once. */
void janitor_look_again(struct janitor *j);

/* That job is to look now, the others when they are due. From any thread; returns at once. */
void janitor_call(struct janitor *j, struct job *job);

/* Ends the thread, if it was started: afterwards no job runs any more. NULL is allowed. */
void janitor_stop(struct janitor *j);

/* Frees everything, after janitor_stop(). NULL is allowed. */
void janitor_free(struct janitor *j);

#endif
