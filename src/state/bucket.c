/*
 * Time lets bytes pass, streams take them. Who takes some gets the place behind all that was taken
 * before, and may go when that has passed; since each stream takes one chunk and comes back when it
 * has moved it, they have turns, and each knows its own time without a line that somebody would
 * have to keep. What is saved while nobody takes anything is bounded by the depth.
 *
 * A wake-up costs the same whatever it carries, so a turn is as long as nobody minds: some 40 ms of
 * the rate, less where there are so many streams that a round would take too long, and never less
 * than BUCKET_CHUNK_LEAST. Who comes with a message, the beginning of an answer, or a datagram
 * would mind such a round. So what is small goes first if the stream has had less than an equal
 * part lately; all that waits comes so much later. What goes first is at most half of the rate, so
 * that many new streams, each with its first bytes, have to stand in line like all others.
 *
 * A stream that is paced by the kernel wakes seldom, and says then what has gone. If that were
 * reckoned only then, the bucket would seem to be full in between, and be overdrawn behind it. So
 * it is reckoned as it is expected, by the stream's drain, and corrected when it is known. What all
 * drained streams may have together follows from what is saved: above half of the depth they are
 * given more than the rate, below it less, so that an error in pacing, or others who take bytes
 * meanwhile, even out within some CATCH_UP_MS. Shares are max-min fair: who wants less than the
 * others is given that, and all others an equal part of what is left.
 */
#include "state/bucket.h"

#define CATCH_UP_MS 200
#define PAUSE_DEPTHS 4 /* owed, a drained stream had better pause */
#define LENIENT_MS 300 /* in which each drained stream settles */
#define LONGEST_MS 1000000 /* that is reckoned at once, so that nothing overflows */

/* A drained stream that has used less than so much of what it was given wants no more. */
#define KEEPS_UP(used, given) ((used) >= (given) - (given) / 8)

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What the rate lets pass in so many milliseconds. */
static uint64_t bytes_in(const struct bucket *b, uint64_t ms)
{
	return b->rate * ms / 1000;
}

static int64_t bucket_depth(const struct bucket *b)
{
	return (int64_t)bytes_in(b, BUCKET_DEPTH_MS);
}

/* Less than nothing: that much is owed. */
static int64_t bucket_saved(const struct bucket *b)
{
	return b->passed - b->promised;
}

static void clamp_saved(struct bucket *b)
{
	int64_t most = b->rate == 0 ? 0 : bucket_depth(b);

	if (bucket_saved(b) < most)
		return;
	b->passed = b->promised + most;
	b->rest = 0;
}

/* Brings it up to now. */
static void reckon(struct bucket *b, int64_t now)
{
	int64_t elapsed = now - b->stamp, grown;

	if (elapsed <= 0)
		return;
	b->stamp = now;
	if (b->rate == 0) {
		b->passed = b->promised;
		return;
	}
	if (elapsed > LONGEST_MS)
		elapsed = LONGEST_MS;
	grown = ((int64_t)b->rate - (int64_t)b->drain) * elapsed + b->rest;
	b->passed += grown / 1000;
	b->rest = grown % 1000;
	clamp_saved(b);
}

size_t bucket_chunk(const struct bucket *b)
{
	uint64_t alone = bytes_in(b, BUCKET_CHUNK_MS);
	uint64_t turn = alone;

	if (b->rate == 0)
		return SIZE_MAX;
	if (b->active > 1 && turn < BUCKET_TURN_MOST)
		turn = lesser(bytes_in(b, BUCKET_TURN_MS), BUCKET_TURN_MOST);
	if (b->active > 1)
		turn = lesser(turn, bytes_in(b, BUCKET_ROUND_MS) / b->active);
	return turn < BUCKET_CHUNK_LEAST ? BUCKET_CHUNK_LEAST : (size_t)turn;
}

/* The chunks that streams in line wait for. */
static int64_t bytes_in_line(const struct bucket *b)
{
	return (int64_t)((b->active - b->drained) * bucket_chunk(b));
}

/* ---- its rate ---- */

/* The rate falls far. What is owed by the old one would take long to pass by the new, and is owed
 * only because it was lawful: it passes in the time that it would have taken, and whoever is in
 * line gives back what is more than a turn, which is nobody's. */
static void be_lenient(struct bucket *b, uint64_t rate, int64_t now)
{
	double less = 1 - (double)rate / (double)b->rate;
	int64_t owed = -bucket_saved(b), in_line = bytes_in_line(b);

	b->lenient_until = now + LENIENT_MS;
	b->surplus = 0;
	if (owed <= 0)
		return;
	b->passed += (int64_t)((double)owed * less);
	b->forgiven += (int64_t)((double)(owed > in_line ? owed : in_line) * less);
}

void bucket_set_rate(struct bucket *b, uint64_t rate, int64_t now)
{
	if (rate == b->rate)
		return;
	reckon(b, now);
	if (rate < b->rate / 2)
		be_lenient(b, rate, now);
	if (b->rate == 0) {
		b->stamp = now;
		b->passed = b->promised + (int64_t)(rate * BUCKET_DEPTH_MS / 1000);
	}
	b->rate = rate;
	clamp_saved(b);
}

/* ---- who is there ---- */

void bucket_begin(struct bucket *b, struct bucket_stream *s, int64_t now)
{
	if (s->is_active)
		return;
	reckon(b, now);
	s->is_active = true;
	b->active++;
}

void bucket_end(struct bucket *b, struct bucket_stream *s, int64_t now)
{
	if (!s->is_active)
		return;
	bucket_drain(b, s, 0, now); /* without a rate it is not modest any more */
	s->is_active = false;
	b->active--;
}

/* ---- taking turns ---- */

/* What may go first. */
static uint64_t first_most(const struct bucket *b)
{
	uint64_t bytes = bytes_in(b, BUCKET_FIRST_MS);

	if (bytes < BUCKET_FIRST_LEAST)
		return lesser(BUCKET_FIRST_LEAST, bytes_in(b, BUCKET_TURN_MS));
	return lesser(bytes, BUCKET_FIRST_MOST);
}

/* How many microseconds one of so many equal parts of the rate takes for these bytes. */
static int64_t part_us(const struct bucket *b, uint64_t bytes, size_t parts)
{
	return (int64_t)(bytes * 1000000 * parts / b->rate);
}

static int64_t ahead_us(int64_t even_at, int64_t now)
{
	return even_at > now * 1000 ? even_at - now * 1000 : 0;
}

/* Notes what the stream takes. True when that goes first. */
static bool goes_first(struct bucket *b, struct bucket_stream *s, size_t bytes, int64_t now)
{
	size_t parts = b->active > 0 ? b->active : 1;
	int64_t its = ahead_us(s->even_at, now) + part_us(b, bytes, parts);
	int64_t all = ahead_us(b->even_at, now) + part_us(b, bytes, 2);

	s->even_at = now * 1000 + its;
	if (bytes == 0 || parts == 1 || bucket_saved(b) >= (int64_t)bytes ||
		its > part_us(b, first_most(b), parts) || all > part_us(b, first_most(b), 4))
		return false;
	b->even_at = now * 1000 + all;
	return true;
}

void bucket_take(struct bucket *b, struct bucket_stream *s, size_t bytes, int64_t now)
{
	reckon(b, now);
	b->moved += bytes;
	if (b->rate != 0 && goes_first(b, s, bytes, now)) {
		b->passed -= (int64_t)bytes;
		s->position = b->passed;
	} else {
		b->promised += (int64_t)bytes;
		s->position = b->promised;
	}
}

int64_t bucket_when(struct bucket *b, const struct bucket_stream *s, int64_t now)
{
	int64_t lacking, speed;

	reckon(b, now);
	lacking = s->position - b->passed;
	if (b->rate == 0 || lacking <= 0)
		return now;
	/* What is drained now need not be then; and who asks again loses nothing. */
	speed = (int64_t)b->rate - (int64_t)b->drain;
	if (speed < (int64_t)b->rate / 8)
		speed = (int64_t)b->rate / 8 + 1;
	return now + (lacking * 1000 + speed - 1) / speed;
}

/* What was taken at a rate that has fallen far since is not owed any more, and nobody's to give
 * back. Returns how much of `bytes` is that. */
static int64_t take_of_forgiven(struct bucket *b, int64_t bytes, int64_t now)
{
	int64_t part;

	if (now >= b->lenient_until + LENIENT_MS)
		b->forgiven = 0;
	part = bytes < b->forgiven ? bytes : b->forgiven;
	b->forgiven -= part;
	return part;
}

void bucket_give_back(struct bucket *b, struct bucket_stream *s, size_t bytes, int64_t now)
{
	int64_t back = (int64_t)bytes - take_of_forgiven(b, (int64_t)bytes, now);

	reckon(b, now);
	b->promised -= back;
	b->moved -= bytes;
	if (b->rate != 0)
		s->even_at -= part_us(b, bytes, b->active > 0 ? b->active : 1);
	clamp_saved(b);
}

/* ---- streams that somebody else paces ---- */

/* What all drained streams and those that take turns may have together now, to come back to half of
 * the depth. */
static uint64_t available(const struct bucket *b)
{
	int64_t rate = (int64_t)b->rate + b->surplus * 1000 / CATCH_UP_MS;
	int64_t least = (int64_t)b->rate / 4 + 1;

	return (uint64_t)(rate > least ? rate : least);
}

/* An equal part, for one who wants as much as he can get. */
static uint64_t fair_part(const struct bucket *b, const struct bucket_stream *s)
{
	uint64_t all = available(b), modest = b->modest - (s->is_modest ? s->drain : 0);
	size_t others = b->active - b->modest_count - (s->is_active && !s->is_modest);

	/* The modest ones cannot have more than an equal part either. */
	if (modest > all - all / (b->active + 1))
		return all / (b->active > 0 ? b->active : 1);
	return (all - modest) / (others + 1);
}

/* What is saved but for the chunk that each stream in line waits for, which nobody owes. */
static int64_t saved_beside_turns(const struct bucket *b)
{
	int64_t saved = bucket_saved(b) + bytes_in_line(b);

	return saved < bucket_depth(b) ? saved : bucket_depth(b);
}

/* What has gone at a rate that has fallen far since. */
static void forgive_drained(struct bucket *b, const struct bucket_stream *s, int64_t now)
{
	int64_t owed = -saved_beside_turns(b);

	if (s->is_drained && now < b->lenient_until && owed > 0)
		b->passed += owed;
}

/* Smoothed over a round of all streams: who has just settled has had something go, or not, and
 * would be told less, or more, for that very reason. */
static void note_surplus(struct bucket *b)
{
	int64_t surplus = saved_beside_turns(b) - bucket_depth(b) / 2;

	b->surplus += (surplus - b->surplus) / ((int64_t)b->active + 1);
}

uint64_t bucket_settle(
	struct bucket *b, struct bucket_stream *s, uint64_t moved, int64_t elapsed, int64_t now)
{
	reckon(b, now);
	b->moved += moved;
	b->passed += (int64_t)s->drain * elapsed / 1000 - (int64_t)moved;
	if (b->rate == 0)
		return s->level = UINT64_MAX;
	clamp_saved(b);
	forgive_drained(b, s, now);
	note_surplus(b);
	s->level = fair_part(b, s);
	return saved_beside_turns(b) < -PAUSE_DEPTHS * bucket_depth(b) ? 0 : s->level;
}

void bucket_drain(struct bucket *b, struct bucket_stream *s, uint64_t rate, int64_t now)
{
	bool is_modest = s->is_active && rate > 0 && !KEEPS_UP(rate, s->level);

	reckon(b, now);
	if (s->is_modest) {
		b->modest -= s->drain;
		b->modest_count--;
	}
	b->drained += (size_t)(s->is_active && rate > 0) - s->is_drained;
	s->is_drained = s->is_active && rate > 0;
	b->drain += rate - s->drain;
	s->drain = rate;
	s->is_modest = is_modest;
	if (is_modest) {
		b->modest += rate;
		b->modest_count++;
	}
}
