/*
 * A slow hash takes tens of milliseconds of a processor and megabytes of memory, and anybody who
 * can connect may ask for one. So only some run at once, and the others wait, each in a worker.
 *
 * What is to be hashed is a job, and all who want the same one wait for it together: a browser that
 * opens six connections costs one hash. The first of them computes it, and whoever waits with him
 * gets his answer.
 *
 * Jobs stand in lines: one of administrators, who go before all others, so that they wait for one
 * hash that is under way and never for what clients have piled up; and one of each client. Those
 * take turns, so that whoever has a thousand guesses to make costs another client one hash that is
 * under way and one of the guesses, not all of them. A job that several clients wait for stands
 * where it comes sooner.
 *
 * Somebody who waits is refused only when it is of no use that he waits: when his deadline passes,
 * or would pass before all that comes before him is computed; or when too many do, since each of
 * them keeps a worker from those who are known and want no hash. Then the newest of whoever has
 * most of them has to go.
 *
 * Everybody has a condition of his own, so that a turn wakes one. All is decided under the mutex
 * and written into whom it is about: nobody who gives up at that moment takes a turn with him.
 */
#include "state/hashing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"

/* How often it is looked at what has become of who waits; a millisecond less often for each who
 * does, so that looking takes nothing from hashing when many do. */
#define LOOK_MS 250

enum waiter_state { WAITS, HAS_TURN, IS_ANSWERED, IS_REFUSED };

/* On the stack of who waits. */
struct waiter {
	const struct hashing_wait *wait;
	pthread_cond_t change; /* of what follows */
	enum waiter_state state;
	int answer;
	/* While he waits: */
	struct hashing_job *job;
	struct party *party;
	TAILQ_ENTRY(waiter) in_job, in_party;
};

TAILQ_HEAD(waiters, waiter);
TAILQ_HEAD(jobs, hashing_job);
TAILQ_HEAD(parties, party);

struct hashing_job {
	bool has_key;
	unsigned char key[HASHING_KEY_SIZE];
	struct party *party; /* in whose line it stands; NULL: it runs */
	TAILQ_ENTRY(hashing_job) in_line;
	struct waiters waiters; /* but for the one who computes it */
};

/* One client, as long as it has a job in its line or somebody who waits; or all administrators. */
struct party {
	const void *client;
	struct jobs line;
	size_t jobs; /* in it */
	struct waiters waiters; /* in the order in which they came */
	size_t waiting;
	TAILQ_ENTRY(party) in_rotation; /* when there are jobs */
};

struct hashing {
	struct mutex lock; /* all of it but the cost */
	unsigned most;
	unsigned running;
	bool stopped;
	struct party admins;
	struct parties rotation; /* clients with jobs, in the order of their turns */
	struct hashmap *parties; /* of clients */
	struct hashmap *jobs; /* with a key: waiting and running */
	size_t room;
	size_t waiting; /* of clients */
	_Atomic(int64_t) cost_ms;
};

/* ---- making ---- */

static void init_party(struct party *p, const void *client)
{
	*p = (struct party){.client = client};
	TAILQ_INIT(&p->line);
	TAILQ_INIT(&p->waiters);
}

struct hashing *hashing_new(unsigned most)
{
	struct hashing *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	mutex_init(&h->lock);
	h->most = most;
	h->room = SIZE_MAX;
	init_party(&h->admins, NULL);
	TAILQ_INIT(&h->rotation);
	h->parties = hashmap_new(0);
	h->jobs = hashmap_new(0);
	if (h->parties != NULL && h->jobs != NULL)
		return h;
	hashing_free(h);
	return NULL;
}

void hashing_free(struct hashing *h)
{
	if (h == NULL)
		return;
	hashmap_free(h->parties, NULL);
	hashmap_free(h->jobs, NULL);
	mutex_destroy(&h->lock);
	free(h);
}

/* ---- parties ---- */

/* Whose line it is; NULL without memory. */
static struct party *find_party_locked(struct hashing *h, const struct hashing_wait *w)
	REQUIRES(&h->lock)
{
	struct party *p;
	void *old;

	if (w->line == HASHING_ADMINS)
		return &h->admins;
	p = hashmap_get(h->parties, &w->client, sizeof(w->client));
	if (p != NULL)
		return p;
	p = malloc(sizeof(*p));
	if (p == NULL)
		return NULL;
	init_party(p, w->client);
	if (hashmap_put(h->parties, &p->client, sizeof(p->client), p, &old) == 0)
		return p;
	free(p);
	return NULL;
}

static void drop_unused_party_locked(struct hashing *h, struct party *p) REQUIRES(&h->lock)
{
	if (p == &h->admins || p->jobs > 0 || p->waiting > 0)
		return;
	hashmap_remove(h->parties, &p->client, sizeof(p->client));
	free(p);
}

/* ---- jobs and their lines ---- */

static void stand_in_line_locked(struct hashing *h, struct hashing_job *job, struct party *p)
	REQUIRES(&h->lock)
{
	job->party = p;
	TAILQ_INSERT_TAIL(&p->line, job, in_line);
	if (p->jobs++ == 0 && p != &h->admins)
		TAILQ_INSERT_TAIL(&h->rotation, p, in_rotation);
}

/* The party's next turn, if it wants one more, is behind those of the others. */
static void leave_line_locked(struct hashing *h, struct hashing_job *job) REQUIRES(&h->lock)
{
	struct party *p = job->party;

	job->party = NULL;
	TAILQ_REMOVE(&p->line, job, in_line);
	p->jobs--;
	if (p == &h->admins)
		return;
	TAILQ_REMOVE(&h->rotation, p, in_rotation);
	if (p->jobs > 0)
		TAILQ_INSERT_TAIL(&h->rotation, p, in_rotation);
	drop_unused_party_locked(h, p);
}

/* A new job, which stands in the party's line. NULL without memory. */
static struct hashing_job *make_job_locked(
	struct hashing *h, const unsigned char *key, struct party *p) REQUIRES(&h->lock)
{
	struct hashing_job *job = calloc(1, sizeof(*job));
	void *old;

	if (job == NULL)
		return NULL;
	TAILQ_INIT(&job->waiters);
	job->has_key = key != NULL;
	if (key != NULL)
		memcpy(job->key, key, HASHING_KEY_SIZE);
	if (key != NULL && hashmap_put(h->jobs, job->key, HASHING_KEY_SIZE, job, &old) < 0) {
		free(job);
		return NULL;
	}
	stand_in_line_locked(h, job, p);
	return job;
}

/* It stands in no line. */
static void forget_job_locked(struct hashing *h, struct hashing_job *job) REQUIRES(&h->lock)
{
	if (job->has_key)
		hashmap_remove(h->jobs, job->key, HASHING_KEY_SIZE);
	free(job);
}

static size_t jobs_in_front(const struct hashing_job *job)
{
	const struct hashing_job *other = TAILQ_FIRST(&job->party->line);
	size_t count = 0;

	for (; other != job; other = TAILQ_NEXT(other, in_line))
		count++;
	return count;
}

/* The party waits for it, too: it changes over to that line if it is nearer there. */
static void bring_nearer_locked(struct hashing *h, struct hashing_job *job, struct party *p)
	REQUIRES(&h->lock)
{
	if (job->party == NULL || job->party == p || jobs_in_front(job) <= p->jobs)
		return;
	leave_line_locked(h, job);
	stand_in_line_locked(h, job, p);
}

/* ---- who waits ---- */

/* False without memory, and nothing changed. */
static bool begin_waiting_locked(struct hashing *h, struct waiter *w) REQUIRES(&h->lock)
{
	const unsigned char *key = w->wait->key;

	w->party = find_party_locked(h, w->wait);
	if (w->party == NULL)
		return false;
	w->job = key == NULL ? NULL : hashmap_get(h->jobs, key, HASHING_KEY_SIZE);
	if (w->job != NULL)
		bring_nearer_locked(h, w->job, w->party);
	else
		w->job = make_job_locked(h, key, w->party);
	if (w->job == NULL) {
		drop_unused_party_locked(h, w->party);
		return false;
	}
	TAILQ_INSERT_TAIL(&w->job->waiters, w, in_job);
	TAILQ_INSERT_TAIL(&w->party->waiters, w, in_party);
	w->party->waiting++;
	h->waiting += w->wait->line == HASHING_CLIENTS;
	return true;
}

/* What has become of him is `state`. */
static void end_waiting_locked(struct hashing *h, struct waiter *w, enum waiter_state state)
	REQUIRES(&h->lock)
{
	TAILQ_REMOVE(&w->job->waiters, w, in_job);
	TAILQ_REMOVE(&w->party->waiters, w, in_party);
	w->party->waiting--;
	h->waiting -= w->wait->line == HASHING_CLIENTS;
	drop_unused_party_locked(h, w->party);
	w->state = state;
	pthread_cond_signal(&w->change);
}

/* Nobody is left who wants that job, perhaps. */
static void refuse_locked(struct hashing *h, struct waiter *w) REQUIRES(&h->lock)
{
	struct hashing_job *job = w->job;

	end_waiting_locked(h, w, IS_REFUSED);
	if (job->party == NULL || !TAILQ_EMPTY(&job->waiters))
		return;
	leave_line_locked(h, job);
	forget_job_locked(h, job);
}

/* ---- whose turn it is ---- */

/* The next job; NULL: there is none. */
static struct hashing_job *next_job_locked(const struct hashing *h) REQUIRES(&h->lock)
{
	const struct party *p = &h->admins;

	if (p->jobs == 0)
		p = TAILQ_FIRST(&h->rotation);
	return p == NULL ? NULL : TAILQ_FIRST(&p->line);
}

static void give_turn_locked(struct hashing *h, struct hashing_job *job) REQUIRES(&h->lock)
{
	h->running++;
	end_waiting_locked(h, TAILQ_FIRST(&job->waiters), HAS_TURN);
}

static void pass_on_locked(struct hashing *h) REQUIRES(&h->lock)
{
	struct hashing_job *job;

	while (h->running < h->most && (job = next_job_locked(h)) != NULL) {
		leave_line_locked(h, job);
		give_turn_locked(h, job);
	}
}

/* Whoever had the turn gave up before he began, or before he was done. The others who want the same
 * have waited as long.
 */
static void return_turn_locked(struct hashing *h, struct hashing_job *job) REQUIRES(&h->lock)
{
	h->running--;
	if (TAILQ_EMPTY(&job->waiters))
		forget_job_locked(h, job);
	else
		give_turn_locked(h, job);
	pass_on_locked(h);
}

/* ---- who is refused ---- */

/* Hashes that are computed before the job is begun, as far as is known. */
static size_t hashes_before_locked(const struct hashing *h, const struct hashing_job *job)
	REQUIRES(&h->lock)
{
	size_t rounds = jobs_in_front(job), count = h->admins.jobs + rounds;
	const struct party *p;

	for (p = TAILQ_FIRST(&h->rotation); p != NULL; p = TAILQ_NEXT(p, in_rotation)) {
		if (p != job->party)
			count += p->jobs < rounds + 1 ? p->jobs : rounds + 1;
	}
	return count;
}

/* How long they take. */
static int64_t time_of_locked(const struct hashing *h, size_t hashes) REQUIRES(&h->lock)
{
	return h->most == 0 ? 0 : (int64_t)(hashes / h->most) * hashing_cost(h);
}

/* Is it certain that the turn comes behind the deadline? Looked at closely only when there is more
 * to compute than that leaves time for. */
static bool comes_too_late_locked(const struct hashing *h, const struct waiter *w)
	REQUIRES(&h->lock)
{
	int64_t left;

	if (w->wait->deadline == CLOCK_NEVER || w->job->party == NULL)
		return false;
	left = w->wait->deadline - clock_ms();
	return time_of_locked(h, h->waiting + h->admins.jobs) > left &&
		time_of_locked(h, hashes_before_locked(h, w->job)) > left;
}

/* The newest of the client who has most; of several it is the one who just came. */
static struct waiter *whose_place_is_needed_locked(
	const struct hashing *h, const struct waiter *newest) REQUIRES(&h->lock)
{
	const struct party *most = newest->party, *p;
	size_t position = 0;

	while ((p = hashmap_next(h->parties, &position)) != NULL) {
		if (p->waiting > most->waiting)
			most = p;
	}
	return TAILQ_LAST(&most->waiters, waiters);
}

/* Of a client who was just added. */
static void keep_bounds_locked(struct hashing *h, struct waiter *w) REQUIRES(&h->lock)
{
	if (comes_too_late_locked(h, w))
		refuse_locked(h, w);
	else if (h->waiting > h->room)
		refuse_locked(h, whose_place_is_needed_locked(h, w));
}

/* ---- waiting ---- */

static bool gives_up_locked(const struct hashing *h, const struct hashing_wait *w)
	REQUIRES(&h->lock)
{
	return h->stopped || (w->told != NULL && atomic_load(w->told));
}

/* When the waiting ends, or is to be thought over; `*last`: it ends. */
static struct timespec next_look_locked(
	const struct hashing *h, const struct hashing_wait *w, bool *last) REQUIRES(&h->lock)
{
	int64_t end = w->deadline, look;

	*last = true;
	if (w->patience == NULL)
		return clock_timespec(end);
	end = clock_earlier(end, w->patience(w->waiter));
	look = clock_deadline(LOOK_MS + (int64_t)h->waiting);
	*last = end <= look;
	return clock_timespec(clock_earlier(end, look));
}

static void wait_locked(struct hashing *h, struct waiter *w) REQUIRES(&h->lock)
{
	int status = 0;
	bool last = false;

	while (w->state == WAITS && !gives_up_locked(h, w->wait) && !(last && status != 0)) {
		struct timespec until = next_look_locked(h, w->wait, &last);

		status =
			pthread_cond_clockwait(&w->change, &h->lock.mutex, CLOCK_MONOTONIC, &until);
	}
	if (w->state == WAITS)
		refuse_locked(h, w);
	if (w->state != HAS_TURN || !gives_up_locked(h, w->wait))
		return;
	return_turn_locked(h, w->job);
	w->state = IS_REFUSED;
}

static enum hashing_outcome enter_locked(struct hashing *h, struct waiter *w) REQUIRES(&h->lock)
{
	static const enum hashing_outcome outcomes[] = {[HAS_TURN] = HASHING_TURN,
		[IS_ANSWERED] = HASHING_ANSWERED,
		[IS_REFUSED] = HASHING_REFUSED};

	if (gives_up_locked(h, w->wait))
		return HASHING_REFUSED;
	if (!begin_waiting_locked(h, w))
		return HASHING_NO_MEMORY;
	pass_on_locked(h);
	if (w->state == WAITS && w->wait->line == HASHING_CLIENTS)
		keep_bounds_locked(h, w);
	wait_locked(h, w);
	return outcomes[w->state];
}

enum hashing_outcome hashing_enter(
	struct hashing *h, const struct hashing_wait *wait, struct hashing_turn *turn)
{
	struct waiter w = {.wait = wait, .state = WAITS};
	enum hashing_outcome outcome;

	pthread_cond_init(&w.change, NULL);
	mutex_lock(&h->lock);
	outcome = enter_locked(h, &w);
	mutex_unlock(&h->lock);
	pthread_cond_destroy(&w.change);
	*turn = (struct hashing_turn){.job = w.job, .answer = w.answer};
	return outcome;
}

void hashing_leave(struct hashing *h, const struct hashing_turn *turn, int answer)
{
	struct hashing_job *job = turn->job;
	struct waiter *w;

	mutex_lock(&h->lock);
	while ((w = TAILQ_FIRST(&job->waiters)) != NULL) {
		w->answer = answer;
		end_waiting_locked(h, w, IS_ANSWERED);
	}
	forget_job_locked(h, job);
	h->running--;
	pass_on_locked(h);
	mutex_unlock(&h->lock);
}

void hashing_give_back(struct hashing *h, const struct hashing_turn *turn)
{
	mutex_lock(&h->lock);
	return_turn_locked(h, turn->job);
	mutex_unlock(&h->lock);
}

int hashing_make(struct hashing *h, const struct hashing_wait *w, const char *password,
	char out[PASSWORD_HASH_SIZE])
{
	struct hashing_turn turn;
	enum hashing_outcome outcome = hashing_enter(h, w, &turn);
	int result, saved;

	if (outcome != HASHING_TURN) {
		errno = outcome == HASHING_NO_MEMORY ? ENOMEM : EBUSY;
		return -1;
	}
	result = password_hash(password, out);
	saved = errno;
	hashing_leave(h, &turn, 0);
	errno = saved;
	return result;
}

/* ---- what it costs ---- */

/* A quarter of the newest, so that one that was held up does not count for all. Of two who note at
 * once one may get lost. */
void hashing_note_cost(struct hashing *h, int64_t ms)
{
	int64_t before = hashing_cost(h);

	atomic_store_explicit(
		&h->cost_ms, before == 0 ? ms : (3 * before + ms) / 4, memory_order_relaxed);
}

int64_t hashing_cost(const struct hashing *h)
{
	return atomic_load_explicit(&h->cost_ms, memory_order_relaxed);
}

/* ---- from outside ---- */

static void wake_party(const struct party *p)
{
	struct waiter *w;

	for (w = TAILQ_FIRST(&p->waiters); w != NULL; w = TAILQ_NEXT(w, in_party))
		pthread_cond_signal(&w->change);
}

static void wake_all_locked(struct hashing *h) REQUIRES(&h->lock)
{
	const struct party *p;
	size_t position = 0;

	wake_party(&h->admins);
	while ((p = hashmap_next(h->parties, &position)) != NULL)
		wake_party(p);
}

void hashing_set_most(struct hashing *h, unsigned most)
{
	mutex_lock(&h->lock);
	h->most = most;
	pass_on_locked(h);
	mutex_unlock(&h->lock);
}

void hashing_set_room(struct hashing *h, size_t room)
{
	mutex_lock(&h->lock);
	h->room = room;
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
