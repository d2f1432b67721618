/* calendar: dates in local time, and the moments at which days, weeks and months begin, also where
 * summer time begins or ends. By the time zone of the process; no lock of its own. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A moment of local time: the second since 1970. Days may be outside of their month, and months of
 * their year, which then moves on. Of an hour that comes twice it is in the first; one that is left
 * out is as much later as is left out. */
int64_t calendar_moment(int year, int month, int day, int hour, int minute);

struct calendar_date {
	int year, month, day; /* months and days from 1 */
	int weekday; /* from 0, Monday */
	int hour, minute, second;
};

struct calendar_date calendar_date_of(int64_t when);

int calendar_days_in_month(int year, int month);

/* "2026-12-31T18:00", or "2026-12-31" for the end of that day, as the first second that is behind
 * it. False, and nothing written, when it is neither. */
bool calendar_parse_end(const char *text, size_t len, int64_t *out);

#define CALENDAR_END_MAX 40

/* As calendar_parse_end() reads it: midnight is the end of a day. Returns `out`. */
const char *calendar_format_end(int64_t when, char out[CALENDAR_END_MAX]);

#endif
