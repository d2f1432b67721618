/*
 * mktime(3) decides by itself, and by what it was asked before, which of two hours is meant where
 * one comes twice. So it is asked for summer time first, which is the earlier one, and for the
 * other where there is no summer time then.
 */
#include "base/calendar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t calendar_moment(int year, int month, int day, int hour, int minute)
{
	const struct tm wanted = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute};
	struct tm tm = wanted;
	time_t when;

	tm.tm_isdst = 1;
	when = mktime(&tm);
	if (tm.tm_isdst > 0)
		return (int64_t)when;
	tm = wanted;
	return (int64_t)mktime(&tm);
}

struct calendar_date calendar_date_of(int64_t when)
{
	time_t seconds = (time_t)when;
	struct tm tm = {.tm_year = 70};

	localtime_r(&seconds, &tm);
	return (struct calendar_date){.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.weekday = (tm.tm_wday + 6) % 7,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec};
}

int calendar_days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

/* `digits` of them, at `*text`, which is moved behind; -1 when there are not so many. */
static int take_digits(const char **text, int digits)
{
	int n = 0;

	for (int i = 0; i < digits; i++, ++*text) {
		if (**text < '0' || **text > '9')
			return -1;
		n = n * 10 + (**text - '0');
	}
	return n;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

bool calendar_parse_end(const char *text, size_t len, int64_t *out)
{
	char copy[24] = "";
	const char *p = copy;
	int year, month, day, hour = 24, minute = 0;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	year = take_digits(&p, 4);
	if (year < 1970 || !take_char(&p, '-'))
		return false;
	month = take_digits(&p, 2);
	if (month < 1 || month > 12 || !take_char(&p, '-'))
		return false;
	day = take_digits(&p, 2);
	if (day < 1 || day > calendar_days_in_month(year, month))
		return false;
	if (take_char(&p, 'T')) {
		hour = take_digits(&p, 2);
		if (hour < 0 || hour > 24 || !take_char(&p, ':'))
			return false;
		minute = take_digits(&p, 2);
		if (minute < 0 || minute > (hour == 24 ? 0 : 59))
			return false;
	}
	if (*p != '\0' || p != copy + len)
		return false;
	*out = hour == 24 ? calendar_moment(year, month, day + 1, 0, 0)
			  : calendar_moment(year, month, day, hour, minute);
	return true;
}

const char *calendar_format_end(int64_t when, char out[CALENDAR_END_MAX])
{
	struct calendar_date d = calendar_date_of(when);

	/* The first moment of a day, which may be later than 0:00 where that is left out. */
	if (when == calendar_moment(d.year, d.month, d.day, 0, 0)) {
		d = calendar_date_of(when - 1);
		snprintf(out, CALENDAR_END_MAX, "%04d-%02d-%02d", d.year, d.month, d.day);
	} else {
		snprintf(out, CALENDAR_END_MAX, "%04d-%02d-%02dT%02d:%02d", d.year, d.month, d.day,
			d.hour, d.minute);
	}
	return out;
}
