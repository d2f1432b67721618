/*
 * Times are those of clocks on the wall: what is asked is which weekday and minute it is here, so
 * that the two changes of summer time need no care. An hour that is left out does not come, and one
 * that comes twice counts twice.
 *
 * Borders are looked for among what clocks show: each beginning and end on each of the next days,
 * where it stands on the clock once, twice or never, and the moments at which clocks change.
 */
#include "state/rule_time.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/zone.h"

#define MINUTES (24 * 60)
#define WEEK 7
#define ALL_DAYS 0x7f

static const char *const day_words[WEEK] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* ---- reading ---- */

static bool read_day(const char **text, const char *end, int *day)
{
	for (int d = 0; d < WEEK; d++) {
		if (end - *text >= 3 && strncasecmp(*text, day_words[d], 3) == 0) {
			*text += 3;
			*day = d;
			return true;
		}
	}
	return false;
}

/* "mon" or "fri-mon". */
static bool read_days(const char **text, const char *end, uint8_t *days)
{
	int first, last;

	if (!read_day(text, end, &first))
		return false;
	last = first;
	if (*text < end && **text == '-') {
		++*text;
		if (!read_day(text, end, &last))
			return false;
	}
	*days = 0;
	for (int d = first;; d = (d + 1) % WEEK) {
		*days |= (uint8_t)(1U << d);
		if (d == last)
			return true;
	}
}

static bool read_two_digits(const char **text, const char *end, unsigned *out)
{
	const char *t = *text;

	if (end - t < 2 || t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
		return false;
	*out = (unsigned)(t[0] - '0') * 10 + (unsigned)(t[1] - '0');
	*text += 2;
	return true;
}

static bool read_clock(const char **text, const char *end, uint16_t *minute)
{
	unsigned hours, minutes;

	if (!read_two_digits(text, end, &hours) || *text == end || **text != ':')
		return false;
	++*text;
	if (!read_two_digits(text, end, &minutes) || minutes > 59 || hours * 60 + minutes > MINUTES)
		return false;
	*minute = (uint16_t)(hours * 60 + minutes);
	return true;
}

/* "08:00-18:00"; 24:00 is an end only, and an end is not where it began. */
static bool read_hours(const char **text, const char *end, struct rule_time *out)
{
	if (!read_clock(text, end, &out->from) || *text == end || **text != '-')
		return false;
	++*text;
	return read_clock(text, end, &out->until) && out->from < MINUTES &&
		out->from != out->until && out->until > 0;
}

bool rule_time_parse(const char *text, size_t len, struct rule_time *out)
{
	struct rule_time t = {.days = ALL_DAYS, .from = 0, .until = MINUTES};
	const char *end = text + len;
	bool has_days = read_days(&text, end, &t.days);

	if (has_days && text < end) {
		const char *hours = text + strspn(text, " \t");

		if (hours == text || hours >= end)
			return false;
		text = hours;
	}
	if (text == end ? !has_days : !read_hours(&text, end, &t))
		return false;
	if (text != end)
		return false;
	*out = t;
	return true;
}

/* ---- writing ---- */

/* The days are one run, perhaps over the end of the week. */
static char *put_days(char *to, uint8_t days)
{
	int first = 0, last;

	if (days == ALL_DAYS)
		return to;
	while ((days & (1U << first)) == 0 || (days & (1U << ((first + WEEK - 1) % WEEK))) != 0)
		first++;
	for (last = first; (days & (1U << ((last + 1) % WEEK))) != 0;)
		last = (last + 1) % WEEK;
	to = stpcpy(to, day_words[first]);
	if (last != first) {
		*to++ = '-';
		to = stpcpy(to, day_words[last]);
	}
	return to;
}

const char *rule_time_format(const struct rule_time *t, char out[RULE_TIME_TEXT_MAX])
{
	char *end = put_days(out, t->days);
	bool all_day = t->from == 0 && t->until == MINUTES;

	*end = '\0';
	if (all_day && end == out)
		return strcpy(out, "sun-sat");
	if (!all_day)
		snprintf(end, RULE_TIME_TEXT_MAX - (size_t)(end - out), "%s%02d:%02d-%02d:%02d",
			end == out ? "" : " ", t->from / 60, t->from % 60, t->until / 60,
			t->until % 60);
	return out;
}

/* ---- asking ---- */

struct rule_now rule_now_of(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return (struct rule_now){.day = 0};
	return (struct rule_now){.day = tm.tm_wday, .minute = tm.tm_hour * 60 + tm.tm_min};
}

static bool is_on(const struct rule_time *t, int day)
{
	return (t->days & (1U << day)) != 0;
}

bool rule_time_holds(const struct rule_time *t, const struct rule_now *now)
{
	if (t->from < t->until)
		return is_on(t, now->day) && now->minute >= t->from && now->minute < t->until;
	return (is_on(t, now->day) && now->minute >= t->from) ||
		(is_on(t, (now->day + WEEK - 1) % WEEK) && now->minute < t->until);
}

/* ---- borders ---- */

struct search {
	int64_t after, best;
	struct tm today; /* of `after` */
};

static void offer_border(struct search *s, int64_t t)
{
	if (t > s->after && t < s->best)
		s->best = t;
}

/* When the clock shows that minute of a day, so many days from today. */
static void offer_minute(struct search *s, int days, int minute)
{
	for (int dst = 0; dst < 2; dst++) {
		struct tm tm = {.tm_year = s->today.tm_year,
			.tm_mon = s->today.tm_mon,
			.tm_mday = s->today.tm_mday + days,
			.tm_hour = minute / 60,
			.tm_min = minute % 60,
			.tm_isdst = dst};
		time_t t = mktime(&tm);

		if (t != (time_t)-1 && tm.tm_hour * 60 + tm.tm_min == minute % MINUTES)
			offer_border(s, t);
	}
}

/* Clocks that are set forward or back jump over borders. */
static void offer_shift(struct search *s)
{
	int64_t step = 24 * 60 * 60, from = s->after;

	for (int i = 0; i <= WEEK; i++, from += step) {
		if (zone_offset(from) == zone_offset(from + step))
			continue;
		offer_border(s, zone_find_shift(from, from + step));
		return;
	}
}

int64_t rule_time_next_border(const struct rule_time *times, size_t count, int64_t after)
{
	struct search s = {.after = after, .best = RULE_TIME_NEVER};
	time_t now = (time_t)after;

	if (count == 0 || localtime_r(&now, &s.today) == NULL)
		return RULE_TIME_NEVER;
	for (size_t i = 0; i < count; i++) {
		for (int days = 0; days <= WEEK; days++) {
			offer_minute(&s, days, times[i].from);
			offer_minute(&s, days, times[i].until);
		}
	}
	offer_shift(&s);
	return s.best;
}
