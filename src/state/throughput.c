/*
 * A ring for each scale, in which a step has the place that its number says. Steps that nobody took
 * a sample in are filled in when the next one comes: nothing was moved in them, or else there would
 * have been a sample (server/sampling).
 */
#include "state/throughput.h"

#include <stdlib.h>

#include "base/lock.h"

#define SECONDS 300
#define MINUTES 60
#define FIVES 288

const struct throughput_scale throughput_scales[THROUGHPUT_SCALES] = {
	{.step = 1, .reach = SECONDS},
	{.step = 60, .reach = (int64_t)60 * MINUTES},
	{.step = 300, .reach = (int64_t)300 * FIVES},
};

#define LATE_MS 2000 /* between two samples: the first of them is no beginning for the second */

struct throughput {
	struct mutex lock; /* all of it */
	struct throughput_sample last;
	int64_t begun, taken; /* clock_ms() */
	int64_t newest[THROUGHPUT_SCALES]; /* the number of the last step that is filled in */
	struct throughput_row seconds[SECONDS], minutes[MINUTES], fives[FIVES];
};

static struct throughput_row *rows_of(struct throughput *t, size_t scale)
{
	struct throughput_row *const rows[THROUGHPUT_SCALES] = {t->seconds, t->minutes, t->fives};

	return rows[scale];
}

static int64_t count_of(size_t scale)
{
	return throughput_scales[scale].reach / throughput_scales[scale].step;
}

static int64_t number_of(size_t scale, int64_t when)
{
	return when / (throughput_scales[scale].step * 1000);
}

struct throughput *throughput_new(int64_t now)
{
	struct throughput *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	mutex_init(&t->lock);
	t->begun = t->taken = now;
	for (size_t i = 0; i < THROUGHPUT_SCALES; i++)
		t->newest[i] = number_of(i, now);
	return t;
}

void throughput_free(struct throughput *t)
{
	if (t == NULL)
		return;
	mutex_destroy(&t->lock);
	free(t);
}

/* Fills in the steps up to the one at `when`, through which the sessions stayed as they were. */
static void advance_locked(struct throughput *t, size_t scale, int64_t when) REQUIRES(&t->lock)
{
	int64_t to = number_of(scale, when), count = count_of(scale);
	struct throughput_row *rows = rows_of(t, scale);

	if (t->newest[scale] < to - count)
		t->newest[scale] = to - count;
	while (t->newest[scale] < to)
		rows[++t->newest[scale] % count] =
			(struct throughput_row){.sessions = t->last.sessions};
}

/* To the step at `when`, which may lie before the newest one. */
static void add_locked(struct throughput *t, const struct throughput_sample *sample, int64_t when)
	REQUIRES(&t->lock)
{
	for (size_t i = 0; i < THROUGHPUT_SCALES; i++) {
		struct throughput_row *row;

		advance_locked(t, i, when);
		row = &rows_of(t, i)[number_of(i, when) % count_of(i)];
		row->sent += sample->sent - t->last.sent;
		row->received += sample->received - t->last.received;
		if (row->sessions < sample->sessions)
			row->sessions = sample->sessions;
	}
}

bool throughput_take(struct throughput *t, const struct throughput_sample *sample, int64_t now)
{
	bool differs;
	int64_t elapsed;

	mutex_lock(&t->lock);
	elapsed = now - t->taken;
	differs = sample->sent > t->last.sent || sample->received > t->last.received ||
		sample->sessions != t->last.sessions;
	/* Two askers may have read in the other order: the later one has all of it. */
	if (sample->sent >= t->last.sent && sample->received >= t->last.received && elapsed >= 0) {
		add_locked(t, sample, elapsed < LATE_MS ? t->taken + elapsed / 2 : now);
		t->last = *sample;
		t->taken = now;
	}
	mutex_unlock(&t->lock);
	return differs;
}

bool throughput_read(
	struct throughput *t, size_t scale, int64_t back, int64_t now, struct throughput_row *out)
{
	int64_t number = number_of(scale, now) - back;
	bool is_kept = back >= 0 && back < count_of(scale);

	mutex_lock(&t->lock);
	is_kept = is_kept && number >= number_of(scale, t->begun);
	if (is_kept) {
		advance_locked(t, scale, now);
		*out = rows_of(t, scale)[number % count_of(scale)];
	}
	mutex_unlock(&t->lock);
	return is_kept;
}
