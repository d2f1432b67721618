/*
 * A spliced wake-up costs the same whatever it carries, a copied one costs by the byte; so what
 * decides is how much there is to a wake-up, and the average does it: the receiver's pace makes
 * reads of a buffer that is half full alternate between large and middling ones, and one that is
 * middling proves nothing.
 *
 * The average is exponential, of about the last WEIGHT wake-ups, and begins at nothing, so that a
 * first burst of 256 KiB is copied. A wake-up counts for one buffer at the most: a pipe takes more
 * at once, but what decides is what copying would have to do. Between large and small is a factor
 * of two, so that nobody changes to and fro.
 */
#include "proxy/bulk.h"

#define WEIGHT 6
#define PAUSE 128

void bulk_init(struct bulk *b, size_t full)
{
	*b = (struct bulk){.full = full};
}

void bulk_note(struct bulk *b, size_t bytes)
{
	b->sum += (bytes < b->full ? bytes : b->full) - b->sum / WEIGHT;
	b->pause -= b->pause > 0;
}

void bulk_has_no_pipe(struct bulk *b)
{
	b->pause = PAUSE;
}

bool bulk_is_large(const struct bulk *b)
{
	return b->pause == 0 && b->sum / WEIGHT >= b->full / 2;
}

bool bulk_is_small(const struct bulk *b)
{
	return b->sum / WEIGHT < b->full / 4;
}
