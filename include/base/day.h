/* day: days of the calendar as numbers that read like dates, 20261126. Local days, as the time zone
 * has them. No state; the C library's lock where local time is asked for. */
#ifndef BASE_DAY_H
#define BASE_DAY_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_TEXT_MAX 16

/* The local day that the second `when` (since 1970) is in. */
int32_t day_of(int64_t when);

/* `days` later, or earlier. */
int32_t day_add(int32_t day, int days);

/* The Monday of its week; the first of its month. */
int32_t day_week(int32_t day);
int32_t day_month(int32_t day);

/* "2026-11-26", of the years 1970 to 9999. False, and nothing written, for anything else, a day
 * that no calendar has included. */
bool day_parse(const char *text, int32_t *out);

/* As day_parse() reads it. Returns `out`. */
const char *day_format(int32_t day, char out[DAY_TEXT_MAX]);

#endif
