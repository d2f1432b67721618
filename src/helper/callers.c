/*
 * A connection goes round and round: a question is read, its login is asked, then each group that
 * it names, one after the other, and the answer is written. What comes meanwhile stays in the
 * socket, so that a connection has one question at a time and nobody fills our memory. Who closes
 * his end gives up; who only ends his stream still gets his answer.
 *
 * A group that nobody can tell about makes the whole answer one that nobody can give: to leave it
 * out would let in whom a rule keeps out, or the other way round. For the same reason groups are
 * asked by what the server calls the account: a directory may take a name in any letters for a
 * login and in one way only for a member, and then who types it otherwise would be in no group.
 */
#include "helper/callers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "net/socket.h"
#include "wire/auth_line.h"

enum step { STEP_READ, STEP_LOGIN, STEP_GROUP, STEP_WRITE };

struct caller {
	struct caller *next;
	int fd;
	size_t place;
	enum step step;
	bool ends; /* when what is to be written is */
	bool is_over;
	struct buffer in, out;
	struct auth_question question;
	struct auth_answer answer;
	struct job job;
	const char *cursor; /* in the question's groups */
	char group[AUTH_LINE_GROUPS_MAX + 1]; /* that is asked about */
	uint8_t in_memory[AUTH_LINE_MAX], out_memory[AUTH_LINE_MAX];
};

struct callers {
	int listener;
	size_t listener_place, most, count;
	struct caller *first;
	struct crew *logins, *groups;
	struct backoff backoff;
	int64_t accept_at; /* 0: at once */
	struct log_limit accept_failures, troubles;
};

struct callers *callers_new(int listener, size_t most, struct crew *logins, struct crew *groups)
{
	struct callers *c = calloc(1, sizeof(*c));

	if (c != NULL)
		*c = (struct callers){
			.listener = listener, .most = most, .logins = logins, .groups = groups};
	return c;
}

/* ---- one of them ---- */

static struct caller *make_caller(int fd)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	if (caller == NULL)
		return NULL;
	caller->fd = fd;
	buffer_init(&caller->in, caller->in_memory, sizeof(caller->in_memory));
	buffer_init(&caller->out, caller->out_memory, sizeof(caller->out_memory));
	return caller;
}

static struct crew *crew_at(const struct callers *c, enum step step)
{
	return step == STEP_GROUP ? c->groups : c->logins;
}

static void free_caller(struct callers *c, struct caller *caller)
{
	if (caller->step == STEP_LOGIN || caller->step == STEP_GROUP)
		crew_give_up(crew_at(c, caller->step), &caller->job);
	socket_close(caller->fd);
	explicit_bzero(caller, sizeof(*caller));
	free(caller);
}

void callers_free(struct callers *c)
{
	struct caller *next;

	if (c == NULL)
		return;
	for (struct caller *caller = c->first; caller != NULL; caller = next) {
		next = caller->next;
		free_caller(c, caller);
	}
	free(c);
}

/* ---- its steps: each true when the next one can follow at once ---- */

static void put_answer(struct caller *caller)
{
	size_t len;

	buffer_compact(&caller->out);
	len = auth_line_put_answer(
		&caller->answer, (char *)buffer_tail(&caller->out), buffer_writable(&caller->out));
	buffer_commit(&caller->out, len);
	caller->is_over = len == 0;
	explicit_bzero(&caller->question, sizeof(caller->question));
	caller->step = STEP_WRITE;
}

static void put_trouble(struct caller *caller, const char *why)
{
	caller->answer = (struct auth_answer){.verdict = AUTH_BH};
	memcpy(caller->answer.message, why, strnlen(why, AUTH_LINE_FIELD_MAX));
	put_answer(caller);
}

static void ask(struct callers *c, struct caller *caller, enum step step, const char *name,
	const char *behind)
{
	caller->step = step;
	caller->job = (struct job){.name = name, .behind = behind};
	crew_ask(crew_at(c, step), &caller->job);
}

static bool read_question(struct callers *c, struct caller *caller)
{
	int used = auth_line_parse_question((const char *)buffer_head(&caller->in),
		buffer_readable(&caller->in), &caller->question);

	if (used == AUTH_LINE_MORE) {
		buffer_compact(&caller->in);
		return false;
	}
	if (used < 0) {
		caller->ends = true;
		put_trouble(caller, "that is no question");
		return true;
	}
	buffer_consume_secret(&caller->in, (size_t)used);
	caller->answer = (struct auth_answer){.verdict = AUTH_ERR};
	caller->cursor = NULL;
	ask(c, caller, STEP_LOGIN, caller->question.name, caller->question.password);
	return true;
}

/* Asks about the next group, or has the answer written when there is none. */
static void go_on_with_groups(struct callers *c, struct caller *caller)
{
	const char *group = NULL;
	size_t len = 0;

	if (c->groups == NULL ||
		!auth_line_next_group(caller->question.groups, &caller->cursor, &group, &len)) {
		put_answer(caller);
		return;
	}
	memcpy(caller->group, group, len);
	caller->group[len] = '\0';
	ask(c, caller, STEP_GROUP,
		caller->answer.user[0] != '\0' ? caller->answer.user : caller->question.name,
		caller->group);
}

static void log_trouble(struct callers *c, const char *why)
{
	struct log_line line;
	uint64_t held_back;

	if (!log_limit_pass(&c->troubles, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN, "a question cannot be answered");
	log_text(&line, "why", why);
	if (held_back > 0)
		log_number(&line, "more", (int64_t)held_back);
	log_end(&line);
}

/* Nobody can say whether it is right; the reason is passed on and logged. */
static bool is_trouble(struct callers *c, struct caller *caller)
{
	char why[sizeof(caller->job.answer.message)];

	if (caller->job.answer.verdict != AUTH_BH)
		return false;
	memcpy(why, caller->job.answer.message, sizeof(why));
	log_trouble(c, why);
	put_trouble(caller, why);
	return true;
}

static bool take_login(struct callers *c, struct caller *caller)
{
	const struct helper_answer *said = &caller->job.answer;

	if (!caller->job.is_done)
		return false;
	explicit_bzero(caller->question.password, sizeof(caller->question.password));
	if (is_trouble(c, caller))
		return true;
	caller->answer.verdict = said->verdict;
	if (said->verdict == AUTH_OK) {
		memcpy(caller->answer.user, said->user, sizeof(said->user));
		parse_to_lower(caller->question.name); /* as the server does */
		go_on_with_groups(c, caller);
	} else {
		put_answer(caller);
	}
	return true;
}

/* Those in question fit, and so do some of them. */
static void add_group(struct auth_answer *answer, const char *group)
{
	size_t used = strlen(answer->groups);

	snprintf(answer->groups + used, sizeof(answer->groups) - used, "%s%s", used > 0 ? "," : "",
		group);
}

static bool take_group(struct callers *c, struct caller *caller)
{
	if (!caller->job.is_done)
		return false;
	if (is_trouble(c, caller))
		return true;
	if (caller->job.answer.verdict == AUTH_OK)
		add_group(&caller->answer, caller->group);
	go_on_with_groups(c, caller);
	return true;
}

static bool write_answer(struct callers *c, struct caller *caller)
{
	ssize_t n;

	(void)c;
	n = socket_write(caller->fd, buffer_head(&caller->out), buffer_readable(&caller->out));
	if (n > 0)
		buffer_consume_secret(&caller->out, (size_t)n);
	else if (errno != EAGAIN)
		caller->is_over = true;
	if (buffer_readable(&caller->out) > 0)
		return false;
	caller->is_over |= caller->ends;
	caller->step = STEP_READ;
	return !caller->is_over;
}

/* ---- a round ---- */

void callers_add_polls(struct callers *c, struct polls *p)
{
	bool lets_in = c->count < c->most && clock_ms() >= c->accept_at;

	c->listener_place = polls_add(p, lets_in ? c->listener : -1, POLLIN);
	for (struct caller *caller = c->first; caller != NULL; caller = caller->next) {
		short events = caller->step == STEP_READ ? POLLIN
			: caller->step == STEP_WRITE     ? POLLOUT
							 : 0;

		caller->place = polls_add(p, caller->fd, events);
	}
}

static void read_bytes(struct caller *caller)
{
	ssize_t n = socket_read(caller->fd, buffer_tail(&caller->in), buffer_writable(&caller->in));

	if (n > 0)
		buffer_commit(&caller->in, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		caller->is_over = true;
}

static void serve(struct callers *c, struct caller *caller, short said)
{
	static bool (*const steps[])(struct callers * c, struct caller * caller) = {
		[STEP_READ] = read_question,
		[STEP_LOGIN] = take_login,
		[STEP_GROUP] = take_group,
		[STEP_WRITE] = write_answer};

	if (said & (POLLHUP | POLLERR))
		caller->is_over = true;
	else if ((said & POLLIN) && caller->step == STEP_READ)
		read_bytes(caller);
	while (!caller->is_over && steps[caller->step](c, caller))
		;
}

static void let_in(struct callers *c)
{
	struct addr nobody;
	int fd;
	enum socket_accept_outcome outcome = socket_accept(c->listener, &fd, &nobody);
	struct caller *caller = outcome == SOCKET_ACCEPTED ? make_caller(fd) : NULL;

	if (caller != NULL) {
		caller->next = c->first;
		c->first = caller;
		c->count++;
		backoff_end(&c->backoff);
	} else if (outcome == SOCKET_ACCEPTED) {
		socket_close(fd);
	} else if (outcome == SOCKET_ACCEPT_FAILED) {
		log_failure(&c->accept_failures, "accept", errno);
		c->accept_at = clock_deadline(backoff_next(&c->backoff));
	}
}

void callers_go_on(struct callers *c, const struct polls *p)
{
	struct caller **at = &c->first, *caller;

	while ((caller = *at) != NULL) {
		serve(c, caller, polls_said(p, caller->place));
		if (!caller->is_over) {
			at = &caller->next;
			continue;
		}
		*at = caller->next;
		free_caller(c, caller);
		c->count--;
	}
	if (polls_said(p, c->listener_place) != 0)
		let_in(c);
}

/* To ask for one is to hear what a helper says, and that may be for one who was looked at before.
 */
static bool is_answered(const struct caller *caller)
{
	return (caller->step == STEP_LOGIN || caller->step == STEP_GROUP) && caller->job.is_done;
}

int64_t callers_deadline(const struct callers *c)
{
	for (const struct caller *caller = c->first; caller != NULL; caller = caller->next) {
		if (is_answered(caller))
			return 0;
	}
	return c->accept_at > clock_ms() ? c->accept_at : CLOCK_NEVER;
}
