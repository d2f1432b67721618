/* events: what befell sessions, the newest of it in a ring that takes no memory before the first. A
 * mutex guards it; whoever adds or reads holds it for a few copies. */
#ifndef STATE_EVENTS_H
#define STATE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/access_log.h"
#include "state/end_reason.h"
#include "state/users.h"

/* The one list of kinds, in the order in which a session comes to them, with their words. */
/* clang-format off */
#define EVENT_KIND_LIST(X) \
	X(BEGIN, "begin") /* a client was let in */ \
	X(REQUEST, "request") /* it has said what it wants */ \
	X(REFUSED, "refused") /* it is told no, or has been */ \
	X(END, "end")

enum event_kind {
#define EVENT_KIND(name, word) EVENT_##name,
	EVENT_KIND_LIST(EVENT_KIND)
#undef EVENT_KIND
	EVENT_KINDS,
};
/* clang-format on */

const char *event_kind_word(enum event_kind kind);

#define EVENT_COMMAND_MAX 16 /* bytes, with the NUL; what is longer is cut */
#define EVENT_RULE_MAX 64

/* What is not known is NULL, AF_UNSPEC or 0, and END_REASONS. */
struct event {
	enum event_kind kind;
	uint64_t id; /* the session's */
	int64_t time; /* seconds since 1970 */
	struct addr client;
	struct addr address; /* that the target came to; on failure the last one tried */
	size_t user_len;
	const char *user; /* who it is, or whose the login would have been */
	const char *command;
	const char *target; /* host:port as one word */
	enum end_reason reason;
	const char *rule; /* that decided */
	int error; /* errno */
	uint64_t sent, received;
	int64_t total_ms;
};

/* One that was read: the texts of `event` are in it, and none is NULL. */
struct event_copy {
	struct event event;
	char text[USERS_NAME_MAX + EVENT_COMMAND_MAX + ACCESS_TARGET_MAX + EVENT_RULE_MAX];
};

struct events;

/* Keeps the newest `most`. NULL without memory. */
struct events *events_new(size_t most);

/* NULL is allowed. */
void events_free(struct events *e);

/* Adds a copy; without memory there is nothing to remember. `e` may be NULL: nobody wants it. */
void events_add(struct events *e, const struct event *event);

/* Forgets all, and takes no memory again until the next. */
void events_forget(struct events *e);

/* Events have numbers that rise for ever: `*begin` becomes that of the oldest that is kept, and
 * `*end` that of the next to come. */
void events_range(struct events *e, uint64_t *begin, uint64_t *end);

/* A copy of the event with that number; false when it is not kept any more, or did not come yet. */
bool events_read(struct events *e, uint64_t number, struct event_copy *out);

#endif
