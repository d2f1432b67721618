/*
 * Answers are printed in the order of the list, each as soon as those before it are, while the
 * conversations go on at once: nodes that are dead cost their patience once and not one after the
 * other. The request itself is sent to a few nodes ahead only, so that what is held of answers has
 * a bound. At a terminal all is shown at the end, in one piece, since it may want a pager.
 *
 * Nobody is asked before all that is needed for it is there: the list, the login, a new password.
 */
#include "client/all_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/writing.h"
#include "client/login.h"
#include "client/new_password.h"
#include "client/node_list.h"
#include "client/node_talk.h"
#include "client/pager.h"
#include "net/socket.h"
#include "wire/json.h"

#define TALKS_MAX 256 /* conversations at once: each has a descriptor */
#define AHEAD_MAX 8 /* nodes that are asked before the answer of the first of them is printed */

struct all_nodes {
	struct client *client;
	const char *request;
	struct node_list list;
	struct node_talk *talks; /* one for each node of the list */
	size_t begun, printed; /* so many of them, in their order */
	FILE *out;
	bool has_printed; /* a node's answer */
	enum client_status status;
};

/* ---- printing ---- */

static void print_object_begin(struct all_nodes *a, const struct monitor_line *name)
{
	fputs(a->has_printed ? "," : "{", a->out);
	json_put_text(a->out, name);
	putc(':', a->out);
	a->has_printed = true;
}

static void print_heading(struct all_nodes *a, const struct monitor_line *name)
{
	char text[300];
	int len = snprintf(text, sizeof(text), "node %.*s:", (int)name->len, name->text);
	struct monitor_line heading = {.text = text, .len = (size_t)len};

	if (heading.len >= sizeof(text))
		heading.len = sizeof(text) - 1;
	if (a->has_printed)
		putc('\n', a->out);
	answer_print_line(a->out, &heading);
	a->has_printed = true;
}

static void print_answer(struct all_nodes *a, const struct node_talk *t)
{
	if (a->client->json) {
		print_object_begin(a, &t->node->name);
		json_put(a->out, a->request, &t->reply);
	} else {
		print_heading(a, &t->node->name);
		client_put(a->client, a->out, a->request, &t->reply);
	}
	if (!t->reply.ok)
		a->status = CLIENT_REFUSED;
}

static void print_failure(struct all_nodes *a, const struct node_talk *t)
{
	if (a->client->json) {
		print_object_begin(a, &t->node->name);
		fputs("null", a->out);
	}
	client_say("node %.*s: %s", (int)t->node->name.len, t->node->name.text, t->problem);
	a->status = CLIENT_REFUSED;
}

static void print_finished(struct all_nodes *a)
{
	while (a->printed < a->begun && node_talk_is_over(&a->talks[a->printed])) {
		struct node_talk *t = &a->talks[a->printed++];

		if (t->state == TALK_ANSWERED)
			print_answer(a, t);
		else
			print_failure(a, t);
		node_talk_end(t);
	}
	if (a->out == stdout)
		fflush(stdout);
}

/* ---- asking ---- */

static void begin_more(struct all_nodes *a)
{
	for (; a->begun < a->list.count && a->begun < a->printed + TALKS_MAX; a->begun++)
		node_talk_begin(&a->talks[a->begun], &a->list.nodes[a->begun], a->client->login,
			LINK_PATIENCE_MS);
}

/* Those that are ready, whoever of them is first. */
static void ask_more(struct all_nodes *a)
{
	for (size_t i = a->printed; i < a->begun && i < a->printed + AHEAD_MAX; i++) {
		if (a->talks[i].state == TALK_READY)
			node_talk_ask(&a->talks[i], a->request);
	}
}

/* 0, or LINK_INTERRUPTED. */
static int wait_and_go_on(struct all_nodes *a)
{
	struct pollfd fds[TALKS_MAX + 1];
	size_t count = a->begun - a->printed;
	struct node_talk *talks = &a->talks[a->printed];
	int64_t deadline = CLOCK_NEVER;

	fds[count] = (struct pollfd){.fd = a->client->signals.ending, .events = POLLIN};
	for (size_t i = 0; i < count; i++) {
		fds[i] = node_talk_awaits(&talks[i]);
		deadline = clock_earlier(deadline, node_talk_deadline(&talks[i]));
	}
	socket_wait(fds, count + 1, deadline);
	if (fds[count].revents != 0)
		return LINK_INTERRUPTED;
	for (size_t i = 0; i < count; i++)
		node_talk_go_on(&talks[i]);
	return 0;
}

/* 0, or LINK_INTERRUPTED. */
static int ask_all(struct all_nodes *a)
{
	int result = 0;

	while (result == 0 && a->printed < a->list.count) {
		begin_more(a);
		ask_more(a);
		result = wait_and_go_on(a);
		print_finished(a);
	}
	return result;
}

static void finish_output(struct all_nodes *a)
{
	if (a->client->json && a->has_printed)
		fputs("}\n", a->out);
}

/* What was answered until it was interrupted is shown, too. */
static enum client_status ask_and_show(struct all_nodes *a)
{
	struct writing w;
	int result;
	bool is_collected = !a->client->json && client_is_for_person(a->client);

	a->out = is_collected ? writing_begin(&w) : stdout;
	if (a->out == NULL) {
		client_say("out of memory");
		return CLIENT_BROKEN;
	}
	result = ask_all(a);
	if (result == 0)
		finish_output(a);
	if (is_collected && !writing_end(&w)) {
		client_say("out of memory");
		return CLIENT_BROKEN;
	}
	if (is_collected)
		pager_show(w.text, w.len);
	if (is_collected)
		free(w.text);
	return result < 0 ? client_complain(a->client, result) : a->status;
}

/* The link is the first conversation's from here on. */
static enum client_status ask_nodes(struct all_nodes *a)
{
	enum client_status status;

	a->talks = calloc(a->list.count, sizeof(*a->talks));
	if (a->talks == NULL) {
		client_say("out of memory");
		return CLIENT_BROKEN;
	}
	node_talk_take(&a->talks[0], &a->list.nodes[0], a->client->link);
	a->client->link = NULL;
	a->begun = 1;
	status = ask_and_show(a);
	for (size_t i = a->printed; i < a->begun; i++)
		node_talk_end(&a->talks[i]);
	free(a->talks);
	return status;
}

/* ---- what is needed for it ---- */

static enum client_status ask_for_list(struct client *c, struct answer *reply)
{
	int result = link_ask(c->link, NODE_LIST_COMMAND, reply);

	if (result < 0)
		return client_complain(c, result);
	if (reply->ok)
		return CLIENT_OK;
	client_say("--all: %.*s", (int)reply->status.len, reply->status.text);
	return CLIENT_REFUSED;
}

static enum client_status find_nodes(struct client *c, struct answer *reply, struct node_list *list)
{
	const char *problem;
	enum client_status status = ask_for_list(c, reply);

	if (status != CLIENT_OK || node_list_parse(reply, link_peer(c->link), list, &problem) == 0)
		return status;
	client_say("--all: %s: %s", link_place(c->link), problem);
	return CLIENT_BROKEN;
}

static bool is_login_needed(const struct node_list *l)
{
	for (size_t i = 1; i < l->count; i++) {
		if (l->nodes[i].problem == NULL)
			return true;
	}
	return false;
}

enum client_status all_nodes_ask(struct client *c, const char *request)
{
	struct all_nodes a = {.client = c};
	struct answer reply = {.ok = false};
	char *filled = NULL;
	enum client_status status = find_nodes(c, &reply, &a.list);

	if (status == CLIENT_OK && is_login_needed(&a.list))
		status = login_for_others(c);
	if (status == CLIENT_OK)
		status = new_password_ask(c, request, &filled);
	a.request = filled != NULL ? filled : request;
	if (status == CLIENT_OK)
		status = ask_nodes(&a);
	if (filled != NULL)
		explicit_bzero(filled, strlen(filled));
	free(filled);
	node_list_free(&a.list);
	answer_free(&reply);
	return status;
}
