/*
 * A helper is believed only as long as each of its lines can be the answer to something that it was
 * asked. With channels a line says to what; without, it is the one question, so there must be
 * nothing to read in front of it, and nothing behind the answer. Who has once said something else
 * may be a question behind, and would let a stranger in by the answer to somebody else: he has a
 * fault, and is killed by who sees to him.
 *
 * A question whose time is over blocks its slot until the answer comes all the same. A helper that
 * has said nothing since it was asked hangs, which is a fault; so is to have all slots blocked.
 */
#include "helper/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define LAST_READS 128 /* of SAYINGS_LINE_MAX: more than a pipe holds */

int child_init(struct child *c, unsigned concurrency)
{
	*c = (struct child){.process = {.in = -1, .out = -1, .err = -1},
		.slot_count = concurrency > 0 ? concurrency : 1,
		.has_channels = concurrency > 0};
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	buffer_init(&c->in, c->in_memory, sizeof(c->in_memory));
	buffer_init(&c->out, c->out_memory, sizeof(c->out_memory));
	return c->slots == NULL ? -1 : 0;
}

void child_free(struct child *c)
{
	spawn_close(&c->process);
	free(c->slots);
	explicit_bzero(c, sizeof(*c));
}

int child_start(struct child *c, char *const argv[])
{
	if (spawn_command(argv, &c->process) < 0)
		return -1;
	c->state = CHILD_SERVES;
	c->fault = NULL;
	c->hung_up = false;
	c->started = clock_ms();
	c->answered = 0;
	c->sayings.len = 0;
	memset(c->slots, 0, c->slot_count * sizeof(*c->slots));
	buffer_consume_secret(&c->in, buffer_readable(&c->in));
	buffer_consume_secret(&c->out, buffer_readable(&c->out));
	return 0;
}

/* ---- slots ---- */

unsigned child_load(const struct child *c)
{
	unsigned load = 0;

	for (unsigned i = 0; i < c->slot_count; i++)
		load += c->slots[i].in_use;
	return load;
}

bool child_is_awaited(const struct child *c)
{
	unsigned i = 0;

	while (i < c->slot_count && c->slots[i].job == NULL)
		i++;
	return i < c->slot_count;
}

static unsigned free_slot(const struct child *c)
{
	unsigned i = 0;

	while (i < c->slot_count && c->slots[i].in_use)
		i++;
	return i;
}

bool child_can_be_asked(const struct child *c)
{
	return c->state == CHILD_SERVES && c->fault == NULL && buffer_readable(&c->out) == 0 &&
		free_slot(c) < c->slot_count;
}

static void release_slot(struct slot *s)
{
	if (s->job != NULL)
		s->job->slot = NULL;
	*s = (struct slot){.in_use = false};
}

/* ---- what it says ---- */

/* The slot that the answer is for; NULL when there is none. */
static struct slot *slot_of(struct child *c, const struct helper_answer *answer)
{
	unsigned i = c->has_channels ? (unsigned)answer->channel : 0;

	return i < c->slot_count && c->slots[i].in_use ? &c->slots[i] : NULL;
}

static void take_answer(struct child *c, const struct helper_answer *answer, size_t used)
{
	struct slot *slot = slot_of(c, answer);
	struct job *job;

	if (slot == NULL) {
		c->fault = "it answers what it was not asked";
		return;
	}
	if (!c->has_channels && used < buffer_readable(&c->in)) {
		c->fault = "it says more than an answer";
		return;
	}
	c->answered = clock_ms();
	job = slot->job;
	release_slot(slot);
	if (job != NULL)
		job_finish(job, answer);
}

static void take_lines(struct child *c)
{
	struct helper_answer answer;
	int used = 1;

	while (c->fault == NULL && used > 0 && buffer_readable(&c->in) > 0) {
		used = helper_line_parse((const char *)buffer_head(&c->in), buffer_readable(&c->in),
			c->has_channels, &answer);
		if (used == HELPER_LINE_MALFORMED) {
			c->fault = "it says what is no answer";
		} else if (used > 0) {
			take_answer(c, &answer, (size_t)used);
			buffer_consume_secret(&c->in, (size_t)used);
		} else if (child_load(c) == 0) {
			c->fault = "it speaks without being asked";
		}
	}
	buffer_compact(&c->in);
}

static void hang_up(struct child *c)
{
	c->fault = "it has ended";
	c->hung_up = true;
}

static void read_lines(struct child *c)
{
	ssize_t n = read(c->process.out, buffer_tail(&c->in), buffer_writable(&c->in));

	if (n > 0) {
		buffer_commit(&c->in, (size_t)n);
		take_lines(c);
	} else if (n == 0) {
		hang_up(c);
	} else if (errno != EAGAIN && errno != EINTR) {
		c->fault = "it cannot be read from";
	}
}

/* ---- what it is asked ---- */

static void write_lines(struct child *c)
{
	ssize_t n = write(c->process.in, buffer_head(&c->out), buffer_readable(&c->out));

	if (n > 0)
		buffer_consume_secret(&c->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		hang_up(c); /* EPIPE */
}

bool child_ask(struct child *c, struct job *j, int64_t deadline)
{
	unsigned i = free_slot(c);
	size_t len;

	read_lines(c);
	if (c->fault != NULL)
		return false;
	buffer_compact(&c->out);
	len = helper_line_put(c->has_channels ? (int)i : HELPER_NO_CHANNEL, j->name, j->behind,
		(char *)buffer_tail(&c->out));
	if (len == 0) {
		job_fail(j, "it cannot be asked");
		return true;
	}
	buffer_commit(&c->out, len);
	c->slots[i] =
		(struct slot){.in_use = true, .job = j, .asked = clock_ms(), .deadline = deadline};
	j->slot = &c->slots[i];
	write_lines(c);
	return true;
}

struct job *child_take_back(struct child *c)
{
	for (unsigned i = 0; i < c->slot_count; i++) {
		struct job *job = c->slots[i].job;

		if (job == NULL)
			continue;
		release_slot(&c->slots[i]);
		return job;
	}
	return NULL;
}

/* ---- its descriptors ---- */

void child_add_polls(struct child *c, struct polls *p)
{
	bool has_to_write = buffer_readable(&c->out) > 0;

	c->in_place = polls_add(p, has_to_write ? c->process.in : -1, POLLOUT);
	c->out_place = polls_add(p, c->process.out, POLLIN);
	c->err_place = polls_add(p, c->process.err, POLLIN);
}

static void hear_sayings(struct child *c, const char *name, struct sayings_limit *limit)
{
	if (sayings_read(&c->sayings, c->process.err, name, c->process.pid, limit))
		return;
	sayings_end(&c->sayings, name, c->process.pid, limit);
	close(c->process.err);
	c->process.err = -1;
}

void child_go_on(
	struct child *c, const struct polls *p, const char *name, struct sayings_limit *limit)
{
	if (polls_said(p, c->out_place) != 0 && c->process.out >= 0 && c->fault == NULL)
		read_lines(c);
	if (polls_said(p, c->in_place) != 0 && c->process.in >= 0 && c->fault == NULL)
		write_lines(c);
	if (polls_said(p, c->err_place) != 0 && c->process.err >= 0)
		hear_sayings(c, name, limit);
}

/* ---- time ---- */

static void expire_slot(struct child *c, struct slot *s)
{
	struct job *job = s->job;

	s->job = NULL;
	s->deadline = CLOCK_NEVER;
	if (job != NULL) {
		job->slot = NULL;
		job_fail(job, "the helper does not answer");
	}
	if (c->answered <= s->asked)
		c->fault = "it does not answer";
}

void child_look_at_clock(struct child *c, int64_t now)
{
	unsigned blocked = 0;

	if (c->state == CHILD_ENDS && now >= c->kill_at) {
		spawn_signal(&c->process, SIGKILL);
		c->kill_at = CLOCK_NEVER; /* it is the kernel's turn */
	}
	if (c->state == CHILD_NONE || c->state == CHILD_ENDS)
		return;
	for (unsigned i = 0; i < c->slot_count; i++) {
		struct slot *s = &c->slots[i];

		if (s->in_use && now >= s->deadline)
			expire_slot(c, s);
		blocked += s->in_use && s->deadline == CLOCK_NEVER;
	}
	if (c->fault == NULL && blocked == c->slot_count)
		c->fault = "it does not answer";
}

int64_t child_deadline(const struct child *c)
{
	int64_t deadline = c->state == CHILD_ENDS ? c->kill_at : CLOCK_NEVER;

	if (c->state != CHILD_SERVES && c->state != CHILD_LEAVES)
		return deadline;
	for (unsigned i = 0; i < c->slot_count; i++) {
		if (c->slots[i].in_use)
			deadline = clock_earlier(deadline, c->slots[i].deadline);
	}
	return deadline;
}

/* ---- its end ---- */

void child_leave(struct child *c)
{
	if (c->state == CHILD_SERVES)
		c->state = CHILD_LEAVES;
}

/* Its standard error stays, for what it has to say about it. */
void child_end(struct child *c, int number)
{
	int err = c->process.err;

	c->process.err = -1;
	spawn_close(&c->process);
	c->process.err = err;
	buffer_consume_secret(&c->out, buffer_readable(&c->out));
	if (number != 0)
		spawn_signal(&c->process, number);
	c->state = CHILD_ENDS;
	c->kill_at = clock_deadline(CHILD_PATIENCE_MS);
}

static bool has_said_more(int fd)
{
	int bytes = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

void child_hear_out(struct child *c)
{
	while (c->fault == NULL && has_said_more(c->process.out))
		read_lines(c);
	if (c->fault == NULL)
		hang_up(c);
}

/* What it has started goes first, while its number is still its own. What is left of a pipe has an
 * end, unless somebody else has it, too, and writes on. */
int child_bury(struct child *c, const char *name, struct sayings_limit *limit)
{
	int status = 0;

	spawn_signal(&c->process, SIGKILL);
	(void)waitpid(c->process.pid, &status, WNOHANG);
	for (int i = 0; i < LAST_READS && has_said_more(c->process.err); i++)
		hear_sayings(c, name, limit);
	sayings_end(&c->sayings, name, c->process.pid, limit);
	spawn_close(&c->process);
	c->state = CHILD_NONE;
	return status;
}
