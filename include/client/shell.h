/* shell: requests typed at a prompt, with editing, history and completion. No lock. */
#ifndef CLIENT_SHELL_H
#define CLIENT_SHELL_H

#include "client/client.h"

/* Asks and prints until QUIT, Ctrl-D, Ctrl-C, or until the server goes away. Refusals are for the
 * person at the prompt and not for the status. */
enum client_status shell_run(struct client *c);

#endif
