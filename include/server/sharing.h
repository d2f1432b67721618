/* sharing: the thread that shares with other nodes, by an engine (engine.h), what accounts use and
 * run, users, bans, kills, and which nodes there are. Nobody waits for it: what it has read is in a
 * cluster (state/cluster.h). A mutex guards what it is told and what it tells. */
#ifndef SERVER_SHARING_H
#define SERVER_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/services.h"
#include "state/cluster.h"
#include "state/settings.h"

#define SHARING_PERIOD_MS 250 /* how often it is asked what is new */
#define SHARING_BEAT_MS 5000 /* how often a node says that it is there, and what was used */
#define SHARING_ERROR_MAX 768

struct sharing;

/* Who is told what has come, by the thread. */
struct sharing_bell {
	void (*ring)(void *context); /* accounts have used or run something elsewhere */
	void (*ring_users)(void *context); /* shared_users_next_arrived() has somebody */
	void *context;
};

/* Of the settings in `s`, which name an engine; `v` has to outlive it, which
 * has the cluster from then on. Nothing runs yet. NULL with the reason in `error`, which begins
 * with a setting's name. */
struct sharing *sharing_new(const struct settings *s, struct services *v,
	const struct sharing_bell *bell, char error[SHARING_ERROR_MAX]);

/* The same questions without making anything: -1 with the reason. */
int sharing_check(const struct settings *s, char error[SHARING_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Starts the thread. -1 with errno. */
int sharing_start(struct sharing *s) __attribute__((warn_unused_result));

/* Says goodbye to the engine and ends the thread, if it was started. NULL is allowed. */
void sharing_stop(struct sharing *s);

/* After sharing_stop(). NULL is allowed. */
void sharing_free(struct sharing *s);

#endif
