/*
 * Leader and followers. At any time one worker, the leader, polls all listeners. When it has
 * accepted a client it promotes a follower to be the leader and serves the client itself, so that
 * no connection is handed from thread to thread. Idle workers form a stack: the one that worked
 * last is promoted first, while its stack and buffers are still warm, and those that were never
 * needed never touch theirs.
 *
 * When the last idle worker was promoted and accepts, there is no leader: nobody polls, the
 * kernel's backlog holds who comes, and the first worker that is done leads again.
 *
 * Invariant: `next` is set only while there is a leader, who takes it over at once; the listeners
 * are the leader's, or with no leader whoever holds the lock.
 */
#include "proxy/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/wake.h"
#include "net/socket.h"
#include "state/acl.h"

/* Sanitizers keep much more on the stack than the program does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_SIZE (1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_SIZE (1024 * 1024)
#endif
#endif
#ifndef STACK_SIZE
#define STACK_SIZE (64 * 1024) /* + the guard page; 12 kB are the most that was seen in use */
#endif

#define EXHAUSTED_PAUSE_MS 100
#define LOG_PERIOD_MS 60000

struct worker {
	struct pool *pool;
	size_t slot;
	pthread_t thread;
	struct session *session;
	pthread_cond_t promoted; /* with the pool's lock */
	bool is_leader;
	struct worker *next_idle;
};

struct pool {
	struct services *services;
	struct worker *workers;
	size_t count;
	struct session *sessions; /* one a worker; a mapping of its own */
	size_t sessions_size; /* in bytes */
	int wake_fd; /* the leader is to look at `next` and `stopping` */
	size_t turn; /* the leader's: the listener that is asked first */
	struct listeners *listeners;
	struct log_limit refused_limit, exhausted_limit, saturated_limit;

	struct mutex lock; /* the rest */
	pthread_cond_t next_taken;
	struct worker *idle;
	bool has_leader;
	struct listeners *next;
	bool stopping;
	size_t live;
	pthread_t stopper;
};

/* ---- who leads ---- */

/* Makes the worker that was idle last the leader, to be woken by wake() once the lock is free; NULL
 * when none is idle, and nobody leads. */
static struct worker *promote_locked(struct pool *p) REQUIRES(&p->lock)
{
	struct worker *w = p->idle;

	p->has_leader = w != NULL;
	if (w != NULL) {
		p->idle = w->next_idle;
		w->is_leader = true;
	}
	return w;
}

/* Outside the lock: else the woken thread would only run into it. Workers outlive the pool's use,
 * so a wake-up that comes late hits nothing else. */
static void wake(struct worker *w)
{
	if (w != NULL)
		pthread_cond_signal(&w->promoted);
}

/* Takes over the new listeners, if there are any. Returns the old ones, without what the new ones
 * have kept, to be closed once the lock is free: by then the new ones may be old and gone too. */
static struct listeners *take_next_locked(struct pool *p) REQUIRES(&p->lock)
{
	struct listeners *old = p->listeners;

	if (p->next == NULL)
		return NULL;
	listeners_leave_out(old, p->next);
	p->listeners = p->next;
	p->next = NULL;
	pthread_cond_signal(&p->next_taken);
	return old;
}

static void close_listeners(struct pool *p)
{
	listeners_close(p->listeners);
	p->listeners = NULL;
}

/* Waits until `w` leads; false when the pool is stopping. */
static bool lead(struct pool *p, struct worker *w)
{
	mutex_lock(&p->lock);
	w->is_leader = !p->stopping && !p->has_leader;
	if (w->is_leader) {
		p->has_leader = true;
	} else if (!p->stopping) {
		w->next_idle = p->idle;
		p->idle = w;
	}
	while (!w->is_leader && !p->stopping)
		pthread_cond_wait(&w->promoted, &p->lock.mutex);
	mutex_unlock(&p->lock);
	return w->is_leader;
}

static void note_saturation(struct pool *p)
{
	uint64_t held_back;

	stats_add(&p->services->stats.saturated, 1);
	if (log_limit_pass(&p->saturated_limit, LOG_PERIOD_MS, &held_back))
		log_message(LOG_WARN,
			"all %zu sessions are taken: new clients wait until one ends "
			"(max_sessions)",
			p->count);
}

static void stop_leading(struct pool *p)
{
	struct listeners *old = NULL;
	struct worker *next = NULL;
	bool stopping;

	mutex_lock(&p->lock);
	stopping = p->stopping;
	if (stopping) {
		p->has_leader = false;
		close_listeners(p);
	} else {
		next = promote_locked(p);
		if (next == NULL)
			old = take_next_locked(p);
	}
	mutex_unlock(&p->lock);
	wake(next);
	listeners_close(old);
	if (next == NULL && !stopping)
		note_saturation(p);
}

/* ---- accepting ---- */

/* A client, and the configuration under which it was accepted. */
struct guest {
	int fd;
	struct addr addr;
	struct config *config;
};

static void note_refusal(struct pool *p, const struct addr *client)
{
	uint64_t held_back;
	struct log_line line;
	char text[ADDR_TEXT_MAX];

	stats_add(&p->services->stats.clients_refused, 1);
	if (!log_limit_pass(&p->refused_limit, LOG_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN, "client refused by the setting clients");
	log_text(&line, "client", addr_format(client, text));
	log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

/* Takes a reference to the configuration when the client may be served. */
static bool admit(struct pool *p, struct guest *guest)
{
	bool login;

	guest->config = config_get(p->services->config);
	login = acl_login_required(guest->config, users_count(p->services->users));
	if (acl_client_allowed(guest->config, login, &guest->addr))
		return true;
	config_release(guest->config);
	note_refusal(p, &guest->addr);
	return false;
}

/* Out of descriptors or memory, which the budget should rule out: no spinning. */
static void pause_accepting(struct pool *p)
{
	struct pollfd wake = {.fd = p->wake_fd, .events = POLLIN};
	uint64_t held_back;

	stats_add(&p->services->stats.accept_exhausted, 1);
	if (log_limit_pass(&p->exhausted_limit, LOG_PERIOD_MS, &held_back))
		log_message(LOG_ERROR, "cannot accept clients: out of descriptors or memory");
	socket_wait(&wake, 1, clock_deadline(EXHAUSTED_PAUSE_MS));
}

/* Accepts one client from the listeners that are ready, each in its turn; false when there was
 * none. */
static bool accept_ready(struct pool *p, const struct pollfd *fds, struct guest *guest)
{
	size_t count = p->listeners->count;

	for (size_t i = 0; i < count; i++) {
		size_t at = (p->turn + i) % count;

		if (fds[at].revents == 0)
			continue;
		switch (socket_accept(fds[at].fd, &guest->fd, &guest->addr)) {
		case SOCKET_ACCEPTED:
			p->turn = at + 1;
			if (admit(p, guest))
				return true;
			socket_close(guest->fd);
			break;
		case SOCKET_ACCEPT_EXHAUSTED:
			pause_accepting(p);
			break;
		case SOCKET_ACCEPT_NOTHING:
			break;
		}
	}
	return false;
}

/* Follows what other threads have told the leader; false when the pool is stopping. */
static bool follow_orders(struct pool *p)
{
	struct listeners *old;
	bool stopping;

	mutex_lock(&p->lock);
	stopping = p->stopping;
	old = take_next_locked(p);
	mutex_unlock(&p->lock);
	listeners_close(old);
	return !stopping;
}

/* The leader's work: waits for a client that may be served; false when the pool is stopping. */
static bool accept_client(struct pool *p, struct guest *guest)
{
	struct pollfd fds[SETTINGS_MAX_LISTEN + 1];
	uint64_t orders;

	while (follow_orders(p)) {
		size_t count = p->listeners->count;

		for (size_t i = 0; i < count; i++)
			fds[i] = (struct pollfd){.fd = p->listeners->items[i].fd, .events = POLLIN};
		fds[count] = (struct pollfd){.fd = p->wake_fd, .events = POLLIN};
		if (socket_wait(fds, count + 1, CLOCK_NEVER) < 0)
			continue;
		if (fds[count].revents != 0 && read(p->wake_fd, &orders, sizeof(orders)) < 0)
			continue;
		if (accept_ready(p, fds, guest))
			return true;
	}
	return false;
}

/* ---- a worker's life ---- */

static void leave(struct pool *p)
{
	bool last;
	pthread_t stopper;

	mutex_lock(&p->lock);
	last = --p->live == 0;
	stopper = p->stopper;
	mutex_unlock(&p->lock);
	if (last)
		pthread_kill(stopper, POOL_GONE_SIGNAL);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct guest guest;

	while (lead(p, w)) {
		if (!accept_client(p, &guest)) {
			close_listeners(p);
			break;
		}
		stop_leading(p);
		session_run(w->session, p->services, w->slot, guest.config, guest.fd, &guest.addr);
	}
	leave(p);
	return NULL;
}

/* ---- making and ending the pool ---- */

/* Linux 6.16 and later give a process futex buckets by the number of its processors, whatever the
 * number of its threads, so that waking one of thousands of idle workers would walk a long chain.
 * Elsewhere this is an unknown option, and the buckets are the whole system's, which are enough. */
static void make_room_for_waiters(size_t count)
{
	const int option = 78 /* PR_FUTEX_HASH */, set_slots = 1 /* PR_FUTEX_HASH_SET_SLOTS */;
	unsigned long slots = 16;

	while (slots < count)
		slots *= 2;
	(void)prctl(option, set_slots, slots, 0, 0);
}

static struct session *map_sessions(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Fewer sessions where address space is scarce (ulimit -v, vm.overcommit_memory = 2). */
static int allocate(struct pool *p, size_t *count)
{
	p->wake_fd = wake_open();
	while (p->sessions == NULL && *count > 0) {
		p->sessions_size = *count * sizeof(*p->sessions);
		p->sessions = map_sessions(p->sessions_size);
		if (p->sessions == NULL)
			*count /= 2;
	}
	if (p->sessions == NULL || p->wake_fd < 0)
		return -1;
	p->workers = calloc(*count, sizeof(*p->workers));
	return p->workers == NULL ? -1 : 0;
}

static void release(struct pool *p)
{
	if (p->sessions != NULL)
		munmap(p->sessions, p->sessions_size);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->next_taken);
	free(p->workers);
	free(p);
}

static int start_worker(struct pool *p, size_t i, const pthread_attr_t *attr)
{
	struct worker *w = &p->workers[i];
	int error;

	w->pool = p;
	w->slot = i;
	w->session = &p->sessions[i];
	pthread_cond_init(&w->promoted, NULL);
	error = pthread_create(&w->thread, attr, work, w);
	if (error != 0) {
		pthread_cond_destroy(&w->promoted);
		errno = error;
		return -1;
	}
	return 0;
}

struct pool *pool_new(struct services *services, size_t *count)
{
	struct pool *p = calloc(1, sizeof(*p));
	pthread_attr_t attr;

	if (p == NULL)
		return NULL;
	mutex_init(&p->lock);
	pthread_cond_init(&p->next_taken, NULL);
	p->services = services;
	p->has_leader = true; /* nobody is to lead before pool_start() */
	if (allocate(p, count) < 0) {
		release(p);
		return NULL;
	}
	p->live = *count;
	make_room_for_waiters(*count);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (p->count < *count && start_worker(p, p->count, &attr) == 0)
		p->count++;
	pthread_attr_destroy(&attr);
	mutex_lock(&p->lock);
	p->live = p->count;
	mutex_unlock(&p->lock);
	if (p->count == 0) {
		release(p);
		return NULL;
	}
	*count = p->count;
	return p;
}

/* A worker that has not come so far as to be idle yet leads when it does. */
void pool_start(struct pool *p, struct listeners *l)
{
	struct worker *first;

	mutex_lock(&p->lock);
	p->listeners = l;
	first = promote_locked(p);
	mutex_unlock(&p->lock);
	wake(first);
}

const struct listeners *pool_listeners(struct pool *p)
{
	return p->listeners;
}

void pool_listen_on(struct pool *p, struct listeners *next)
{
	struct listeners *old = NULL;

	mutex_lock(&p->lock);
	p->next = next;
	if (p->has_leader) {
		wake_send(p->wake_fd);
		while (p->next != NULL)
			pthread_cond_wait(&p->next_taken, &p->lock.mutex);
	} else {
		old = take_next_locked(p);
	}
	mutex_unlock(&p->lock);
	listeners_close(old);
}

void pool_stop(struct pool *p)
{
	mutex_lock(&p->lock);
	p->stopping = true;
	p->stopper = pthread_self();
	for (struct worker *w = p->idle; w != NULL; w = w->next_idle)
		pthread_cond_signal(&w->promoted);
	p->idle = NULL;
	if (p->has_leader)
		wake_send(p->wake_fd);
	else
		close_listeners(p);
	mutex_unlock(&p->lock);
}

bool pool_is_gone(struct pool *p)
{
	bool gone;

	mutex_lock(&p->lock);
	gone = p->live == 0;
	mutex_unlock(&p->lock);
	return gone;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++) {
		pthread_join(p->workers[i].thread, NULL);
		pthread_cond_destroy(&p->workers[i].promoted);
	}
	release(p);
}
