/* completion: what may stand next in a request, from what HELP says. Pure; no lock. */
#ifndef CLIENT_COMPLETION_H
#define CLIENT_COMPLETION_H

#include <stddef.h>

#include "wire/answer.h"

#define COMPLETION_WORD_MAX 256 /* with its NUL; longer ones are left out */

/* Words that begin with what is there of the one to complete. Zeroed at first. */
struct completion {
	char (*words)[COMPLETION_WORD_MAX];
	size_t count;
	size_t room;
	const char *begun; /* the part of the line that they complete */
	size_t begun_len;
	/* A command whose reply names more of them, to be handed to completion_add(); or NULL. */
	const char *source;
	const char *key;
};

/* Finds what completes the `len` bytes at `line`: the words of `help`, the reply to HELP, or what
 * it says of the command that the line begins with. */
void completion_find(struct completion *c, const struct answer *help, const char *line, size_t len);

/* Adds the words that the reply to `source` has. */
void completion_add(struct completion *c, const struct answer *reply);

/* How many bytes all words have in common, at least `begun_len`. */
size_t completion_common(const struct completion *c);

void completion_free(struct completion *c);

#endif
