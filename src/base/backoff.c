/*
 * What fails and is tried again at once spins; what waits long for a moment's lack is slow. The
 * pause begins short and doubles, so that a short lack costs little time and a long one little
 * else.
 */
#include "base/backoff.h"

int64_t backoff_next(struct backoff *b)
{
	int64_t next = b->pause_ms == 0 ? BACKOFF_FIRST_MS : 2 * b->pause_ms;

	b->pause_ms = next < BACKOFF_LONGEST_MS ? next : BACKOFF_LONGEST_MS;
	return b->pause_ms;
}

void backoff_end(struct backoff *b)
{
	b->pause_ms = 0;
}
