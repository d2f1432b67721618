/*
 * Leader and followers, with the kernel as the one that appoints. All idle workers wait at one
 * epoll(7) set with the listeners in it. For a client one of them is woken, and the listener keeps
 * quiet (EPOLLONESHOT) until that worker has accepted and armed it again; then it serves the client
 * itself. So no connection is handed from thread to thread, and no worker wakes another.
 *
 * Linux wakes the worker that went to sleep last, while its stack and buffers are still warm, and
 * those that were never needed never touch theirs. When none is idle nobody waits at the set: the
 * kernel's backlog holds who comes, and the first worker that is done finds the listener ready.
 *
 * A client that may not come in, or has its share of the workers, is turned away by the one that
 * has just accepted it (entrance.h), so that nobody else waits behind it in the backlog.
 */
#include "proxy/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/wake.h"
#include "net/socket.h"
#include "proxy/entrance.h"
#include "proxy/session.h"

/* Sanitizers keep much more on the stack than the program does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_SIZE (1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_SIZE (1024 * 1024)
#endif
#endif
#ifndef STACK_SIZE
#define STACK_SIZE (64 * 1024) /* + the guard page; 16 kB are the most that was seen in use */
#endif

/* Where the system allows no more threads, one of so many workers ends again, and so many at least.
 */
#define SURPLUS_SHARE 8
#define SURPLUS_LEAST 16

struct worker {
	struct pool *pool;
	struct registry_slot *slot;
	pthread_t thread;
	struct session *session;
	_Atomic(bool) is_surplus; /* it is to end before it has begun */
};

struct pool {
	struct services *services;
	struct worker *workers;
	size_t count;
	struct session *sessions; /* one a worker; a mapping of its own */
	size_t sessions_size; /* in bytes */
	int epoll; /* the listeners, and stop_fd */
	int stop_fd; /* readable for good once the pool is stopping; while surplus ends; when deaf
		      */
	_Atomic(bool) stopping;
	_Atomic(bool) is_deaf; /* a listener could not be armed: an idle worker is to see to it */
	struct log_limit accept_limit, epoll_limit, saturated_limit;

	struct rwlock lock; /* the rest */
	const struct listeners *listeners; /* NULL: nobody is to be accepted yet, or any more */
	size_t live;
	pthread_t stopper;
};

static void note_saturation(struct pool *p)
{
	uint64_t held_back;

	stats_add(&p->services->stats.saturated, 1);
	if (log_limit_pass(&p->saturated_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_WARN,
			"all %zu sessions are taken: new clients wait until one ends "
			"(max_sessions)",
			p->count);
}

/* ---- accepting ---- */

/* Takes a place for it, and lets it in there if it may be; whom a balancer has connected for is
 * asked about when that is known. */
static enum end_reason place_guest(struct worker *w, struct guest *guest)
{
	struct services *v = w->pool->services;
	enum end_reason refused = END_REASONS;

	guest->place = places_take(&v->places);
	guest->since = clock_ms();
	guest->entry = NULL;
	if (!guest->is_balancer)
		refused = entrance_join(v, guest, w->slot);
	if (refused != END_REASONS)
		places_leave(&v->places);
	else if (guest->place == w->pool->count)
		note_saturation(w->pool);
	return refused;
}

/* Lets the client in if it may be served. */
static bool admit(struct worker *w, struct guest *guest)
{
	struct services *v = w->pool->services;
	enum end_reason refused = END_REASONS;

	guest->config = config_get(v->config);
	guest->is_balancer = entrance_is_balancer(guest->config, &guest->addr);
	if (!guest->is_balancer)
		refused = entrance_ask(v, guest);
	if (refused == END_REASONS)
		refused = place_guest(w, guest);
	if (refused == END_REASONS)
		return true;
	entrance_report(v, session_line(w->session), &guest->addr, refused);
	config_release(guest->config);
	return false;
}

/* Ends when the pool is stopping. While it is deaf the descriptor says nothing about that. */
static void pause_for(struct pool *p, struct backoff *pause)
{
	int fd = atomic_load(&p->is_deaf) ? -1 : p->stop_fd;
	struct pollfd stop = {.fd = fd, .events = POLLIN};

	socket_wait(&stop, 1, clock_deadline(backoff_next(pause)));
}

/* Out of descriptors or memory, which the budget should rule out, or what nobody has thought of. */
static void pause_accepting(struct pool *p, struct backoff *pause)
{
	stats_add(&p->services->stats.accept_exhausted, 1);
	log_failure(&p->accept_limit, "cannot accept clients", errno);
	pause_for(p, pause);
}

/* ---- listeners that ring ---- */

/* Has the listener ring for its next client, or at once when that is there. */
static bool arm_locked(struct pool *p, int fd) REQUIRES_SHARED(&p->lock)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};

	return epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

/* All of them; that one which would ring anyway, or which another worker has in hand, does so twice
 * is no matter. False with errno when one cannot. */
static bool arm_all(struct pool *p)
{
	bool armed = true;

	rwlock_read(&p->lock);
	for (size_t i = 0; p->listeners != NULL && i < p->listeners->count; i++)
		armed = arm_locked(p, p->listeners->items[i].fd) && armed;
	rwlock_read_unlock(&p->lock);
	return armed;
}

/* The same, or an idle worker does it: this one has a client to serve, or is the main thread. */
static void arm_or_call_locked(struct pool *p, int fd) REQUIRES_SHARED(&p->lock)
{
	if (arm_locked(p, fd))
		return;
	atomic_store(&p->is_deaf, true);
	wake_send(p->stop_fd);
}

/* For an idle worker that was called. */
static void repair_listeners(struct pool *p)
{
	struct backoff pause = {0};
	uint64_t ignored;

	(void)!read(p->stop_fd, &ignored, sizeof(ignored));
	/* If it was to say that, it is to go on saying it. */
	if (atomic_load(&p->stopping))
		wake_send(p->stop_fd);
	while (!arm_all(p)) {
		log_failure(&p->epoll_limit, "cannot wait for clients", errno);
		pause_for(p, &pause);
	}
}

/* ---- taking clients ---- */

/* Accepts a client at the listener that rang, unless that was closed since: the lock keeps its
 * descriptor from being closed and reused meanwhile. It is shared, because to arm the listener may
 * wake the next worker, which comes here at once. After a failure, which errno tells, the listener
 * keeps quiet. */
static enum socket_accept_outcome take_client(struct pool *p, int fd, struct guest *guest)
{
	enum socket_accept_outcome outcome = SOCKET_ACCEPT_NOTHING;

	rwlock_read(&p->lock);
	if (listeners_have(p->listeners, fd)) {
		outcome = socket_accept(fd, &guest->fd, &guest->addr);
		if (outcome != SOCKET_ACCEPT_FAILED)
			arm_or_call_locked(p, fd);
	}
	rwlock_read_unlock(&p->lock);
	return outcome;
}

/* Answers the listener that rang; false when there was no client that may be served. */
static bool answer(struct worker *w, int fd, struct guest *guest)
{
	enum socket_accept_outcome outcome;
	struct backoff pause = {0};

	while ((outcome = take_client(w->pool, fd, guest)) == SOCKET_ACCEPT_FAILED)
		pause_accepting(w->pool, &pause);
	if (outcome != SOCKET_ACCEPTED)
		return false;
	registry_turn(w->slot);
	if (admit(w, guest))
		return true;
	socket_close(guest->fd);
	registry_turn(w->slot);
	return false;
}

/* A worker was woken, and not for a client; false when it is to end. */
static bool heed_call(struct worker *w)
{
	struct pool *p = w->pool;

	if (atomic_load(&p->stopping) || atomic_load(&w->is_surplus))
		return false;
	if (atomic_exchange(&p->is_deaf, false))
		repair_listeners(p);
	else
		sched_yield();
	return true;
}

/* Waits for a client that may be served; false when the pool is stopping. */
static bool accept_client(struct worker *w, struct guest *guest)
{
	struct pool *p = w->pool;
	struct epoll_event event;
	struct backoff pause = {0};

	for (;;) {
		int n = epoll_wait(p->epoll, &event, 1, -1);

		if (n < 0 && errno != EINTR) {
			log_failure(&p->epoll_limit, "cannot wait for clients", errno);
			pause_for(p, &pause);
			if (atomic_load(&p->stopping))
				return false;
		}
		if (n != 1)
			continue;
		if (event.data.fd == p->stop_fd) {
			if (!heed_call(w))
				return false;
		} else if (answer(w, event.data.fd, guest)) {
			return true;
		}
	}
}

/* ---- a worker's life ---- */

static void serve_guest(struct worker *w, const struct guest *guest)
{
	struct services *v = w->pool->services;

	session_run(w->session, v, w->slot, guest);
	places_leave(&v->places);
	registry_turn(w->slot);
}

static void leave(struct pool *p)
{
	bool last;
	pthread_t stopper;

	rwlock_write(&p->lock);
	last = --p->live == 0;
	stopper = p->stopper;
	rwlock_write_unlock(&p->lock);
	if (last)
		pthread_kill(stopper, POOL_GONE_SIGNAL);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct guest guest;

	while (accept_client(w, &guest))
		serve_guest(w, &guest);
	leave(w->pool);
	return NULL;
}

/* ---- making and ending the pool ---- */

static struct session *map_sessions(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int open_set(struct pool *p)
{
	struct epoll_event event = {.events = EPOLLIN};

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->stop_fd = wake_open();
	event.data.fd = p->stop_fd;
	return p->epoll < 0 || p->stop_fd < 0
		? -1
		: epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->stop_fd, &event);
}

/* Fewer sessions where address space is scarce (ulimit -v, vm.overcommit_memory = 2). */
static int allocate(struct pool *p, size_t *count)
{
	while (p->sessions == NULL && *count > 0) {
		p->sessions_size = *count * sizeof(*p->sessions);
		p->sessions = map_sessions(p->sessions_size);
		if (p->sessions == NULL)
			*count /= 2;
	}
	if (p->sessions == NULL || open_set(p) < 0)
		return -1;
	p->workers = calloc(*count, sizeof(*p->workers));
	return p->workers == NULL ? -1 : 0;
}

static void release(struct pool *p)
{
	if (p->sessions != NULL)
		munmap(p->sessions, p->sessions_size);
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
	rwlock_destroy(&p->lock);
	free(p->workers);
	free(p);
}

static int start_worker(struct pool *p, size_t i, const pthread_attr_t *attr)
{
	struct worker *w = &p->workers[i];
	int error;

	w->pool = p;
	w->slot = registry_slot_at(p->services->registry, i);
	w->session = &p->sessions[i];
	error = pthread_create(&w->thread, attr, work, w);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* What is left must do for others too: threads and memory of this process, other processes of the
 * user, the administrator's shell. Nobody has a client yet. */
static void end_surplus(struct pool *p)
{
	size_t surplus = p->count / SURPLUS_SHARE;
	uint64_t ignored;

	if (surplus < SURPLUS_LEAST)
		surplus = SURPLUS_LEAST;
	if (surplus > p->count / 2)
		surplus = p->count / 2;
	for (size_t i = p->count - surplus; i < p->count; i++)
		atomic_store(&p->workers[i].is_surplus, true);
	wake_send(p->stop_fd);
	for (; surplus > 0; surplus--)
		pthread_join(p->workers[--p->count].thread, NULL);
	(void)!read(p->stop_fd, &ignored, sizeof(ignored));
}

/* As many as there may be. */
static void start_workers(struct pool *p, size_t wanted)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (p->count < wanted && start_worker(p, p->count, &attr) == 0)
		p->count++;
	pthread_attr_destroy(&attr);
	rwlock_write(&p->lock);
	p->live = p->count;
	rwlock_write_unlock(&p->lock);
	if (p->count < wanted)
		end_surplus(p);
}

size_t pool_bytes_each(void)
{
	return STACK_SIZE + (size_t)sysconf(_SC_PAGESIZE) + sizeof(struct session);
}

struct pool *pool_new(struct services *services, size_t *count)
{
	struct pool *p = calloc(1, sizeof(*p));
	int saved;

	if (p == NULL)
		return NULL;
	rwlock_init(&p->lock);
	p->services = services;
	p->epoll = p->stop_fd = -1;
	if (allocate(p, count) < 0) {
		release(p);
		return NULL;
	}
	p->live = *count;
	start_workers(p, *count);
	if (p->count == 0) {
		saved = errno;
		release(p);
		errno = saved;
		return NULL;
	}
	*count = p->count;
	places_init(&services->places, p->count);
	return p;
}

int pool_expect(struct pool *p, const struct listeners *l)
{
	struct epoll_event quiet = {.events = EPOLLONESHOT};

	for (size_t i = 0; i < l->count; i++) {
		if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, l->items[i].fd, &quiet) < 0 &&
			errno != EEXIST)
			return -1;
	}
	return 0;
}

/* Closing them does not do it where others have them open, too. */
static void leave_listeners_locked(struct pool *p, const struct listeners *next) REQUIRES(&p->lock)
{
	for (size_t i = 0; p->listeners != NULL && i < p->listeners->count; i++) {
		int fd = p->listeners->items[i].fd;

		if (!listeners_have(next, fd))
			(void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
	}
}

void pool_listen_on(struct pool *p, const struct listeners *next)
{
	rwlock_write(&p->lock);
	leave_listeners_locked(p, next);
	p->listeners = next;
	for (size_t i = 0; i < next->count; i++)
		arm_or_call_locked(p, next->items[i].fd);
	rwlock_write_unlock(&p->lock);
}

void pool_stop(struct pool *p)
{
	rwlock_write(&p->lock);
	p->stopper = pthread_self();
	leave_listeners_locked(p, NULL);
	p->listeners = NULL;
	rwlock_write_unlock(&p->lock);
	atomic_store(&p->stopping, true);
	places_close(&p->services->places);
	wake_send(p->stop_fd);
}

bool pool_is_gone(struct pool *p)
{
	bool gone;

	rwlock_read(&p->lock);
	gone = p->live == 0;
	rwlock_read_unlock(&p->lock);
	return gone;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		pthread_join(p->workers[i].thread, NULL);
	release(p);
}
