/*
 * Memory doubles, so that many elements, added one by one, are copied twice each at the most.
 */
#include "base/grow.h"

#include <stdlib.h>

void *grow_by_one(void *elements, size_t count, size_t *size, size_t of)
{
	size_t more = *size == 0 ? 4 : 2 * *size;
	void *grown;

	if (count < *size)
		return elements;
	grown = reallocarray(elements, more, of);
	if (grown != NULL)
		*size = more;
	return grown;
}
