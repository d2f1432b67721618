/*
 * One slot for the second that it is: a thread that finds another second there makes the text
 * itself and leaves it for the others. The words are atomics, so that a reader which is overtaken
 * sees a mixture, notices by the sequence, and makes its own; nobody ever waits.
 */
#include "base/timestamp.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define SIZE (TIMESTAMP_DATE + TIMESTAMP_ZONE)
#define WORDS (SIZE / sizeof(uint64_t))

_Static_assert(SIZE % sizeof(uint64_t) == 0, "the text fills the words");

/* Odd while a thread writes. What stands behind it is written with release and read with acquire,
 * the second like the words: whoever read any of it that was written since also sees that the
 * sequence has changed. Readers take what they found only when it was even and the same before and
 * after. */
static _Atomic(unsigned) sequence;
static _Atomic(int64_t) second = INT64_MIN;
static _Atomic(uint64_t) words[WORDS];

static bool find_kept(int64_t when, char text[SIZE])
{
	unsigned before = atomic_load_explicit(&sequence, memory_order_acquire);
	int64_t found = atomic_load_explicit(&second, memory_order_acquire);
	uint64_t copy[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		copy[i] = atomic_load_explicit(&words[i], memory_order_acquire);
	if (before % 2 != 0 || found != when ||
		atomic_load_explicit(&sequence, memory_order_relaxed) != before)
		return false;
	memcpy(text, copy, SIZE);
	return true;
}

/* Unless another thread is at it. */
static void keep(int64_t when, const char text[SIZE])
{
	unsigned before = atomic_load_explicit(&sequence, memory_order_relaxed);
	uint64_t copy[WORDS];

	if (before % 2 != 0 || !atomic_compare_exchange_strong(&sequence, &before, before + 1))
		return;
	memcpy(copy, text, SIZE);
	atomic_store_explicit(&second, when, memory_order_release);
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&words[i], copy[i], memory_order_release);
	atomic_store_explicit(&sequence, before + 2, memory_order_release);
}

static void make(int64_t when, char text[SIZE])
{
	char whole[SIZE + 8];
	time_t seconds = (time_t)when;
	struct tm tm;

	localtime_r(&seconds, &tm);
	if (strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S%z", &tm) != SIZE)
		strcpy(whole, "0000-00-00T00:00:00+0000"); /* a year of more than four digits */
	memcpy(text, whole, SIZE);
}

void timestamp_format(int64_t when, char date[TIMESTAMP_DATE], char zone[TIMESTAMP_ZONE])
{
	char text[SIZE];

	if (!find_kept(when, text)) {
		make(when, text);
		keep(when, text);
	}
	memcpy(date, text, TIMESTAMP_DATE);
	memcpy(zone, text + TIMESTAMP_DATE, TIMESTAMP_ZONE);
}
