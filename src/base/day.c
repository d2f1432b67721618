/*
 * The calendar's arithmetic is done by numbering the days; which one a moment is in is left to the
 * C library, which knows the time zone. So days of 23 and 25 hours need no care: nothing here
 * counts hours.
 */
#include "base/day.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static int32_t make_day(int year, int month, int day)
{
	return year * 10000 + month * 100 + day;
}

/* In days from 1970-01-01, of years that begin in March, so that the leap day is a year's last. */
static int32_t number_of(int32_t day)
{
	int month = day / 100 % 100, year = day / 10000 - (month <= 2 ? 1 : 0);
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day % 100 - 1;

	return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

static int32_t day_numbered(int32_t number)
{
	int32_t shifted = number + 719468, era = shifted / 146097, of_era = shifted % 146097;
	int32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int32_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	return make_day(year + era * 400 + (month <= 2 ? 1 : 0), month, day);
}

int32_t day_of(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return make_day(1970, 1, 1);
	return make_day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

int32_t day_add(int32_t day, int days)
{
	return day_numbered(number_of(day) + days);
}

/* The first of January 1970 was a Thursday. */
int32_t day_week(int32_t day)
{
	int32_t number = number_of(day);

	return day_numbered(number - (number % 7 + 7 + 3) % 7);
}

int32_t day_month(int32_t day)
{
	return day / 100 * 100 + 1;
}

/* They are digits. */
static int read_digits(const char *text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

bool day_parse(const char *text, int32_t *out)
{
	static const char like[] = "dddd-dd-dd";
	int year, month, day;

	for (size_t i = 0; i < sizeof(like); i++) {
		if (like[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != like[i])
			return false;
	}
	year = read_digits(text, 4);
	month = read_digits(text + 5, 2);
	day = read_digits(text + 8, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	*out = make_day(year, month, day);
	return true;
}

const char *day_format(int32_t day, char out[DAY_TEXT_MAX])
{
	snprintf(out, DAY_TEXT_MAX, "%04d-%02d-%02d", day / 10000 % 10000, day / 100 % 100,
		day % 100);
	return out;
}
