/*
 * A period begins at a midnight of local time, or with the first moment behind it where summer time
 * begins just then. What is used belongs to the period that has begun last; the clock may be set
 * back behind its beginning, or the quota get periods that are longer, and still nothing is given a
 * second time.
 *
 * Of a clock that was set back by more than a period nobody knows whether it was wrong before, by
 * years perhaps, or is so now, until it hears from the network. What tells is that it lives through
 * the end of a period: that lets the next one begin, and no jump does.
 */
#include "state/quota.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/parse.h"

/* In a month that has no such day its last one. */
static int64_t begin_of_month(int year, int month, unsigned day)
{
	int days;

	year += (month + 11) / 12 - 1;
	month = (month + 11) % 12 + 1;
	days = calendar_days_in_month(year, month);
	return calendar_moment(year, month, (int)day < days ? (int)day : days, 0, 0);
}

/* `step`: 0 the present one, 1 the next. */
static int64_t border(const struct quota *q, int64_t now, int step)
{
	struct calendar_date d = calendar_date_of(now);

	switch (q->period) {
	case QUOTA_DAY:
		break;
	case QUOTA_WEEK:
		return calendar_moment(d.year, d.month, d.day - d.weekday + 7 * step, 0, 0);
	case QUOTA_MONTH:
		if (now < begin_of_month(d.year, d.month, q->day))
			step--;
		return begin_of_month(d.year, d.month + step, q->day);
	}
	return calendar_moment(d.year, d.month, d.day + step, 0, 0);
}

int64_t quota_begin(const struct quota *q, int64_t now)
{
	return border(q, now, 0);
}

int64_t quota_end(const struct quota *q, int64_t now)
{
	return border(q, now, 1);
}

int64_t quota_until(const struct quota_use *use, const struct quota *q, int64_t now)
{
	return quota_end(q, use->behind != 0 || now > use->begun ? now : use->begun);
}

bool quota_turn(struct quota_use *use, const struct quota *q, int64_t now)
{
	int64_t begin = quota_begin(q, now);
	bool follows = use->behind != 0 && begin == quota_end(q, use->behind);

	if (begin > use->begun || follows) {
		*use = (struct quota_use){.begun = begin};
		return true;
	}
	use->behind = begin < use->begun && quota_end(q, now) < use->begun ? begin : 0;
	return false;
}

void quota_reset(struct quota_use *use)
{
	*use = (struct quota_use){.begun = use->behind != 0 ? use->behind : use->begun};
}

bool quota_use_parse(const char *text, struct quota_use *out)
{
	int64_t numbers[3];
	size_t count = 0, len;
	const char *word;

	while (parse_next_word(&text, &word, &len)) {
		char digits[24];

		if (count == 3 || len >= sizeof(digits))
			return false;
		memcpy(digits, word, len);
		digits[len] = '\0';
		if (!parse_number(digits, &numbers[count++]))
			return false;
	}
	if (count < 3)
		return false;
	*out = (struct quota_use){
		.begun = numbers[0], .used = (uint64_t)numbers[1], .extra = (uint64_t)numbers[2]};
	return true;
}

const char *quota_use_format(const struct quota_use *use, char out[QUOTA_USE_MAX])
{
	snprintf(out, QUOTA_USE_MAX, "%lld %llu %llu", (long long)use->begun,
		(unsigned long long)use->used, (unsigned long long)use->extra);
	return out;
}
