/*
 * Deadlines are absolute, so that whoever is interrupted and waits again stretches none.
 * CLOCK_MONOTONIC does not jump when the date is set. Milliseconds are what poll(2) counts in.
 */
#include "base/clock.h"

#include <limits.h>

int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_deadline(int64_t ms)
{
	int64_t now = clock_ms();

	return ms >= CLOCK_NEVER - now ? CLOCK_NEVER : now + ms;
}

int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int clock_poll_timeout(int64_t deadline)
{
	int64_t left;

	if (deadline == CLOCK_NEVER)
		return -1;
	left = deadline - clock_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

struct timespec clock_timespec(int64_t deadline)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};

	return ts;
}
