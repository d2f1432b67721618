/* name_queue: names in the order in which they came, each once. No lock: the owner's. */
#ifndef BASE_NAME_QUEUE_H
#define BASE_NAME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct name_queue;

/* Nobody waits. NULL without memory. */
struct name_queue *name_queue_new(void);

/* NULL is allowed. */
void name_queue_free(struct name_queue *q);

size_t name_queue_count(const struct name_queue *q);
bool name_queue_has(const struct name_queue *q, const char *name);

/* Until another name is prepared, or this one put, name_queue_put() of it cannot fail. -1 without
 * memory. */
int name_queue_prepare(struct name_queue *q, const char *name) __attribute__((warn_unused_result));

/* At the end, unless it is there already. -1 without memory, and nothing changed. */
int name_queue_put(struct name_queue *q, const char *name) __attribute__((warn_unused_result));

/* The one that came first, or next behind `name`, which is there; NULL: there is none. Valid until
 * it is taken out. */
const char *name_queue_first(const struct name_queue *q);
const char *name_queue_next(const struct name_queue *q, const char *name);

/* False when it is not there. */
bool name_queue_remove(struct name_queue *q, const char *name);

#endif
