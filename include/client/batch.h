/* batch: requests from standard input, one a line, where nobody watches. No lock. */
#ifndef CLIENT_BATCH_H
#define CLIENT_BATCH_H

#include "client/client.h"

/* Sends each line and prints its reply, until the end of the input or QUIT. CLIENT_REFUSED when
 * any of the replies was ERR. */
enum client_status batch_run(struct client *c);

#endif
