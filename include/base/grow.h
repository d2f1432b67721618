/* grow: arrays that grow by one element at a time. No state, no lock. */
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include <stddef.h>

/* `elements` are `count` of `of` bytes each, in memory for `*size` (NULL for 0). Returns them with
 * room for one more, perhaps in another place; `*size` follows. NULL without memory, and they stay
 * as they are. */
void *grow_by_one(void *elements, size_t count, size_t *size, size_t of)
	__attribute__((warn_unused_result));

#endif
