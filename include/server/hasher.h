/* hasher: the thread that computes slow hashes for administrators, so that neither main nor a loop
 * that serves others has to; or does for them what else may take long. */
#ifndef SERVER_HASHER_H
#define SERVER_HASHER_H

#include "server/errands.h"

struct hasher;

/* No thread yet. NULL without memory. */
struct hasher *hasher_new(void);

/* Where errands wait for it. Valid until hasher_free(). */
struct errands *hasher_errands(struct hasher *h);

/* Starts the thread, which ps(1) shows by this name. -1 with errno. */
int hasher_start(struct hasher *h, const char *name) __attribute__((warn_unused_result));

/* Ends the thread, if it was started, behind the step that is under way; the errands that wait are
 * left. NULL is allowed. */
void hasher_stop(struct hasher *h);

/* Frees everything, after hasher_stop(). NULL is allowed. */
void hasher_free(struct hasher *h);

#endif
