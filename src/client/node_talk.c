/*
 * A step for each line that is awaited. Before the request a step has an end that no dribble of
 * bytes moves; the reply to it may be long, and only silence ends that, as of a single server.
 *
 * The address is what a node has told of itself, perhaps from another host, to which 127.0.0.1 is
 * itself: so who answers there is asked for its name before it is asked for anything else.
 */
#include "client/node_talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define CONNECT_MS 10000 /* a host that is there answers within this */
#define GREETING_MAX 256

/* ---- ends ---- */

__attribute__((format(printf, 2, 3))) static int fail(struct node_talk *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->problem, sizeof(t->problem), format, args);
	va_end(args);
	link_close(t->link);
	t->link = NULL;
	t->state = TALK_FAILED;
	return LINK_BROKEN;
}

/* Of the link's error, which the link takes with it. */
static int fail_by_link(struct node_talk *t)
{
	char error[LINK_ERROR_MAX];

	snprintf(error, sizeof(error), "%s", link_error(t->link));
	return fail(
		t, "%s: %s; -L %s asks it alone", link_place(t->link), error, link_place(t->link));
}

static int fail_to_reach(struct node_talk *t, const char *error)
{
	bool is_loopback = addr_is_loopback(&t->node->address);

	return fail(t, "cannot reach its monitor at %.*s: %s%s", (int)t->node->monitor.len,
		t->node->monitor.text, error,
		is_loopback ? "; where it runs on another host, monitor_listen there is to be an "
			      "address that is reached from here"
			    : "; does a firewall keep its port closed?");
}

/* ---- steps: 1 to go on with the next one, 0 to wait, LINK_BROKEN behind a failure ---- */

static int begin_step(struct node_talk *t, enum node_talk_state state)
{
	t->state = state;
	t->deadline = clock_deadline(t->patience_ms);
	return 1;
}

static int send_and_await(struct node_talk *t, const char *line, enum node_talk_state state)
{
	return link_send(t->link, line) < 0 ? fail_by_link(t) : begin_step(t, state);
}

static int step_connecting(struct node_talk *t)
{
	int result = link_connected(t->link);

	if (result < 0) {
		char error[LINK_ERROR_MAX];

		snprintf(error, sizeof(error), "%s", link_error(t->link));
		return fail_to_reach(t, error);
	}
	return result == 0 ? 0 : begin_step(t, TALK_GREETED);
}

static int step_greeted(struct node_talk *t)
{
	char line[GREETING_MAX];
	int result = link_receive_greeting(t->link, line, sizeof(line));

	if (result <= 0)
		return result < 0 ? fail_by_link(t) : 0;
	if (strcmp(line, MONITOR_PROMPT) == 0)
		return send_and_await(t, t->login, TALK_LOGGING_IN);
	if (strncmp(line, "ERR", 3) == 0)
		return fail(t, "%s: %s", link_place(t->link), line);
	return fail(t, "%s: there is no monitor of socks5d", link_place(t->link));
}

static int step_logging_in(struct node_talk *t)
{
	struct answer answer;
	int result = link_receive_login(t->link, &answer);

	if (result <= 0)
		return result < 0 ? fail_by_link(t) : 0;
	if (answer.ok)
		result = send_and_await(t, NODE_LIST_COMMAND, TALK_NAMING);
	else
		result = fail(t,
			"%s: %.*s; the login has to be an administrator's there, too, with the "
			"same password",
			link_place(t->link), (int)answer.status.len, answer.status.text);
	answer_free(&answer);
	return result;
}

static int check_name(struct node_talk *t, const struct answer *answer)
{
	const struct monitor_line *wanted = &t->node->name;
	struct monitor_line name;

	if (!node_list_own_name(answer, &name))
		return fail(t, "%s: the server there is no node: %.*s", link_place(t->link),
			(int)answer->status.len, answer->status.text);
	if (answer_is_same(&name, wanted))
		return begin_step(t, TALK_READY);
	return fail(t,
		"%s, which it tells as its monitor's address, is that of node %.*s from here; "
		"monitor_listen there is to be an address of its own that is reached from here",
		link_place(t->link), (int)name.len, name.text);
}

static int step_naming(struct node_talk *t)
{
	struct answer answer;
	int result = link_receive(t->link, &answer);

	if (result <= 0)
		return result < 0 ? fail_by_link(t) : 0;
	result = check_name(t, &answer);
	answer_free(&answer);
	return result;
}

static int step_asked(struct node_talk *t)
{
	int result = link_receive(t->link, &t->reply);

	if (result <= 0)
		return result < 0 ? fail_by_link(t) : 0;
	t->state = TALK_ANSWERED;
	return 1;
}

static int (*const steps[])(struct node_talk *t) = {
	[TALK_CONNECTING] = step_connecting,
	[TALK_GREETED] = step_greeted,
	[TALK_LOGGING_IN] = step_logging_in,
	[TALK_NAMING] = step_naming,
	[TALK_ASKED] = step_asked,
	[TALK_FAILED] = NULL,
};

/* ---- what the caller does ---- */

void node_talk_begin(
	struct node_talk *t, const struct node_entry *node, const char *login, int64_t patience_ms)
{
	char host[ADDR_TEXT_MAX], port[8], error[LINK_ERROR_MAX];
	struct link_target target = {.host = host,
		.port = port,
		.patience_ms = patience_ms,
		.reply_max = LINK_REPLY_MAX};

	*t = (struct node_talk){.node = node, .login = login, .patience_ms = patience_ms};
	if (node->problem != NULL) {
		fail(t, "%s", node->problem);
		return;
	}
	addr_format_host(&node->address, host);
	snprintf(port, sizeof(port), "%u", addr_port(&node->address));
	t->link = link_start(&node->address, &target, error);
	if (t->link == NULL) {
		fail_to_reach(t, error);
		return;
	}
	link_never_wait(t->link);
	begin_step(t, TALK_CONNECTING);
	t->deadline = clock_earlier(t->deadline, clock_deadline(CONNECT_MS));
}

void node_talk_take(struct node_talk *t, const struct node_entry *node, struct link *link)
{
	*t = (struct node_talk){.state = TALK_READY, .node = node, .link = link};
	link_never_wait(link);
}

void node_talk_ask(struct node_talk *t, const char *request)
{
	send_and_await(t, request, TALK_ASKED);
}

/* What has come in the meantime counts before the time that it took. */
void node_talk_go_on(struct node_talk *t)
{
	int result = 1;

	while (result > 0 && steps[t->state] != NULL)
		result = steps[t->state](t);
	if (result != 0 || t->state == TALK_ASKED || clock_ms() < t->deadline)
		return;
	if (t->state == TALK_CONNECTING)
		fail_to_reach(t, strerror(ETIMEDOUT));
	else
		fail(t,
			"%s: the server is silent: it has not answered for %g s; -L %s asks it "
			"alone",
			link_place(t->link), (double)t->patience_ms / 1000, link_place(t->link));
}

struct pollfd node_talk_awaits(const struct node_talk *t)
{
	struct pollfd p = {.fd = -1, .events = POLLIN};

	if (steps[t->state] != NULL)
		p.fd = link_fd(t->link);
	if (t->state == TALK_CONNECTING)
		p.events = POLLOUT;
	return p;
}

int64_t node_talk_deadline(const struct node_talk *t)
{
	if (steps[t->state] == NULL)
		return CLOCK_NEVER;
	return t->state == TALK_ASKED ? link_deadline(t->link)
				      : clock_earlier(t->deadline, link_deadline(t->link));
}

bool node_talk_is_over(const struct node_talk *t)
{
	return t->state == TALK_ANSWERED || t->state == TALK_FAILED;
}

void node_talk_end(struct node_talk *t)
{
	link_close(t->link);
	t->link = NULL;
	answer_free(&t->reply);
}
