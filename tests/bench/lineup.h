/* lineup: who takes part: no proxy at all, then the peers. Main thread only. */
#ifndef BENCH_LINEUP_H
#define BENCH_LINEUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEUP_MAX 16

/* What is known of starting it in one way: with login or without. */
struct lineup_mode {
	bool has_started;
	bool given_up;
};

struct lineup_member {
	char name[64];
	char script[PATH_MAX]; /* empty: no proxy */
	struct lineup_mode open;
	struct lineup_mode login;
	/* A bit for each scenario that it does not take part in any more: it took all its time and
	 * did not end, or it is not there for such a thing. */
	uint64_t left_out;
};

struct lineup {
	struct lineup_member members[LINEUP_MAX];
	size_t size;
};

/*
 * "direct", then the peers of the comma-separated `names` in that order, or with NULL every NAME.sh
 * of `dir` in the alphabet's. -1 when one cannot be found; the reason is on stderr by then.
 */
int lineup_make(struct lineup *lineup, const char *dir, const char *names);

#endif
