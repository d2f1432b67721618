/* node_name: what this server is called among those that share their state. No state, no lock. */
#ifndef SERVER_NODE_NAME_H
#define SERVER_NODE_NAME_H

#include <stdbool.h>

#include "state/cluster.h"
#include "state/settings.h"

/* As the setting says, or as the host is called. False when that is no name that a node can have.
 */
bool node_name_find(const struct settings *settings, char out[CLUSTER_NODE_MAX]);

#endif
