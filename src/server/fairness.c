/*
 * From the most modest on, each gets what he wants or an equal part of what is left for him and all
 * behind him. Once one gets an equal part, so do all others, and it is the same.
 */
#include "server/fairness.h"

#include <stdlib.h>

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->want > y->want) - (x->want < y->want);
}

uint64_t fairness_divide(uint64_t whole, struct claim *claims, size_t count)
{
	uint64_t left = whole;

	if (count > 0)
		qsort(claims, count, sizeof(*claims), compare_claims);
	for (size_t i = 0; i < count; i++) {
		uint64_t part = left / (count - i);

		claims[i].share = claims[i].want < part ? claims[i].want : part;
		left -= claims[i].share;
	}
	if (count > 0 && claims[count - 1].share < claims[count - 1].want)
		return claims[count - 1].share;
	return count > 0 ? left + claims[count - 1].share : whole;
}
