/* rule_time: when in a week a rule holds, in local time. Pure but for the time zone; no lock. */
#ifndef STATE_RULE_TIME_H
#define STATE_RULE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_TIME_NEVER INT64_MAX
#define RULE_TIME_TEXT_MAX 64

/* "mon-fri 08:00-18:00": from one minute of these days until before another, of the next day where
 * that is not later. */
struct rule_time {
	uint8_t days; /* bit 0: Sunday, as tm_wday counts */
	uint16_t from, until; /* minutes of the day, 0 to 1440 */
};

/* A point in time as clocks on the wall show it. */
struct rule_now {
	int day; /* tm_wday */
	int minute; /* of the day */
};

/* Of seconds since 1970. */
struct rule_now rule_now_of(int64_t time);

/* Reads "[DAYS] [HH:MM-HH:MM]", DAYS such as mon, mon-fri; further days, by comma, are other
 * values. False for anything else. */
bool rule_time_parse(const char *text, size_t len, struct rule_time *out);

/* As rule_time_parse() reads it. Returns `out`. */
const char *rule_time_format(const struct rule_time *t, char out[RULE_TIME_TEXT_MAX]);

bool rule_time_holds(const struct rule_time *t, const struct rule_now *now);

/* The first second after `after` at which one of them begins or ends to hold, or clocks are set
 * forward or back between; RULE_TIME_NEVER without any. */
int64_t rule_time_next_border(const struct rule_time *times, size_t count, int64_t after);

#endif
