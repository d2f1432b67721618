/* registry: the live sessions, a slot for each worker, so that others can end them. A mutex a slot
 * guards the fact that the slot's descriptors are still open. */
#ifndef STATE_REGISTRY_H
#define STATE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct registry;

/* NULL without memory. */
struct registry *registry_new(size_t slots);
void registry_free(struct registry *r);

/* A session begins in `slot` with the client's socket. Returns its id, which is never used again;
 * the first is 1. */
uint64_t registry_enter(struct registry *r, size_t slot, int client);

/* The session has connected to its target. */
void registry_set_target(struct registry *r, size_t slot, int target);

/* The session ends; afterwards its worker may close the descriptors. */
void registry_leave(struct registry *r, size_t slot);

/* Was the session in `slot` told to stop? */
bool registry_told_to_stop(struct registry *r, size_t slot);

/* Tells all sessions, those to come included, to stop and shuts their sockets down, which wakes
 * their workers. */
void registry_stop_all(struct registry *r);

#endif
