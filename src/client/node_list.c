/*
 * Other nodes and the engine that they share have a say in what stands here, so nothing of it is
 * taken on trust: an address is one or is not used, and a name that stands here twice is asked
 * once.
 *
 * A node at 127.0.0.1 is on its own host, and whoever listens there on this one would be sent the
 * login. So such an address is used only where the first server is one of this host by all that is
 * seen of it. That it is and tells another address is no sign of it: then the nodes are of several
 * hosts, and this one of any of them.
 */
#include "client/node_list.h"

#include <stdlib.h>

static bool is_one_of(const struct monitor_line *state, const char *a, const char *b)
{
	return answer_is(state, a) || answer_is(state, b);
}

/* Of a line that is a node's. */
static bool take_node(
	const struct monitor_line *line, struct node_entry *out, struct monitor_line *state)
{
	static const struct monitor_line untold = {.text = "-", .len = 1};

	*out = (struct node_entry){.monitor = untold};
	if (!answer_find(line, "node", &out->name) || out->name.len == 0 ||
		!answer_find(line, "state", state))
		return false;
	answer_find(line, "monitor", &out->monitor);
	return true;
}

bool node_list_own_name(const struct answer *reply, struct monitor_line *out)
{
	struct monitor_line state;
	struct node_entry own;

	if (!reply->ok || reply->count == 0 || !take_node(&reply->lines[0], &own, &state) ||
		!is_one_of(&state, "here", "apart"))
		return false;
	*out = own.name;
	return true;
}

static bool has_address(struct node_entry *e)
{
	bool has_port;

	return addr_parse_port(e->monitor.text, e->monitor.len, &e->address, &has_port) &&
		has_port && addr_port(&e->address) != 0 && !addr_is_unspecified(&e->address);
}

/* May loopback addresses that the server tells be used here? Reached at another port than it tells
 * it is behind a tunnel. */
static bool shares_loopback(const struct monitor_line *own, const struct addr *reached_at)
{
	bool is_by_socket = reached_at->sa.sa_family == AF_UNSPEC;
	struct monitor_line state;
	struct node_entry e;

	if (!take_node(own, &e, &state))
		return false;
	if (answer_is(&e.monitor, "-"))
		return is_by_socket;
	if (!has_address(&e) || !addr_is_loopback(&e.address))
		return false;
	return is_by_socket ||
		((addr_is_loopback(reached_at) || addr_is_unspecified(reached_at)) &&
			addr_port(reached_at) == addr_port(&e.address));
}

static bool is_listed(const struct node_list *l, const struct monitor_line *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (answer_is_same(&l->nodes[i].name, name))
			return true;
	}
	return false;
}

/* How the first node stands. */
struct view {
	bool is_apart; /* and so knows of no others */
	bool shares_loopback;
};

static const char *problem_of_address(struct node_entry *e, const struct view *v)
{
	if (answer_is(&e->monitor, "-"))
		return "its monitor has no address of TCP, which monitor_listen and monitor_port "
		       "there give it, or shared_nodes at the node that was asked does not name "
		       "that address; --socket asks it alone, on its host";
	if (!has_address(e))
		return "it tells an address of its monitor that is none";
	if (addr_is_loopback(&e->address) && !v->shares_loopback)
		return "the address of its monitor is a loopback one, which is reached on its own "
		       "host only, and nothing says that this is that host: monitor_listen there "
		       "is to be an address that is reached from here; -L and -P ask it alone, on "
		       "its host";
	return NULL;
}

static const char *problem_of(
	struct node_entry *e, const struct monitor_line *state, const struct view *v)
{
	if (!v->is_apart && !answer_is(state, "online"))
		return "it is offline and was not asked; if it runs, its log says why it does not "
		       "reach the engine, and -L and -P ask it alone";
	return problem_of_address(e, v);
}

static const char *add_line(
	struct node_list *l, const struct monitor_line *line, const struct view *v)
{
	struct monitor_line state;
	struct node_entry e;

	if (!take_node(line, &e, &state))
		return NULL; /* a later version's: of something else */
	if (l->count == NODE_LIST_MAX)
		return "NODES lists more than 1000 nodes";
	if (l->count > 0)
		e.problem = problem_of(&e, &state, v);
	if (is_listed(l, &e.name))
		e.problem = "NODES lists two of this name, and the second one was not asked: give "
			    "each node a node_name of its own";
	l->nodes[l->count++] = e;
	return NULL;
}

/* While the engine fails for the first node all others are silent to it, whatever they do. */
int node_list_parse(const struct answer *reply, const struct addr *reached_at,
	struct node_list *out, const char **problem)
{
	struct view view;
	struct monitor_line name, state = {.len = 0};

	*out = (struct node_list){.count = 0};
	*problem = "it does not say in NODES which node it is";
	if (!node_list_own_name(reply, &name))
		return -1;
	answer_find(&reply->lines[0], "state", &state);
	view = (struct view){.is_apart = answer_is(&state, "apart"),
		.shares_loopback = shares_loopback(&reply->lines[0], reached_at)};
	out->nodes = calloc(reply->count, sizeof(*out->nodes));
	*problem = out->nodes == NULL ? "out of memory" : NULL;
	for (size_t i = 0; i < reply->count && *problem == NULL; i++)
		*problem = add_line(out, &reply->lines[i], &view);
	if (*problem == NULL)
		return 0;
	node_list_free(out);
	return -1;
}

void node_list_free(struct node_list *l)
{
	free(l->nodes);
	*l = (struct node_list){.count = 0};
}
