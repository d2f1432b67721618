/* plural: the "s" behind a noun that is counted. No state, no lock. */
#ifndef BASE_PLURAL_H
#define BASE_PLURAL_H

#include <stdint.h>

/* "" for one of it, else "s": printf("%zu session%s", n, plural(n)). */
static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
