/*
 * Other nodes and the engine that they share have a say in what stands here, so nothing of it is
 * taken on trust: an address is one or is not used, and a name that stands here twice is asked
 * once.
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

static bool is_listed(const struct node_list *l, const struct monitor_line *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (answer_is_same(&l->nodes[i].name, name))
			return true;
	}
	return false;
}

static const char *problem_of(struct node_entry *e, bool is_away)
{
	if (is_away)
		return "it is offline and was not asked; if it runs, its log says why it does not "
		       "reach the engine, and -L and -P ask it alone";
	if (answer_is(&e->monitor, "-"))
		return "its monitor has no address of TCP, which monitor_listen and monitor_port "
		       "there give it, or shared_nodes at the node that was asked does not name "
		       "that address; --socket asks it alone, on its host";
	return has_address(e) ? NULL : "it tells an address of its monitor that is none";
}

static const char *add_line(
	struct node_list *l, const struct monitor_line *line, bool are_all_asked)
{
	struct monitor_line state;
	struct node_entry e;

	if (!take_node(line, &e, &state))
		return NULL; /* a later version's: of something else */
	if (l->count == NODE_LIST_MAX)
		return "NODES lists more than 1000 nodes";
	if (l->count > 0)
		e.problem = problem_of(&e, !are_all_asked && !answer_is(&state, "online"));
	if (is_listed(l, &e.name))
		e.problem = "NODES lists two of this name, and the second one was not asked: give "
			    "each node a node_name of its own";
	l->nodes[l->count++] = e;
	return NULL;
}

/* While the engine fails for the first node all others are silent to it, whatever they do. */
int node_list_parse(const struct answer *reply, struct node_list *out, const char **problem)
{
	bool is_apart;
	struct monitor_line name, state = {.len = 0};

	*out = (struct node_list){.count = 0};
	*problem = "it does not say in NODES which node it is";
	if (!node_list_own_name(reply, &name))
		return -1;
	answer_find(&reply->lines[0], "state", &state);
	is_apart = answer_is(&state, "apart");
	out->nodes = calloc(reply->count, sizeof(*out->nodes));
	*problem = out->nodes == NULL ? "out of memory" : NULL;
	for (size_t i = 0; i < reply->count && *problem == NULL; i++)
		*problem = add_line(out, &reply->lines[i], is_apart);
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
