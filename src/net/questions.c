/*
 * Where sessions and name servers meet. A session joins the question for a name and family, or
 * makes it, and waits in its own poll(2) at an eventfd of its own; a question is answered once, and
 * each session collects a copy. A session that leaves before takes itself off the list, and the
 * last one ends the question.
 *
 * A thread does the asking: it sends what is to be asked, takes the answers, and sees to what is to
 * be asked again. But to wake it, and to be woken by it, costs as much as to ask; so a session that
 * is the only one that waits leads, as long as one socket is enough: it does all that in its own
 * poll(2), and the thread sleeps. When another one asks, a second server is to be asked, or it
 * leaves something behind, the thread is woken. Whatever is done is
 * done under the one lock, and two who take answers at the same time do no harm, so nothing has to
 * be handed over. A session that does not lead only leaves its question, which keeps its stack
 * small, too: c-ares needs a page of it.
 *
 * An answer is put into the cache before its question is closed, so that nobody in between asks
 * anew, and sessions are told without the lock, since they want it next. So what is answered is
 * published afterwards, by whoever took the answer. Who has looked into the cache before that, and
 * asks behind it, looks once more: he knows how often something was published when he looked.
 *
 * Questions are found by a keyed hash of their name, so that nobody can choose names that collide.
 * Should two do so all the same, the second is asked by itself.
 */
#include "net/questions.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "base/wake.h"
#include "net/asking.h"
#include "net/bell.h"
#include "net/nameservers.h"
#include "net/socket.h"

/* Who joins a question later than this after it was asked would have to wait for long. */
#define PATIENCE_MS 2000

#define FDS_AT_FIRST 32

struct question {
	struct asked asked; /* the first, see finish_question() */
	LIST_HEAD(waiting_list, waiting) waiting;
	uint32_t waiters;
	uint32_t had; /* of them when the answer came */
	uint32_t turn; /* of the next who collects it */
	bool is_open; /* to be joined */
	bool is_answered;
	bool is_published; /* and so nobody's but of those who wait */
	struct lookup_answer *answer; /* NULL: the servers failed */
	int64_t ttl_ms;
	TAILQ_ENTRY(question) link;
	uint64_t key; /* keyed hash of family and name */
	char name[];
};

TAILQ_HEAD(question_list, question);

struct questions {
	unsigned char key[crypto_shorthash_KEYBYTES];
	struct dnscache *cache;
	struct nameservers_source *source;
	_Atomic(int64_t) negative_ttl_ms;
	int wake_fd; /* of the thread */
	struct pollfd *fds; /* what the thread waits at, and only it knows */
	size_t fds_room;
	_Atomic(struct bell *) spare_bell; /* of one that led; spares the next one making it */
	_Atomic(uint64_t) published; /* how often; changed under the lock */

	struct mutex lock; /* the rest */
	struct asking *asking;
	struct hashmap *open; /* key -> question that can be joined */
	struct question_list answered; /* to be published */
	size_t unanswered; /* questions */
	size_t waiters;
	const struct waiter *leader; /* NULL: there is none */
	bool is_watched; /* the thread waits for answers */
	int64_t until; /* and not for longer */
	bool is_roused; /* the thread, which is about to look at all this */
};

static void finish_question(
	void *arg, struct asked *asked, struct lookup_answer *answer, int64_t ttl_ms);

struct questions *questions_new(struct nameservers_source *source, struct dnscache *cache,
	struct fdbudget *budget, int64_t negative_ttl_ms)
{
	struct questions *q = calloc(1, sizeof(*q));
	struct nameservers *servers;

	if (q == NULL)
		return NULL;
	mutex_init(&q->lock);
	TAILQ_INIT(&q->answered);
	crypto_shorthash_keygen(q->key);
	q->source = source;
	q->cache = cache;
	q->negative_ttl_ms = negative_ttl_ms;
	q->wake_fd = wake_open();
	q->fds_room = FDS_AT_FIRST;
	q->fds = calloc(q->fds_room, sizeof(*q->fds));
	q->open = hashmap_new(0);
	servers = nameservers_follow(source);
	if (servers != NULL)
		q->asking = asking_new(servers, budget, finish_question, q);
	if (q->wake_fd >= 0 && q->fds != NULL && q->open != NULL && q->asking != NULL)
		return q;
	if (q->asking == NULL)
		nameservers_free(servers);
	questions_free(q);
	return NULL;
}

void questions_free(struct questions *q)
{
	int saved = errno;

	if (q == NULL)
		return;
	if (q->wake_fd >= 0)
		close(q->wake_fd);
	bell_release(q->spare_bell);
	free(q->fds);
	asking_free(q->asking);
	hashmap_free(q->open, NULL);
	mutex_destroy(&q->lock);
	free(q);
	errno = saved;
}

/* ---- one question ---- */

static struct question *question_new(
	struct questions *q, const char *name, size_t len, enum lookup_family family)
{
	struct question *new = calloc(1, sizeof(*new) + len + 1);
	unsigned char named[1 + RESOLVER_NAME_MAX];

	if (new == NULL)
		return NULL;
	LIST_INIT(&new->waiting);
	memcpy(new->name, name, len);
	new->asked.name = new->name;
	new->asked.family = family;
	named[0] = (unsigned char)family;
	memcpy(named + 1, name, len);
	crypto_shorthash((unsigned char *)&new->key, named, 1 + len, q->key);
	return new;
}

static void question_free(struct question *question)
{
	if (question == NULL)
		return;
	free(question->answer);
	free(question);
}

static void open_locked(struct questions *q, struct question *question) REQUIRES(&q->lock)
{
	void *old;

	/* Without memory for it nobody else can join, and that is all. */
	question->is_open = hashmap_get(q->open, &question->key, sizeof(question->key)) == NULL &&
		hashmap_put(q->open, &question->key, sizeof(question->key), question, &old) == 0;
}

static void close_locked(struct questions *q, struct question *question) REQUIRES(&q->lock)
{
	if (question->is_open)
		(void)hashmap_remove(q->open, &question->key, sizeof(question->key));
	question->is_open = false;
}

/* Called by asking.c, under the lock. */
static void finish_question(
	void *arg, struct asked *asked, struct lookup_answer *answer, int64_t ttl_ms) UNCHECKED
{
	struct questions *q = arg;
	struct question *question = (struct question *)asked;

	question->answer = answer;
	question->ttl_ms = ttl_ms;
	question->is_answered = true;
	question->had = question->waiters;
	q->unanswered--;
	TAILQ_INSERT_TAIL(&q->answered, question, link);
}

/* ---- who sees to it ---- */

/* Is the thread to be woken, because nobody else sees to what there is to do? Once is enough. */
static bool must_rouse_locked(struct questions *q) REQUIRES(&q->lock)
{
	bool must = !q->is_roused && q->leader == NULL &&
		((q->unanswered > 0 && !q->is_watched) || asking_due(q->asking) < q->until);

	q->is_roused |= must;
	return must;
}

/* Takes a turn of the asking, with what was polled. It leads on if one descriptor is enough. */
static void lead_locked(struct questions *q, struct waiter *w, size_t count) REQUIRES(&q->lock)
{
	asking_go_on(q->asking, &w->answers, count);
	w->answers.fd = -1;
	if (asking_fds(q->asking, &w->answers, 1) > 1 && q->leader == w)
		q->leader = NULL;
	w->leads = q->leader == w;
	w->due = asking_due(q->asking);
}

/* `w` has just asked: it leads if nobody else waits. */
static void choose_leader_locked(struct questions *q, struct waiter *w) REQUIRES(&q->lock)
{
	bool leads = q->waiters == 1 && !q->is_watched;

	q->leader = leads ? w : NULL;
	if (leads)
		lead_locked(q, w, 0);
}

static void stop_waiting_locked(struct questions *q, struct waiter *w) REQUIRES(&q->lock)
{
	q->waiters--;
	w->leads = false;
	if (q->leader == w)
		q->leader = NULL;
}

/* ---- publishing ---- */

/* Has it something to go on with? */
static bool is_served_locked(const struct waiter *w)
{
	bool all = true;

	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		const struct question *question = w->at[f].question;

		if (question == NULL)
			continue;
		if (!question->is_answered)
			all = false;
		else if (question->answer != NULL && question->answer->count > 0)
			return true;
	}
	return all;
}

/* Keeps an answer, so that nobody asks again. */
static void cache_answer(struct questions *q, const struct question *question)
{
	const struct lookup_answer *answer = question->answer;
	int64_t ttl_ms = question->ttl_ms;

	if (answer == NULL)
		return;
	if (answer->state == LOOKUP_NOT_FOUND)
		ttl_ms = questions_negative_ttl(q);
	if (ttl_ms > 0)
		dnscache_store(q->cache, question->name, question->asked.family, answer,
			question->had, clock_deadline(ttl_ms));
}

/* But `self`, who is about to look. */
static void tell_waiters_locked(
	struct question *question, const struct waiter *self, struct bells *bells)
{
	struct waiting *at;

	for (at = LIST_FIRST(&question->waiting); at != NULL; at = LIST_NEXT(at, link)) {
		struct waiter *w = at->waiter;

		if (w == self || w->is_told || !is_served_locked(w))
			continue;
		w->is_told = true;
		bell_put(bells, w->bell);
	}
}

static void publish(struct questions *q, struct question_list *list, const struct waiter *self)
{
	struct bells bells = {NULL};
	struct question *question, *next;

	for (question = TAILQ_FIRST(list); question != NULL; question = TAILQ_NEXT(question, link))
		cache_answer(q, question);
	mutex_lock(&q->lock);
	atomic_fetch_add(&q->published, 1);
	for (question = TAILQ_FIRST(list); question != NULL; question = next) {
		next = TAILQ_NEXT(question, link);
		close_locked(q, question);
		question->is_published = true;
		tell_waiters_locked(question, self, &bells);
		if (!LIST_EMPTY(&question->waiting))
			TAILQ_REMOVE(list, question, link);
	}
	mutex_unlock(&q->lock);
	bells_ring(&bells);
	while ((question = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, question, link);
		question_free(question);
	}
}

/* Ends what was begun with mutex_lock(): sees to it that somebody sees to the rest, and publishes
 * what was answered meanwhile. */
static void unlock_and_publish(struct questions *q, const struct waiter *self) RELEASE(&q->lock)
{
	struct question_list answered = TAILQ_HEAD_INITIALIZER(answered);
	bool rouse = must_rouse_locked(q);

	TAILQ_CONCAT(&answered, &q->answered, link);
	mutex_unlock(&q->lock);
	if (rouse)
		wake_send(q->wake_fd);
	if (!TAILQ_EMPTY(&answered))
		publish(q, &answered, self);
}

/* ---- the servers ---- */

static void follow_servers(struct questions *q)
{
	struct nameservers *servers = nameservers_follow(q->source);

	if (servers == NULL)
		return;
	mutex_lock(&q->lock);
	asking_set_servers(q->asking, servers);
	q->leader = NULL; /* what is due has changed */
	unlock_and_publish(q, NULL);
}

void questions_set(struct questions *q, int64_t negative_ttl_ms)
{
	atomic_store(&q->negative_ttl_ms, negative_ttl_ms);
	follow_servers(q);
}

int64_t questions_negative_ttl(const struct questions *q)
{
	return atomic_load(&q->negative_ttl_ms);
}

/* ---- waiting ---- */

static void join_locked(struct waiter *w, struct question *question)
{
	struct waiting *at = &w->at[question->asked.family];

	at->question = question;
	at->waiter = w;
	LIST_INSERT_HEAD(&question->waiting, at, link);
	question->waiters++;
}

/* Takes `at` off its question, which is returned when it is nobody's any more. */
static struct question *part_locked(struct waiting *at)
{
	struct question *question = at->question;

	LIST_REMOVE(at, link);
	at->question = NULL;
	question->waiters--;
	if (question->waiters > 0 || (question->is_answered && !question->is_published))
		return NULL;
	return question;
}

/* The question that is open for the same; NULL: there is none. */
static struct question *find_open_locked(struct questions *q, const struct question *new)
	REQUIRES(&q->lock)
{
	struct question *open = hashmap_get(q->open, &new->key, sizeof(new->key));

	if (open == NULL || open->asked.family != new->asked.family ||
		strcmp(open->name, new->name) != 0)
		return NULL;
	return open;
}

/* Joins the question that is open for the same as `new`, which becomes NULL when it is asked
 * itself. */
static void ask_locked(struct questions *q, struct waiter *w, struct question **new)
	REQUIRES(&q->lock)
{
	struct question *open = find_open_locked(q, *new);

	if (open != NULL) {
		join_locked(w, open);
		if (!open->is_answered && open->asked.last + PATIENCE_MS <= clock_ms())
			asking_repeat(q->asking, &open->asked);
		return;
	}
	open_locked(q, *new);
	join_locked(w, *new);
	q->unanswered++;
	asking_begin(q->asking, &(*new)->asked);
	*new = NULL;
}

bool questions_waits(const struct waiter *w)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (w->at[f].question != NULL)
			return true;
	}
	return false;
}

static struct bell *take_bell(struct questions *q)
{
	struct bell *spare = atomic_exchange(&q->spare_bell, NULL);

	return spare == NULL ? bell_new() : spare;
}

static void give_bell(struct questions *q, struct bell *b)
{
	struct bell *none = NULL;

	if (!bell_is_unused(b) || !atomic_compare_exchange_strong(&q->spare_bell, &none, b))
		bell_release(b);
}

static void release_if_done(struct questions *q, struct waiter *w)
{
	if (questions_waits(w))
		return;
	give_bell(q, w->bell);
	w->bell = NULL;
}

/* New questions for what is pending; what there is no memory for has failed. */
static void make_questions(struct questions *q, const char *name, struct lookup_answer *answers,
	struct question *new[LOOKUP_FAMILIES])
{
	size_t len = strlen(name);

	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		new[f] = NULL;
		if (answers[f].state != LOOKUP_PENDING)
			continue;
		new[f] = question_new(q, name, len, f);
		if (new[f] == NULL)
			answers[f].state = LOOKUP_FAILED;
	}
}

uint64_t questions_published(const struct questions *q)
{
	return atomic_load(&q->published);
}

/* Is one of these to be asked that may be in the cache by now, as something was published since? */
static bool may_know_now_locked(struct questions *q, struct question *new[LOOKUP_FAMILIES],
	uint64_t published) REQUIRES(&q->lock)
{
	bool is_asked = false;

	if (questions_published(q) == published)
		return false;
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		is_asked |= new[f] != NULL &&find_open_locked(q, new[f]) == NULL;
	return is_asked;
}

/* What the cache knows is not asked. */
static void look_again(
	struct questions *q, struct question *new[LOOKUP_FAMILIES], struct lookup_answer *answers)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (new[f] == NULL || !dnscache_find_again(q->cache, new[f]->name, f, &answers[f]))
			continue;
		question_free(new[f]);
		new[f] = NULL;
	}
}

/* Takes the lock, when the cache knows none of these. */
static void lock_to_ask(struct questions *q, struct question *new[LOOKUP_FAMILIES],
	struct lookup_answer *answers, uint64_t published) ACQUIRE(&q->lock)
{
	mutex_lock(&q->lock);
	while (may_know_now_locked(q, new, published)) {
		published = questions_published(q);
		mutex_unlock(&q->lock);
		look_again(q, new, answers);
		mutex_lock(&q->lock);
	}
}

void questions_ask(struct questions *q, struct waiter *w, const char *name,
	struct lookup_answer *answers, uint64_t published)
{
	struct question *new[LOOKUP_FAMILIES];

	follow_servers(q);
	*w = (struct waiter){.bell = take_bell(q)};
	if (w->bell == NULL) {
		lookup_answers_fail(answers);
		return;
	}
	make_questions(q, name, answers, new);
	lock_to_ask(q, new, answers, published);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (new[f] != NULL)
			ask_locked(q, w, &new[f]);
	}
	if (questions_waits(w)) {
		q->waiters++;
		choose_leader_locked(q, w);
	}
	unlock_and_publish(q, NULL);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		question_free(new[f]);
	release_if_done(q, w);
}

int questions_bell_fd(const struct waiter *w)
{
	return bell_fd(w->bell);
}

static void copy_answer_locked(struct question *question, struct lookup_answer *to)
{
	const struct lookup_answer *answer = question->answer;

	to->state = answer == NULL ? LOOKUP_FAILED : answer->state;
	if (answer == NULL)
		to->count = 0;
	else
		lookup_answer_fill(to, answer->addrs, answer->count, question->turn++);
}

void questions_collect(struct questions *q, struct waiter *w, struct lookup_answer *answers)
{
	struct question *done[LOOKUP_FAMILIES] = {NULL};

	mutex_lock(&q->lock);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		struct question *question = w->at[f].question;

		if (question == NULL || !question->is_answered)
			continue;
		copy_answer_locked(question, &answers[f]);
		done[f] = part_locked(&w->at[f]);
	}
	if (questions_waits(w))
		wake_clear(bell_fd(w->bell));
	else
		stop_waiting_locked(q, w);
	w->is_told = false;
	unlock_and_publish(q, NULL);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		question_free(done[f]);
	release_if_done(q, w);
}

static void end_unanswered_locked(struct questions *q, struct question *question) REQUIRES(&q->lock)
{
	close_locked(q, question);
	q->unanswered--;
	asking_end(q->asking, &question->asked);
}

void questions_leave(struct questions *q, struct waiter *w)
{
	struct question *last[LOOKUP_FAMILIES] = {NULL};

	mutex_lock(&q->lock);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (w->at[f].question == NULL)
			continue;
		last[f] = part_locked(&w->at[f]);
		if (last[f] != NULL && !last[f]->is_answered)
			end_unanswered_locked(q, last[f]);
	}
	stop_waiting_locked(q, w);
	unlock_and_publish(q, NULL);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		question_free(last[f]);
	release_if_done(q, w);
}

/* ---- leading ---- */

void questions_lead(struct questions *q, struct waiter *w)
{
	follow_servers(q);
	mutex_lock(&q->lock);
	lead_locked(q, w, 1);
	unlock_and_publish(q, w);
}

/* ---- the thread ---- */

/* Room for what it polls for; without memory it does with what there is. */
static size_t fill_fds_locked(struct questions *q) REQUIRES(&q->lock)
{
	size_t count = asking_fds(q->asking, q->fds + 1, q->fds_room - 1);
	struct pollfd *more;

	if (count < q->fds_room)
		return count;
	more = reallocarray(q->fds, 2 * count, sizeof(*more));
	if (more == NULL)
		return q->fds_room - 1;
	q->fds = more;
	q->fds_room = 2 * count;
	return asking_fds(q->asking, q->fds + 1, count);
}

/* How many descriptors it is to wait at; and until when. */
static nfds_t plan_wait(struct questions *q, int64_t *until)
{
	nfds_t count = 1;

	mutex_lock(&q->lock);
	q->is_watched = q->unanswered > 0 && q->leader == NULL;
	if (q->is_watched)
		count += fill_fds_locked(q);
	q->until = q->leader == NULL ? asking_due(q->asking) : CLOCK_NEVER;
	q->is_roused = false;
	*until = q->until;
	mutex_unlock(&q->lock);
	q->fds[0] = (struct pollfd){.fd = q->wake_fd, .events = POLLIN};
	return count;
}

void questions_attend(struct questions *q)
{
	int64_t until;
	nfds_t count = plan_wait(q, &until);

	socket_wait(q->fds, count, until);
	if (q->fds[0].revents != 0)
		wake_clear(q->wake_fd);
	follow_servers(q);
	mutex_lock(&q->lock);
	asking_go_on(q->asking, q->fds + 1, count - 1);
	unlock_and_publish(q, NULL);
}

void questions_rouse(struct questions *q)
{
	wake_send(q->wake_fd);
}
