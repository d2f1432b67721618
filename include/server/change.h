/* change: going over from one configuration to another while serving. The main thread's; no lock.
 */
#ifndef SERVER_CHANGE_H
#define SERVER_CHANGE_H

#include "server/site.h"

#define CHANGE_REPLY_MAX 4096

/* Reads configuration and users again and opens the logs again: all of it, or nothing. 0 with what
 * changed in `reply`, -1 with the reason; either is logged too. */
int change_reload(struct site *s, char reply[CHANGE_REPLY_MAX]);

/* Gives one setting another value, as if it stood in the file, until the file says something new of
 * it. 0 with what changed in `reply`, -1 with the reason, and nothing changed. */
int change_set(struct site *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);

/* Frees what it remembers. */
void change_forget(struct site *s);

#endif
