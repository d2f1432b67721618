/*
 * A slow hash takes tens of milliseconds of a processor and megabytes of memory, and anybody who
 * can connect may ask for one. So only some run at once, and some more wait: others would wait in
 * vain, and hold a worker each, even when their clients have left.
 *
 * Who waits stands in one of two lines. The turn that becomes free is given to the first line as
 * long as somebody stands there: an administrator waits for one hash that is under way, and never
 * for what clients have piled up. Within a line the order is the kernel's.
 *
 * A signal that wakes somebody who gives up at that moment would be lost. So each change of what
 * decides, the end of a wait included, looks anew who is next: pass_on_locked().
 */
#include "state/hashing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"

/* How often it is looked at what has become of who waits. */
#define LOOK_MS 250

/* Clients that may wait, for each hash that may run and once more. */
#define WAITING_PER_HASH 16

struct hashing {
	struct mutex lock; /* all of it */
	unsigned most;
	unsigned running;
	bool stopped;
	struct {
		pthread_cond_t turn;
		unsigned waiting;
	} lines[HASHING_LINES];
};

struct hashing *hashing_new(unsigned most)
{
	struct hashing *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->most = most;
	mutex_init(&h->lock);
	for (enum hashing_line l = 0; l < HASHING_LINES; l++)
		pthread_cond_init(&h->lines[l].turn, NULL);
	return h;
}

void hashing_free(struct hashing *h)
{
	if (h == NULL)
		return;
	for (enum hashing_line l = 0; l < HASHING_LINES; l++)
		pthread_cond_destroy(&h->lines[l].turn);
	mutex_destroy(&h->lock);
	free(h);
}

/* ---- whose turn it is ---- */

/* The first line in which somebody waits; HASHING_LINES: nobody does. */
static enum hashing_line next_line_locked(const struct hashing *h) REQUIRES(&h->lock)
{
	enum hashing_line l = 0;

	while (l < HASHING_LINES && h->lines[l].waiting == 0)
		l++;
	return l;
}

static bool has_turn_locked(const struct hashing *h, enum hashing_line line) REQUIRES(&h->lock)
{
	return h->running < h->most && next_line_locked(h) >= line;
}

static void pass_on_locked(struct hashing *h) REQUIRES(&h->lock)
{
	enum hashing_line next = next_line_locked(h);

	if (h->running < h->most && next < HASHING_LINES)
		pthread_cond_signal(&h->lines[next].turn);
}

static bool is_full_locked(const struct hashing *h, enum hashing_line line) REQUIRES(&h->lock)
{
	return line == HASHING_CLIENTS && !has_turn_locked(h, line) &&
		h->lines[line].waiting >= (h->most + 1) * WAITING_PER_HASH;
}

static bool gives_up_locked(const struct hashing *h, const struct hashing_wait *w)
	REQUIRES(&h->lock)
{
	return h->stopped || (w->told != NULL && atomic_load(w->told));
}

/* When the waiting ends, or is to be thought over; `*last`: it ends. */
static struct timespec next_look(const struct hashing_wait *w, bool *last)
{
	int64_t end = w->deadline, look;

	*last = true;
	if (w->patience == NULL)
		return clock_timespec(end);
	end = clock_earlier(end, w->patience(w->waiter));
	look = clock_deadline(LOOK_MS);
	*last = end <= look;
	return clock_timespec(clock_earlier(end, look));
}

static bool wait_locked(struct hashing *h, const struct hashing_wait *w) REQUIRES(&h->lock)
{
	int status = 0;
	bool last = false;

	h->lines[w->line].waiting++;
	while (!has_turn_locked(h, w->line) && !gives_up_locked(h, w) && !(last && status != 0)) {
		struct timespec until = next_look(w, &last);

		status = pthread_cond_clockwait(
			&h->lines[w->line].turn, &h->lock.mutex, CLOCK_MONOTONIC, &until);
	}
	h->lines[w->line].waiting--;
	return has_turn_locked(h, w->line) && !gives_up_locked(h, w);
}

bool hashing_enter(struct hashing *h, const struct hashing_wait *w)
{
	bool entered;

	mutex_lock(&h->lock);
	entered = !is_full_locked(h, w->line) && wait_locked(h, w);
	if (entered)
		h->running++;
	pass_on_locked(h);
	mutex_unlock(&h->lock);
	return entered;
}

void hashing_leave(struct hashing *h)
{
	mutex_lock(&h->lock);
	h->running--;
	pass_on_locked(h);
	mutex_unlock(&h->lock);
}

int hashing_make(struct hashing *h, const struct hashing_wait *w, const char *password,
	char out[PASSWORD_HASH_SIZE])
{
	int result, saved;

	if (!hashing_enter(h, w)) {
		errno = EBUSY;
		return -1;
	}
	result = password_hash(password, out);
	saved = errno;
	hashing_leave(h);
	errno = saved;
	return result;
}

/* ---- from outside ---- */

static void wake_all_locked(struct hashing *h) REQUIRES(&h->lock)
{
	for (enum hashing_line l = 0; l < HASHING_LINES; l++)
		pthread_cond_broadcast(&h->lines[l].turn);
}

void hashing_set_most(struct hashing *h, unsigned most)
{
	mutex_lock(&h->lock);
	h->most = most;
	pass_on_locked(h);
	mutex_unlock(&h->lock);
}

void hashing_wake(struct hashing *h)
{
	mutex_lock(&h->lock);
	wake_all_locked(h);
	mutex_unlock(&h->lock);
}

void hashing_stop(struct hashing *h)
{
	mutex_lock(&h->lock);
	h->stopped = true;
	wake_all_locked(h);
	mutex_unlock(&h->lock);
}
