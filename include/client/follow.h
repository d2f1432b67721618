/* follow: the reply that goes on, WATCH: its lines are printed as they come. No lock: one thread's.
 */
#ifndef CLIENT_FOLLOW_H
#define CLIENT_FOLLOW_H

#include "client/client.h"

#define FOLLOW_COMMAND "WATCH"

/* Asks, and prints until somebody types Enter or Ctrl-C at the terminal, or the next line of a
 * script is there, which stays to be read. In JSON each event is an object on a line. */
enum client_status follow_run(struct client *c, const char *request);

#endif
