/*
 * The thread never waits but in poll(2), and never does what takes long: slow hashes are the
 * hasher's, and what changes users or settings is the main thread's, which does such things one
 * after the other and so needs no locks for them. Errands go there and come back.
 */
#include "monitor/admin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/wake.h"
#include "monitor/console.h"
#include "monitor/seats.h"
#include "net/socket.h"

#define TURNED_AWAY "ERR Too many clients\n"

struct admin {
	struct desk desk;
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */
	int wake_fd; /* errands are done, or there is something new below */
	_Atomic(bool) stopping;
	struct mutex lock; /* next_listener */
	pthread_cond_t listener_taken;
	int next_listener; /* to go over to; -1: none */

	/* the thread's own */
	int listener; /* the fronts'; -1: not yet */
	int64_t accept_from; /* not before: it failed just now */
	struct backoff pause;
	struct log_limit accept_limit;
	size_t count;
	struct console *consoles;
	struct pollfd *fds; /* wake_fd, listener, and the consoles that wait for something */
	struct console **polled; /* whose the latter are */
	size_t polled_count;
};

/* ---- who comes ---- */

/* Free for `client`; NULL: there is none. */
static struct console *make_place(struct admin *a, const struct network *client)
{
	struct console *c = seats_find(a->consoles, a->count, client);

	if (c != NULL && c->phase == CONSOLE_CLOSING)
		console_close(c);
	else if (c != NULL && c->phase == CONSOLE_LOGIN)
		console_dismiss(c, TURNED_AWAY);
	return c;
}

static void turn_away(int fd)
{
	/* As much as fits, which is all; nobody waits for more. */
	if (socket_write(fd, TURNED_AWAY, strlen(TURNED_AWAY)) > 0)
		socket_end_stream(fd);
	socket_close(fd);
}

static void accept_administrator(struct admin *a)
{
	struct network client;
	struct addr from;
	struct console *c;
	int fd;

	switch (socket_accept(a->listener, &fd, &from)) {
	case SOCKET_ACCEPTED:
		backoff_end(&a->pause);
		client = own_client_of(a->desk.services->own, &from);
		c = make_place(a, &client);
		if (c != NULL)
			console_open(c, &a->desk, fd, &from);
		else
			turn_away(fd);
		break;
	case SOCKET_ACCEPT_FAILED:
		log_failure(&a->accept_limit, "the monitor cannot accept clients", errno);
		a->accept_from = clock_deadline(backoff_next(&a->pause));
		break;
	case SOCKET_ACCEPT_NOTHING:
		backoff_end(&a->pause);
		break;
	}
}

/* ---- the loop ---- */

/* Fills in what to poll; returns until when. */
static int64_t fill_in(struct admin *a)
{
	int64_t now = clock_ms();
	bool accepts = now >= a->accept_from;
	int64_t until = accepts ? CLOCK_NEVER : a->accept_from;

	a->fds[0] = (struct pollfd){.fd = a->wake_fd, .events = POLLIN};
	a->fds[1] = (struct pollfd){.fd = accepts ? a->listener : -1, .events = POLLIN};
	a->polled_count = 0;
	for (size_t i = 0; i < a->count; i++) {
		struct console *c = &a->consoles[i];
		short events = console_events(c);

		if (events == 0)
			continue;
		if (c->rests_until > now) {
			until = clock_earlier(until, c->rests_until);
			continue;
		}
		a->fds[2 + a->polled_count] = (struct pollfd){.fd = c->fd, .events = events};
		a->polled[a->polled_count++] = c;
		until = clock_earlier(until, c->deadline);
	}
	return until;
}

static void take_listener(struct admin *a)
{
	mutex_lock(&a->lock);
	if (a->next_listener >= 0) {
		a->listener = a->next_listener;
		a->next_listener = -1;
		pthread_cond_signal(&a->listener_taken);
	}
	mutex_unlock(&a->lock);
}

/* What other threads have left for this one. */
static void take_news(struct admin *a)
{
	take_listener(a);
	errands_run(a->desk.done);
}

static void *serve_consoles(void *arg)
{
	struct admin *a = arg;
	uint64_t news;

	while (!atomic_load(&a->stopping)) {
		int64_t until = fill_in(a);

		/* The limit on open files is also one on what can be polled. */
		if (socket_wait(a->fds, 2 + a->polled_count, until) < 0) {
			take_news(a);
			continue;
		}
		if (a->fds[0].revents != 0 && read(a->wake_fd, &news, sizeof(news)) > 0)
			take_news(a);
		for (size_t i = 0; i < a->polled_count; i++)
			console_step(a->polled[i], a->fds[2 + i].revents);
		if (a->fds[1].revents != 0)
			accept_administrator(a);
	}
	return NULL;
}

/* ---- for the main thread ---- */

static void release_admin(struct admin *a)
{
	for (size_t i = 0; a->consoles != NULL && i < a->count; i++)
		console_free(&a->consoles[i]);
	free(a->consoles);
	free(a->fds);
	free(a->polled);
	errands_free(a->desk.done);
	socket_close(a->wake_fd);
	mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->listener_taken);
	free(a);
}

static void call_admin(void *context)
{
	wake_send(((const struct admin *)context)->wake_fd);
}

/* -1 with errno. */
static int allocate_consoles(struct admin *a)
{
	struct config *config = config_get(a->desk.services->config);

	a->count = (size_t)config->settings.max_monitor_clients;
	config_release(config);
	a->wake_fd = wake_open();
	if (a->wake_fd < 0)
		return -1;
	a->consoles = calloc(a->count, sizeof(*a->consoles));
	a->fds = calloc(2 + a->count, sizeof(*a->fds));
	a->polled = calloc(a->count, sizeof(struct console *));
	a->desk.done = errands_new(call_admin, a);
	a->desk.consoles = a->consoles;
	a->desk.count = a->count;
	if (a->consoles != NULL && a->fds != NULL && a->polled != NULL && a->desk.done != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* Waits until the thread has gone over. */
static void accept_admins(void *context, const struct listeners *next)
{
	struct admin *a = context;

	mutex_lock(&a->lock);
	a->next_listener = next->items[0].fd;
	wake_send(a->wake_fd);
	while (a->next_listener >= 0)
		pthread_cond_wait(&a->listener_taken, &a->lock.mutex);
	mutex_unlock(&a->lock);
}

struct admin *admin_new(struct server *server, char error[CONFIG_ERROR_MAX])
{
	struct admin *a = calloc(1, sizeof(*a));
	struct acceptor acceptor = {.listen_on = accept_admins, .context = a};

	if (a == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	a->desk.server = server;
	a->desk.services = server_services(server);
	a->wake_fd = a->listener = a->next_listener = -1;
	mutex_init(&a->lock);
	pthread_cond_init(&a->listener_taken, NULL);
	if (allocate_consoles(a) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "cannot open the monitor: %s", strerror(errno));
		release_admin(a);
		return NULL;
	}
	fronts_set_acceptor(server_fronts(server), FRONT_MONITOR, &acceptor);
	return a;
}

int admin_start(struct admin *a, char error[CONFIG_ERROR_MAX])
{
	int status = pthread_create(&a->thread, NULL, serve_consoles, a);

	a->is_started = status == 0;
	if (status == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "cannot start the monitor: %s", strerror(status));
	return -1;
}

void admin_stop(struct admin *a)
{
	if (a == NULL || !a->is_started)
		return;
	atomic_store(&a->stopping, true);
	wake_send(a->wake_fd);
	pthread_join(a->thread, NULL);
	a->is_started = false;
}

void admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	/* Whoever waits for an errand is not told any more. */
	for (size_t i = 0; i < a->count; i++) {
		struct console *c = &a->consoles[i];

		c->is_away = false;
		if (c->phase != CONSOLE_FREE)
			console_close(c);
	}
	release_admin(a);
}
