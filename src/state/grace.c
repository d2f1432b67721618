/*
 * What is kept is "SEEN APART": at the time SEEN (seconds since 1970) nothing had been heard for
 * APART seconds. So each run of the server goes on where the last one was, and a clock that is set
 * back, or that each start finds at the same wrong time, does not begin it anew.
 */
#include "state/grace.h"

#include <stdio.h>

#include "base/parse.h"

#define KEY "heard"
#define VALUE_MAX 48
#define LAST_SECOND INT64_C(99999999999) /* of the year 5138 */

static bool parse_seconds(const char **text, int64_t *out)
{
	const char *word;
	char copy[24];
	size_t len;

	if (!parse_next_word(text, &word, &len) || len >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	return parse_number(copy, out) && *out <= LAST_SECOND;
}

static void take_value(void *context, const char *value)
{
	struct grace *g = context;
	int64_t seen, apart;

	if (!parse_seconds(&value, &seen) || !parse_seconds(&value, &apart))
		return;
	g->seen = seen;
	g->apart_ms = apart * 1000;
}

void grace_begin(struct grace *g, struct standing *standing, struct grace_time now)
{
	*g = (struct grace){.standing = standing, .since_ms = now.ms, .seen = now.wall};
	if (!standing_read(standing, STANDING_SHARED, KEY, take_value, g))
		(void)grace_keep(g, now, 0);
	g->noted_ms = now.ms;
}

void grace_note_heard(struct grace *g, struct grace_time now)
{
	g->since_ms = now.ms;
	g->was_heard = true;
}

int64_t grace_apart(const struct grace *g, struct grace_time now)
{
	int64_t here = now.ms - g->since_ms, since_seen = (now.wall - g->seen) * 1000;

	if (g->was_heard)
		return here;
	return g->apart_ms + (since_seen > here ? since_seen : here);
}

bool grace_keep(struct grace *g, struct grace_time now, int64_t period_ms)
{
	char value[VALUE_MAX];

	if (now.ms - g->noted_ms < period_ms)
		return false;
	g->noted_ms = now.ms;
	snprintf(value, sizeof(value), "%lld %lld", (long long)now.wall,
		(long long)(grace_apart(g, now) / 1000));
	return standing_put(g->standing, STANDING_SHARED, KEY, value) == 0;
}
