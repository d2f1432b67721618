/* top: the live view: asks each second, follows the keys. No lock: one thread's. */
#ifndef CLIENT_TOP_H
#define CLIENT_TOP_H

#include "client/client.h"

/* Before anything is connected: CLIENT_USAGE, said why, on a terminal that cannot show it. */
enum client_status top_check(void);

/* Shows it until q or Ctrl-C, or until the server goes away. */
enum client_status top_run(struct client *c);

#endif
