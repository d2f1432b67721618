/* followed: a file that is read again when it has changed, by one thread at a time. An atomic. */
#ifndef NET_FOLLOWED_H
#define NET_FOLLOWED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lines.h"
#include "base/stamp.h"

#define FOLLOWED_AGAIN_MS 1000 /* what could not be read is tried again after this */

/* Told why a file cannot be read, once until it can: "PATH: why". From any thread. */
typedef void followed_say(const char *why);

struct followed {
	const char *path; /* must live as long */
	followed_say *say; /* NULL: nobody wants to know */
	_Atomic(bool) is_claimed;

	/* of who has claimed it */
	bool was_read; /* or at least tried */
	bool has_failed;
	int64_t again; /* when to try it once more */
	struct stamp stamp;
};

/* The rest of `*f` is zero. */
void followed_init(struct followed *f, const char *path, followed_say *say);

/* Is it for the caller to read the file now, because it has changed or could not be read, or
 * `anyway`? Then it is nobody else's until followed_release(). Nobody waits: false while another
 * one reads it. */
bool followed_claim(struct followed *f, bool anyway) __attribute__((warn_unused_result));

/* Takes one line, which it may cut up. -1 without memory. */
typedef int followed_take_line(void *arg, char *line);

/* Gives `take` each line; a missing file has none. -1 when the file could not be read to its end or
 * `take` had no memory, with the reason in `why`. */
int followed_read(const struct followed *f, followed_take_line *take, void *arg,
	char why[LINES_ERROR_MAX]) __attribute__((warn_unused_result));

/* Says in `why` that there was no memory for what is in the file. -1. */
int followed_no_memory(const struct followed *f, char why[LINES_ERROR_MAX]);

/* It was read; `why`: it could not be, which is said, and what was known of it stays. */
void followed_release(struct followed *f, const char *why);

#endif
