/* turnaways: which clients that were turned away at the door are worth telling whoever asks why:
 * each now and then, and of all no more than leaves room for other failures. A mutex. */
#ifndef STATE_TURNAWAYS_H
#define STATE_TURNAWAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/lock.h"

/* The same client again after so long; of all as many at once as that, and then one each so often.
 * So a flood needs days to fill 10,000 places. */
#define TURNAWAYS_AGAIN_MS 600000
#define TURNAWAYS_AT_ONCE 100
#define TURNAWAYS_EACH_MS 30000

#define TURNAWAYS_REMEMBERED 128 /* clients */

/* All zeros, then turnaways_init(). */
struct turnaways {
	struct mutex lock;
	int64_t spent_until; /* as much as was told is made up for then; clock_ms() */
	size_t next; /* the place of the next client */
	struct turnaway {
		struct network client;
		int64_t until; /* clock_ms(); 0: nobody */
	} clients[TURNAWAYS_REMEMBERED];
};

void turnaways_init(struct turnaways *t);
void turnaways_destroy(struct turnaways *t);

/* Is it to be told? `now` is clock_ms(). */
bool turnaways_pass(struct turnaways *t, const struct network *client, int64_t now);

#endif
