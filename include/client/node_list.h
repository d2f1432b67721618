/* node_list: the servers that share their state, as NODES of one of them lists them. Pure; no lock.
 */
#ifndef CLIENT_NODE_LIST_H
#define CLIENT_NODE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "wire/answer.h"

#define NODE_LIST_COMMAND "NODES"
#define NODE_LIST_MAX 1000 /* nodes that are asked at most */

/* Texts point into the reply. */
struct node_entry {
	struct monitor_line name;
	struct monitor_line monitor; /* where it says that its monitor is; "-" where it does not */
	struct addr address; /* the same, where it can be asked there */
	const char *problem; /* why it cannot be, with what to do; NULL: it can */
};

/* The node that was asked is the first one. */
struct node_list {
	struct node_entry *nodes;
	size_t count;
};

/* Takes the reply to NODES apart, of the server that was reached at this address, or AF_UNSPEC for
 * a unix socket. Nodes that are offline have a problem, but not where the first one knows of no
 * others, because its engine fails; so have those at loopback addresses that need not be this
 * host's. -1 with the reason in `*problem`. */
int node_list_parse(const struct answer *reply, const struct addr *reached_at,
	struct node_list *out, const char **problem) __attribute__((warn_unused_result));

/* Also for a struct that is all zeros. */
void node_list_free(struct node_list *l);

/* The name of the node that answers with `reply`, the reply to NODES: false when it has none. */
bool node_list_own_name(const struct answer *reply, struct monitor_line *out);

#endif
