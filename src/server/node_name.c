#include "server/node_name.h"

#include <stdio.h>
#include <unistd.h>

#include "state/cluster_text.h"

bool node_name_find(const struct settings *settings, char out[CLUSTER_NODE_MAX])
{
	const char *name = settings->node_name;
	char host[CLUSTER_NODE_MAX] = "";

	if (name[0] == '\0') {
		(void)!gethostname(host, sizeof(host) - 1);
		name = host;
	}
	snprintf(out, CLUSTER_NODE_MAX, "%.*s", CLUSTER_NAME_LEN, name);
	return cluster_is_name(out);
}
