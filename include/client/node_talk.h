/* node_talk: the conversation with one of several nodes, which never waits: who it is, and one
 * request. No lock: one thread's. */
#ifndef CLIENT_NODE_TALK_H
#define CLIENT_NODE_TALK_H

#include <poll.h>
#include <stdint.h>

#include "client/link.h"
#include "client/node_list.h"

#define NODE_TALK_PROBLEM_MAX (LINK_ERROR_MAX + 512)

enum node_talk_state {
	TALK_NOT_BEGUN,
	TALK_CONNECTING,
	TALK_GREETED, /* is to be: the server speaks first */
	TALK_LOGGING_IN,
	TALK_NAMING, /* the server was asked who it is */
	TALK_READY, /* for the request */
	TALK_ASKED,
	TALK_ANSWERED,
	TALK_FAILED,
};

/* Zeroed at first. */
struct node_talk {
	enum node_talk_state state;
	const struct node_entry *node;
	const char *login; /* "NAME:PASSWORD" */
	int64_t patience_ms; /* for each step */
	int64_t deadline; /* of this one */
	struct link *link;
	struct answer reply; /* TALK_ANSWERED */
	char problem[NODE_TALK_PROBLEM_MAX]; /* TALK_FAILED: why, with what to do */
};

/* Begins to connect to `node`, and goes on to TALK_READY; both pointers stay in use. Where the node
 * has a problem it fails with that. */
void node_talk_begin(
	struct node_talk *t, const struct node_entry *node, const char *login, int64_t patience_ms);

/* The conversation with a node that has logged us in and whose name is known: TALK_READY. The link
 * is taken over. */
void node_talk_take(struct node_talk *t, const struct node_entry *node, struct link *link);

/* TALK_READY: sends the request. */
void node_talk_ask(struct node_talk *t, const char *request);

/* Does what can be done now. */
void node_talk_go_on(struct node_talk *t);

/* What it waits for: nothing, with a descriptor of -1, when it waits for the caller or is over. */
struct pollfd node_talk_awaits(const struct node_talk *t);
int64_t node_talk_deadline(const struct node_talk *t);

/* Has it been answered, or failed? */
bool node_talk_is_over(const struct node_talk *t);

/* Closes and frees what it has. */
void node_talk_end(struct node_talk *t);

#endif
