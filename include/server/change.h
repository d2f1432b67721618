/* change: going over from one configuration to another while serving. The main thread's; no lock.
 */
#ifndef SERVER_CHANGE_H
#define SERVER_CHANGE_H

#include "server/site.h"

#define CHANGE_REPLY_MAX 4096

/* `first` is what was read at start, which it goes on from. */
void change_begin(struct site *s, struct config *first);

/* Reads configuration and users again and opens the logs again: all of it, or nothing. 0 with what
 * changed in `reply`, -1 with the reason; either is logged too. Behind what changed there is a line
 * for each value that change_set() has set and that stands over what file and flags say: as it is
 * to be written into the file to outlast the server. Live sessions that the rules refuse now are
 * told of, and end with `cuts`, or where `recheck` wants that. */
int change_reload(struct site *s, bool cuts, char reply[CHANGE_REPLY_MAX]);

/* Gives one setting another value, as if it stood in the file, until the file says something new of
 * it. 0 with what changed in `reply`, -1 with the reason, and nothing changed. */
int change_set(struct site *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);

/* Frees what it remembers. */
void change_forget(struct site *s);

#endif
