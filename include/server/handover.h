/* handover: listening sockets that are not opened here: those of a service manager's own, and those
 * that it keeps for the next instance. The main thread's; no lock. */
#ifndef SERVER_HANDOVER_H
#define SERVER_HANDOVER_H

#include "net/inherited.h"
#include "net/notify.h"
#include "proxy/listeners.h"
#include "server/front.h"
#include "state/config.h"

struct handover {
	const struct notify *notify;
	size_t count;
	struct inherited items[INHERITED_MOST]; /* its descriptor is -1 once it was claimed */
	/* Where the manager's own are, for the settings that they stand for. */
	size_t given_count;
	struct config_override given[FRONTS];
	char *texts[FRONTS];
};

/* Takes in what the environment names (inherited.h). -1 with the reason in `error` when one of them
 * cannot be used; handover_free() is to follow all the same. */
int handover_take(struct handover *h, const struct notify *notify, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));
void handover_free(struct handover *h);

/* Those that are at the places of `list`, or has the file at `path`, for that front: a set of the
 * caller's. NULL without memory. */
struct listeners *handover_claim(
	struct handover *h, enum front front, const struct listen_list *list, int backlog);
struct listeners *handover_claim_local(struct handover *h, enum front front, const char *path);

/* Closes those that nobody has claimed, and has the manager forget them. */
void handover_drop_rest(struct handover *h);

/* Has the manager keep it, unless it does so already, or has it as its own. */
void handover_keep(const struct handover *h, enum front front, struct listener *item);

/* Nobody is to be let in there any more, by anybody: the manager forgets it. */
void handover_forget(const struct handover *h, struct listener *item);

#endif
