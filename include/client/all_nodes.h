/* all_nodes: one request to all servers that share their state. No lock: one thread's. */
#ifndef CLIENT_ALL_NODES_H
#define CLIENT_ALL_NODES_H

#include "client/client.h"

/* Asks the server that it is connected to, and all nodes that it knows of, in its order, and prints
 * each answer under the node's name, or all as one object. Says of each node that gave none why,
 * and goes on with the others. CLIENT_OK when all have answered OK. A password that the request has
 * `-` for is asked for first. */
enum client_status all_nodes_ask(struct client *c, const char *request);

#endif
