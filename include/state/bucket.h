/* bucket: a token bucket: how many bytes a second some streams may move together, and whose turn it
 * is. Told the time, which is clock_ms(). Pure; its owner's lock. */
#ifndef STATE_BUCKET_H
#define STATE_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What idleness saves, and what a round of all streams takes at most, in milliseconds of the rate.
 */
#define BUCKET_DEPTH_MS 50
#define BUCKET_ROUND_MS 400

/* What one stream takes at once, in milliseconds of the rate: alone, and beside others, of which
 * the turn is longer while it has no more bytes than that; and at least, in bytes. */
#define BUCKET_CHUNK_MS 20
#define BUCKET_TURN_MS 40
#define BUCKET_TURN_MOST (512 * 1024)
#define BUCKET_CHUNK_LEAST 512

/* What goes first of who has had less than the others, in milliseconds of the rate, and in bytes,
 * of which the least is a turn at most. */
#define BUCKET_FIRST_MS 10
#define BUCKET_FIRST_LEAST 1500
#define BUCKET_FIRST_MOST 16384

/* All zeros: no limit. */
struct bucket {
	uint64_t rate; /* bytes a second; 0: no limit */
	int64_t stamp; /* until when `passed` is reckoned */
	int64_t passed; /* bytes that time has let pass */
	int64_t rest; /* and thousandths of one */
	int64_t promised; /* bytes that streams have taken */
	uint64_t drain; /* bytes a second that go without being taken, and are settled later */
	size_t active; /* streams that have something to move */
	size_t drained; /* of these, that have a drain */
	size_t modest_count; /* of these, drained ones that do not want all that they could have */
	uint64_t modest; /* bytes a second that those want */
	int64_t surplus; /* bytes that are saved beyond half of the depth, smoothed */
	uint64_t moved; /* bytes so far: taken and not given back, or settled */
	int64_t lenient_until; /* what was drained at a higher rate is not owed */
	int64_t forgiven; /* bytes that were taken at a higher rate and are not owed */
	int64_t even_at; /* when what went first comes to half of the rate; microseconds */
};

/* One direction of a session. All zeros: it moves nothing. */
struct bucket_stream {
	int64_t position; /* what it took last may go when this has passed */
	int64_t even_at; /* when it has had no more than an equal part; microseconds */
	uint64_t drain; /* its part of the bucket's */
	uint64_t level; /* what bucket_settle() said */
	bool is_active, is_drained, is_modest;
};

/* From now on it lets so many bytes a second pass: what is saved is clamped to the new depth, and
 * what waits goes at the new rate. Where that is less than half of the old one, what was taken
 * before goes at its time, so that nobody waits for seconds. */
void bucket_set_rate(struct bucket *b, uint64_t rate, int64_t now);

/* The stream has something to move, or nothing any more; then its drain ends, too. Repeating it
 * changes nothing. */
void bucket_begin(struct bucket *b, struct bucket_stream *s, int64_t now);
void bucket_end(struct bucket *b, struct bucket_stream *s, int64_t now);

/* How much one of the active streams had better take at once. */
size_t bucket_chunk(const struct bucket *b);

/* Takes bytes for the stream, behind all that was taken before; a few bytes, where it has had less
 * than its part lately, before all that waits. */
void bucket_take(struct bucket *b, struct bucket_stream *s, size_t bytes, int64_t now);

/* When what it took last may go; a time up to `now` is now. It comes later where others are drained
 * faster meanwhile, and earlier where the rate grows: to be asked again. */
int64_t bucket_when(struct bucket *b, const struct bucket_stream *s, int64_t now);

/* It took more than it has used. */
void bucket_give_back(struct bucket *b, struct bucket_stream *s, size_t bytes, int64_t now);

/* ---- streams that somebody else paces ---- */

/* Such a stream takes nothing. It has a drain, the bytes a second at which it is expected to move,
 * and says now and then what it has really moved since it did so last, `elapsed` milliseconds ago.
 * Returns the rate at which it may go on, its fair part of what the streams that want less leave;
 * 0: so much is owed that it had better pause; UINT64_MAX without a limit. */
uint64_t bucket_settle(
	struct bucket *b, struct bucket_stream *s, uint64_t moved, int64_t elapsed, int64_t now);

/* Afterwards: it goes at `rate` now. Where that is less than it may, because it wants no more, the
 * rest is the others'. 0: nobody paces it any more, and it takes turns as others do. */
void bucket_drain(struct bucket *b, struct bucket_stream *s, uint64_t rate, int64_t now);

#endif
