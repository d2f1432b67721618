/* watch: WATCH by HTTP, for pages that ask again and again for what has happened since. The web's
 * thread's; no lock. */
#ifndef WEB_WATCH_H
#define WEB_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_PATH "/api/watch"
#define WATCH_CURSOR_MAX 64
#define WATCH_MOST 1000 /* events of an answer */
#define WATCH_REST_MS 30000 /* without a question, after which nobody watches any more */

struct web_connection;
struct web_desk;

/* Zeroed at first. */
struct watch {
	bool is_on; /* events are kept */
	uint64_t first; /* number of the first that was, since then */
	int64_t until; /* clock_ms(): is on so long without a question */
	char name[17]; /* of this time, other than those before, of other runs of the server, too */
};

/* The reply of the order, which is a WATCH: OK and a cursor, the events since the cursor `after`.
 * With one that is too old, or another server's, the first line tells that some were lost; "": from
 * now on. */
void watch_put(struct web_connection *c, const char *after);

/* Ends it when nobody has asked for some time. When it is to be called again at the latest. */
int64_t watch_rest(struct web_desk *desk);

/* Ends it. */
void watch_end(struct web_desk *desk);

#endif
