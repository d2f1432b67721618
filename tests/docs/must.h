/* must: memory or the end. For gendoc. */
#ifndef DOCS_MUST_H
#define DOCS_MUST_H

#include <stdio.h>
#include <stdlib.h>

static inline void *must(void *memory)
{
	if (memory == NULL) {
		perror("gendoc");
		exit(2);
	}
	return memory;
}

#endif
