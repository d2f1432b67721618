/*
 * Everything is done in steps that cannot disturb each other: what came in is read, what is late is
 * failed, whoever has a fault is ended and his questions go back to the front of the queue, the
 * dead are replaced, and then the queue is handed out. A question that was at a helper that died is
 * asked once more, for the helper may have been the cause; not a third time, for it may be itself.
 *
 * A command that does not work must not take the machine: after a helper that ended by itself or
 * had a fault the next one has to wait, longer each time, and they come back one by one, until one
 * of them has answered something. When none lives and that has been so for a while, nobody waits
 * for an answer.
 */
#include "helper/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "helper/child.h"

#define MOST_TRIES 2

struct crew {
	struct crew_plan plan;
	struct child *children;
	struct job *first, **last; /* the queue, and where its end is put */
	struct backoff backoff;
	int64_t next_start;
	int64_t failed; /* when a helper had a fault last */
	bool is_stopping;
	struct log_limit ends, failures, troubles;
	struct sayings_limit sayings;
};

static struct child *end_of(const struct crew *c)
{
	return c->children + c->plan.children;
}

struct crew *crew_new(const struct crew_plan *plan)
{
	struct crew *c = calloc(1, sizeof(*c));
	bool is_whole = true;

	if (c == NULL)
		return NULL;
	c->plan = *plan;
	c->last = &c->first;
	c->children = calloc(plan->children, sizeof(*c->children));
	if (c->children == NULL) {
		free(c);
		return NULL;
	}
	for (struct child *child = c->children; child < end_of(c); child++)
		is_whole = child_init(child, plan->concurrency) == 0 && is_whole;
	if (is_whole)
		return c;
	crew_free(c);
	return NULL;
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	for (struct child *child = c->children; child < end_of(c); child++)
		child_free(child);
	free(c->children);
	free(c);
}

/* ---- the queue ---- */

static void queue_last(struct crew *c, struct job *j)
{
	j->next = NULL;
	j->is_queued = true;
	*c->last = j;
	c->last = &j->next;
}

static void queue_first(struct crew *c, struct job *j)
{
	j->next = c->first;
	j->is_queued = true;
	if (c->first == NULL)
		c->last = &j->next;
	c->first = j;
}

static void take_from_queue(struct crew *c, struct job *j)
{
	struct job **at = &c->first;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (c->last == &j->next)
		c->last = at;
	j->is_queued = false;
}

static void fail_queued(struct crew *c, struct job *j, const char *why)
{
	take_from_queue(c, j);
	job_fail(j, why);
}

/* ---- who is there ---- */

static bool is_alive(const struct child *child)
{
	return child->state == CHILD_SERVES;
}

/* Does nothing live, and has that been so for a while? */
static bool is_down(const struct crew *c)
{
	if (c->backoff.pause_ms < BACKOFF_LONGEST_MS)
		return false;
	for (struct child *child = c->children; child < end_of(c); child++) {
		if (is_alive(child))
			return false;
	}
	return true;
}

/* The one that has least to do; NULL when nobody can take a question. */
static struct child *find_idlest(struct crew *c)
{
	struct child *best = NULL;

	for (struct child *child = c->children; child < end_of(c); child++) {
		if (!child_can_be_asked(child))
			continue;
		if (best == NULL || child_load(child) < child_load(best))
			best = child;
	}
	return best;
}

/* ---- asking ---- */

static void hand_out(struct crew *c)
{
	struct child *child;

	while (c->first != NULL && (child = find_idlest(c)) != NULL) {
		struct job *j = c->first;

		take_from_queue(c, j);
		if (!child_ask(child, j, clock_deadline(c->plan.timeout_ms)))
			queue_first(c, j);
		else
			j->tries++;
	}
}

void crew_ask(struct crew *c, struct job *j)
{
	j->is_done = false;
	j->slot = NULL;
	j->tries = 0;
	j->deadline = clock_deadline(c->plan.timeout_ms);
	queue_last(c, j);
	if (is_down(c))
		fail_queued(c, j, "no helper runs");
	else
		hand_out(c);
}

void crew_give_up(struct crew *c, struct job *j)
{
	if (j->is_queued)
		take_from_queue(c, j);
	if (j->slot != NULL)
		j->slot->job = NULL;
	j->slot = NULL;
}

/* ---- faults ---- */

static void pause_starts(struct crew *c)
{
	c->next_start = clock_deadline(backoff_next(&c->backoff));
}

static void end_pause(struct crew *c)
{
	if (c->backoff.pause_ms == 0)
		return;
	backoff_end(&c->backoff);
	c->next_start = 0;
}

/* What it has waited for the first one is not held against it. */
static void ask_again(struct crew *c, struct job *j)
{
	if (j->tries >= MOST_TRIES) {
		job_fail(j, "the helpers that were asked have ended");
		return;
	}
	j->deadline = clock_deadline(c->plan.timeout_ms);
	queue_first(c, j);
}

/* Of who has hung up there is more to say when it has ended. */
static void log_fault(struct crew *c, const struct child *child)
{
	struct log_line line;
	uint64_t held_back;

	if (child->hung_up || !log_limit_pass(&c->failures, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN, "a helper is of no use");
	log_text(&line, "helper", c->plan.name);
	log_number(&line, "pid", child->process.pid);
	log_text(&line, "why", child->fault);
	if (held_back > 0)
		log_number(&line, "more", (int64_t)held_back);
	log_end(&line);
}

static void end_faulty(struct crew *c, struct child *child)
{
	struct job *j;

	log_fault(c, child);
	child_end(child, child->hung_up ? 0 : SIGKILL);
	while ((j = child_take_back(child)) != NULL)
		ask_again(c, j);
	c->failed = clock_ms();
	pause_starts(c);
}

static bool has_nothing_left(const struct child *child)
{
	return child->state == CHILD_LEAVES && !child_is_awaited(child);
}

static void look_after(struct crew *c, struct child *child)
{
	bool serves = child->state == CHILD_SERVES || child->state == CHILD_LEAVES;

	if (serves && child->fault != NULL)
		end_faulty(c, child);
	else if (has_nothing_left(child))
		child_end(child, SIGTERM);
	else if (serves && child->answered != 0 && child->started >= c->failed)
		end_pause(c);
}

/* ---- births and deaths ---- */

static void start_one(struct crew *c, struct child *child)
{
	if (child_start(child, c->plan.argv) == 0) {
		c->next_start = clock_deadline(c->backoff.pause_ms);
		return;
	}
	log_failure(&c->troubles, c->plan.argv[0], errno);
	pause_starts(c);
}

static void replace_dead(struct crew *c)
{
	int64_t now = clock_ms();

	for (struct child *child = c->children; child < end_of(c); child++) {
		if (child->state == CHILD_NONE && !c->is_stopping && now >= c->next_start)
			start_one(c, child);
	}
}

int crew_start(struct crew *c)
{
	struct log_line line;

	for (struct child *child = c->children; child < end_of(c); child++) {
		if (child_start(child, c->plan.argv) < 0)
			return -1;
	}
	log_begin(&line, LOG_INFO, "helpers started");
	log_text(&line, "helper", c->plan.name);
	log_number(&line, "children", c->plan.children);
	log_end(&line);
	return 0;
}

static void log_end_of(struct crew *c, const struct child *child, int status)
{
	struct log_line line;
	uint64_t held_back;

	if (c->is_stopping || !log_limit_pass(&c->ends, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN, "a helper has ended");
	log_text(&line, "helper", c->plan.name);
	log_number(&line, "pid", child->process.pid);
	if (WIFSIGNALED(status))
		log_number(&line, "signal", WTERMSIG(status));
	else
		log_number(&line, "status", WEXITSTATUS(status));
	if (held_back > 0)
		log_number(&line, "more", (int64_t)held_back);
	log_end(&line);
}

bool crew_bury(struct crew *c, pid_t pid)
{
	for (struct child *child = c->children; child < end_of(c); child++) {
		bool was_asked_to, ours = child->state != CHILD_NONE && child->process.pid == pid;
		int status;

		if (!ours)
			continue;
		if (child->state != CHILD_ENDS) {
			child_hear_out(child);
			end_faulty(c, child);
		}
		was_asked_to = child->fault == NULL;
		status = child_bury(child, c->plan.name, &c->sayings);
		if (!was_asked_to)
			log_end_of(c, child, status);
		return true;
	}
	return false;
}

/* ---- a round ---- */

void crew_add_polls(struct crew *c, struct polls *p)
{
	for (struct child *child = c->children; child < end_of(c); child++)
		child_add_polls(child, p);
}

static void fail_late(struct crew *c, int64_t now)
{
	struct job *next;

	for (struct job *j = c->first; j != NULL; j = next) {
		next = j->next;
		if (is_down(c))
			fail_queued(c, j, "no helper runs");
		else if (now >= j->deadline)
			fail_queued(c, j, "all helpers are busy");
	}
}

void crew_go_on(struct crew *c, const struct polls *p)
{
	int64_t now = clock_ms();

	for (struct child *child = c->children; child < end_of(c); child++) {
		child_go_on(child, p, c->plan.name, &c->sayings);
		child_look_at_clock(child, now);
		look_after(c, child);
	}
	replace_dead(c);
	fail_late(c, now);
	hand_out(c);
}

/* That was found while it was to be asked, or the last one who waited for it has given up. */
static bool is_to_be_ended(const struct child *child)
{
	return (is_alive(child) && child->fault != NULL) || has_nothing_left(child);
}

int64_t crew_deadline(const struct crew *c)
{
	int64_t deadline = CLOCK_NEVER;
	bool lacks_some = false;

	for (struct child *child = c->children; child < end_of(c); child++) {
		deadline = clock_earlier(deadline, child_deadline(child));
		lacks_some |= child->state == CHILD_NONE;
		if (is_to_be_ended(child))
			return 0;
	}
	if (lacks_some && !c->is_stopping)
		deadline = clock_earlier(deadline, c->next_start);
	for (const struct job *j = c->first; j != NULL; j = j->next)
		deadline = clock_earlier(deadline, j->deadline);
	return deadline;
}

/* ---- the end ---- */

void crew_renew(struct crew *c)
{
	for (struct child *child = c->children; child < end_of(c); child++)
		child_leave(child);
}

void crew_stop(struct crew *c, bool at_once)
{
	c->is_stopping = true;
	for (struct child *child = c->children; child < end_of(c); child++) {
		if (child->state != CHILD_NONE && (at_once || child->state != CHILD_ENDS))
			child_end(child, at_once ? SIGKILL : SIGTERM);
	}
}

bool crew_has_ended(const struct crew *c)
{
	for (struct child *child = c->children; child < end_of(c); child++) {
		if (child->state != CHILD_NONE)
			return false;
	}
	return true;
}
