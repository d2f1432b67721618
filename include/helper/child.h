/* child: one helper: its process, what it was asked, and whether what it says can be. One thread's;
 * no lock. */
#ifndef HELPER_CHILD_H
#define HELPER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "helper/job.h"
#include "helper/polls.h"
#include "helper/sayings.h"
#include "helper/spawn.h"

#define CHILD_PATIENCE_MS 2000 /* for who is told to end */

enum child_state {
	CHILD_NONE, /* no process */
	CHILD_SERVES,
	CHILD_LEAVES, /* gets no more questions, and ends when nobody waits for its answers */
	CHILD_ENDS, /* is told to, or has; waited for */
};

/* A question that it is at. */
struct slot {
	bool in_use;
	struct job *job; /* NULL: nobody waits for the answer any more */
	int64_t asked, deadline;
};

struct child {
	enum child_state state;
	struct spawned process;
	const char *fault; /* why it cannot be asked any more; NULL: it can */
	bool hung_up; /* that is it: it has ended, or is about to */
	struct slot *slots;
	unsigned slot_count;
	bool has_channels;
	int64_t started;
	int64_t answered; /* when it said something right last; 0: never */
	int64_t kill_at; /* of CHILD_ENDS */
	struct buffer in, out; /* from it and to it */
	struct sayings sayings;
	size_t in_place, out_place, err_place; /* in the polls */
	uint8_t in_memory[HELPER_LINE_MAX], out_memory[HELPER_LINE_MAX];
};

/* A child without a process, for `concurrency` questions at once by channels; 0: one, without. -1
 * without memory. */
int child_init(struct child *c, unsigned concurrency) __attribute__((warn_unused_result));
void child_free(struct child *c);

/* -1 with errno. */
int child_start(struct child *c, char *const argv[]) __attribute__((warn_unused_result));

/* How many questions it is at. */
unsigned child_load(const struct child *c);

/* Does anybody still wait for an answer of it? */
bool child_is_awaited(const struct child *c);

/* Could it be asked now? */
bool child_can_be_asked(const struct child *c);

/* Asks it. False when it turns out to have a fault, and is not asked. */
bool child_ask(struct child *c, struct job *j, int64_t deadline)
	__attribute__((warn_unused_result));

void child_add_polls(struct child *c, struct polls *p);

/* Writes and reads what can be, and finishes the jobs that it answers. A fault is left in it. */
void child_go_on(
	struct child *c, const struct polls *p, const char *name, struct sayings_limit *limit);

/* Fails what it has not answered in time; that may be a fault. */
void child_look_at_clock(struct child *c, int64_t now);
int64_t child_deadline(const struct child *c);

/* Takes a job back that it will not answer; NULL when there is none. */
struct job *child_take_back(struct child *c);

/* No more questions: is to end as soon as it has answered those that somebody waits for. */
void child_leave(struct child *c);

/* Ends its pipes, and so it, if it does not wait for more; with this signal, too. 0: none. What has
 * not ended a moment later is killed. */
void child_end(struct child *c, int number);

/* Takes what it said last: it will say no more. */
void child_hear_out(struct child *c);

/* Its process has ended: waits for it, and logs the last that it has said. The status as of
 * waitpid(2). */
int child_bury(struct child *c, const char *name, struct sayings_limit *limit);

#endif
