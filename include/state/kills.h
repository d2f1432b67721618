/* kills: whose sessions were ended here and are to end on the other nodes, too, while these are
 * about to be told. A mutex guards the queue; from any thread. */
#ifndef STATE_KILLS_H
#define STATE_KILLS_H

#include <stdbool.h>
#include <stddef.h>

#include "state/end_reason.h"

/* That wait at once. */
#define KILLS_MOST 256

#define KILLS_WHO_MAX 264 /* of a user, a client, or an @group; its NUL included */

struct kills;

struct kill {
	char who[KILLS_WHO_MAX];
	enum end_reason reason;
};

/* Nobody can be told yet. `ring` is called when there is something to tell, by whoever has put it
 * there, with no lock held. NULL without memory. */
struct kills *kills_new(void (*ring)(void *context), void *context);

/* NULL is allowed. */
void kills_free(struct kills *k);

/* The others are to be told. False when nobody can be, or too many wait: then they are not, and
 * will not be. */
bool kills_put(struct kills *k, const char *who, enum end_reason reason);

/* The next one, which is taken out; false: there is none. */
bool kills_take(struct kills *k, struct kill *out);

/* The others can be told from now on, or cannot, and then what waits is dropped: a kill is for the
 * sessions of its moment. Returns how many that were. */
size_t kills_set_open(struct kills *k, bool is_open);

#endif
