/*
 * Events are kept only while somebody watches, which costs the sessions something, so a page that
 * is open has to ask every so often. A cursor is the name of the time since when they are kept and
 * a number in it. Whoever comes with that of another time has missed nobody knows how many.
 */
#include "web/watch.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "monitor/insight_commands.h"
#include "web/connection.h"

static void begin_watch(struct web_desk *desk)
{
	struct watch *w = &desk->watch;
	unsigned char bytes[(sizeof(w->name) - 1) / 2];

	w->until = clock_deadline(WATCH_REST_MS);
	if (w->is_on)
		return;
	watching_begin_quietly(&desk->services->watching, &w->first);
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(w->name, sizeof(w->name), bytes, sizeof(bytes));
	w->is_on = true;
}

void watch_end(struct web_desk *desk)
{
	if (desk->watch.is_on)
		watching_end_quietly(&desk->services->watching);
	desk->watch.is_on = false;
}

int64_t watch_rest(struct web_desk *desk)
{
	if (!desk->watch.is_on)
		return CLOCK_NEVER;
	if (clock_ms() < desk->watch.until)
		return desk->watch.until;
	watch_end(desk);
	return CLOCK_NEVER;
}

/* Its number; false when it is not of this time. */
static bool read_cursor(const struct watch *w, const char *text, uint64_t *next)
{
	size_t len = strlen(w->name);
	int64_t number;

	if (strncmp(text, w->name, len) != 0 || text[len] != '-' ||
		!parse_number(text + len + 1, &number))
		return false;
	*next = (uint64_t)number;
	return *next >= w->first;
}

/* Those that come from now on, where nothing is asked for. */
static uint64_t find_end(struct web_desk *desk)
{
	uint64_t begin, end;

	events_range(desk->services->watching.events, &begin, &end);
	return end;
}

void watch_put(struct web_connection *c, const char *after)
{
	struct watch *w = &c->desk->watch;
	struct reply events = {.source = NULL}, *r = &c->order.reply;
	bool has_missed = false;
	uint64_t next, end;

	begin_watch(c->desk);
	end = find_end(c->desk);
	if (*after == '\0') {
		next = end;
	} else if (!read_cursor(w, after, &next) || next > end) {
		next = w->first;
		has_missed = true;
	}
	reply_reset(r);
	if (insight_put_events(&c->order.request, &next, WATCH_MOST, &events)) {
		reply_add(r, "OK %s-%" PRIu64 "\n%s", w->name, next,
			has_missed ? "event:lost count:-\n" : "");
		reply_add(r, "%.*s", (int)events.len, events.text);
		reply_finish(r);
	} else {
		reply_add(r, "%.*s", (int)events.len, events.text);
	}
	r->failed |= events.failed;
	reply_free(&events);
}
