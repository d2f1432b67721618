/* writing: text that grows while it is written to a stream. One thread's; no lock. */
#ifndef BASE_WRITING_H
#define BASE_WRITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct writing {
	FILE *out; /* NULL: there was no memory, or it has ended */
	char *text; /* once it has ended, with a NUL behind it; to be freed */
	size_t len;
};

/* Begins one. Returns its stream; NULL without memory, and then it is ended all the same. */
FILE *writing_begin(struct writing *w);

/* Ends it. False when not all of it could be kept: then there is no text. */
bool writing_end(struct writing *w);

#endif
