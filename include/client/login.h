/* login: the first three lines: the server's prompt, who we are, the answer. No lock. */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include "client/client.h"

/* Logs in with what flags, environment, file, terminal or standard input give. Prints why when it
 * does not work out. */
enum client_status login_run(struct client *c);

/* Sees that there is a login for other nodes, too: a server that knows us by its socket has asked
 * for none. Prints why when there is none. */
enum client_status login_for_others(struct client *c);

#endif
