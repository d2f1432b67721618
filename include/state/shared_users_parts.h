/* shared_users_parts: what users that nodes share are made of, for the files of shared_users.h
 * (shared_users.c, shared_users_backend.c) only. The lock is the one of shared_users. */
#ifndef STATE_SHARED_USERS_PARTS_H
#define STATE_SHARED_USERS_PARTS_H

#include <stdatomic.h>

#include "base/lock.h"
#include "base/name_queue.h"
#include "state/shared_record.h"
#include "state/shared_users.h"

struct shared_users {
	struct standing *standing;
	char node[CLUSTER_NODE_MAX];
	_Atomic(bool) are_valid;
	void (*ring)(void *context); /* there is somebody to be told; NULL: nobody listens */
	void *ring_context;

	struct mutex lock; /* the names, but for those of the main thread */
	struct name_queue *arrived; /* to be put into effect; one thread puts in */
	bool is_taking; /* one who is in it no more is perhaps not in effect yet */
	struct name_queue *untold; /* to be told to the others; the main thread puts in */
	struct name_queue *graves; /* of whom stands that they were deleted */
	uint64_t changes; /* of these two; one more each time */
	struct name_queue *own; /* whom this node keeps alone; the main thread changes it */

	/* of the main thread */
	struct users_backend inner; /* has these */
	bool is_inner_kept; /* it is not in memory only */
	struct name_queue *read; /* as it was read last and is not in effect; NULL: it is */
	struct name_queue *hidden; /* who are hidden by these, as was said in the log */
};

/* In the order of how much is known. */
enum shared_found {
	SHARED_NOBODY,
	SHARED_UNREADABLE, /* there was no memory for it */
	SHARED_DELETED,
	SHARED_USER,
};

/* What stands there, whose `text` is to be freed; NULL where there is none. */
enum shared_found shared_users_find(
	struct shared_users *s, const char *name, struct shared_record *r, char **text);

/* Does a user of that name stand there who was not deleted? */
bool shared_users_stand(struct shared_users *s, const char *name);

/* What this node says of him from now on; `hash` NULL: he is deleted. -1 with the reason. */
int shared_users_say(struct shared_users *s, const char *name, const char *hash,
	const char *attributes, char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

void shared_users_note_grave(struct shared_users *s, const char *name);

/* Does this node keep him alone? */
bool shared_users_is_own(struct shared_users *s, const char *name);

#endif
