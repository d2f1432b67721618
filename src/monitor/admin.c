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

#include "base/clock.h"
#include "base/log.h"
#include "base/wake.h"
#include "monitor/console.h"
#include "monitor/seats.h"
#include "net/socket.h"
#include "server/door.h"

#define TURNED_AWAY "ERR Too many clients\n"

/* Where clients come in, each with places of its own. */
enum entry_kind { ENTRY_ADDRESS, ENTRY_SOCKET, ENTRIES };

struct entry {
	struct admin *admin;
	struct door door;
	size_t count;
	struct console *consoles; /* a part of the admin's */
};

struct admin {
	struct desk desk;
	struct entry entries[ENTRIES];
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */
	int wake_fd; /* errands are done, watchers have something to see, or it is new below */
	_Atomic(bool) stopping;

	/* the thread's own */
	size_t count;
	struct console *consoles;
	struct pollfd *fds; /* wake_fd, the doors', and the consoles' that wait for something */
	struct console **polled; /* whose the latter are */
	size_t polled_count;
};

/* ---- who comes ---- */

/* Free for `peer`; NULL: there is none. */
static struct console *make_place(const struct entry *e, const struct peer *peer)
{
	struct console *c = seats_find(e->consoles, e->count, peer);

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

static void receive_peer(struct entry *e, int fd, const struct addr *from)
{
	struct desk *desk = &e->admin->desk;
	bool is_local = e == &e->admin->entries[ENTRY_SOCKET];
	struct peer peer =
		is_local ? peer_from_socket(fd) : peer_from_address(desk->services->own, from);
	struct console *c = make_place(e, &peer);

	if (c != NULL)
		console_open(c, desk, fd, &peer);
	else
		turn_away(fd);
}

static void accept_administrator(struct entry *e)
{
	struct addr from;
	int fd = door_accept(&e->door, &from);

	if (fd >= 0)
		receive_peer(e, fd, &from);
}

/* ---- the loop ---- */

#define FIRST_CONSOLE (1 + ENTRIES) /* in what is polled */

/* Fills in what to poll; returns until when. */
static int64_t fill_in(struct admin *a)
{
	int64_t now = clock_ms(), until = CLOCK_NEVER;

	a->fds[0] = (struct pollfd){.fd = a->wake_fd, .events = POLLIN};
	for (size_t i = 0; i < ENTRIES; i++)
		until = clock_earlier(
			until, door_fill_in(&a->entries[i].door, now, &a->fds[1 + i]));
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
		a->fds[FIRST_CONSOLE + a->polled_count] =
			(struct pollfd){.fd = c->fd, .events = events};
		a->polled[a->polled_count++] = c;
		until = clock_earlier(until, c->deadline);
	}
	return until;
}

/* What other threads have left for this one. */
static void take_news(struct admin *a)
{
	for (size_t i = 0; i < ENTRIES; i++)
		door_take_next(&a->entries[i].door);
	errands_run(a->desk.done);
	watching_answer_bell(&a->desk.services->watching);
}

static void *serve_consoles(void *arg)
{
	struct admin *a = arg;
	uint64_t news;

	pthread_setname_np(pthread_self(), "admin");
	while (!atomic_load(&a->stopping)) {
		int64_t until = fill_in(a);

		/* The limit on open files is also one on what can be polled. */
		if (socket_wait(a->fds, FIRST_CONSOLE + a->polled_count, until) < 0) {
			take_news(a);
			continue;
		}
		if (a->fds[0].revents != 0 && read(a->wake_fd, &news, sizeof(news)) > 0)
			take_news(a);
		for (size_t i = 0; i < a->polled_count; i++)
			console_step(a->polled[i], a->fds[FIRST_CONSOLE + i].revents);
		for (size_t i = 0; i < ENTRIES; i++) {
			if (a->fds[1 + i].revents != 0)
				accept_administrator(&a->entries[i]);
		}
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
	for (size_t i = 0; i < ENTRIES; i++)
		door_destroy(&a->entries[i].door);
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

	a->entries[ENTRY_ADDRESS].count = (size_t)config->settings.max_monitor_clients;
	a->entries[ENTRY_SOCKET].count = FRONTS_SOCKET_CLIENTS;
	a->count = a->entries[ENTRY_ADDRESS].count + FRONTS_SOCKET_CLIENTS;
	config_release(config);
	if (a->wake_fd < 0)
		return -1;
	a->consoles = calloc(a->count, sizeof(*a->consoles));
	a->fds = calloc(FIRST_CONSOLE + a->count, sizeof(*a->fds));
	a->polled = calloc(a->count, sizeof(struct console *));
	a->desk.done = errands_new(call_admin, a);
	a->entries[ENTRY_ADDRESS].consoles = a->consoles;
	a->entries[ENTRY_SOCKET].consoles = a->consoles + a->entries[ENTRY_ADDRESS].count;
	a->desk.consoles = a->consoles;
	a->desk.count = a->count;
	if (a->consoles != NULL && a->fds != NULL && a->polled != NULL && a->desk.done != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

static void accept_admins(void *context, const struct listeners *next)
{
	door_go_over(&((struct entry *)context)->door, next);
}

/* The names before anybody comes who has them: the system may have to ask others for them, which
 * the monitor's thread must not wait for. */
static int expect_operators(void *context, const struct listeners *next)
{
	struct admin *a = ((const struct entry *)context)->admin;

	if (next->count > 0 && a->desk.names.root[0] == '\0')
		peer_find_names(&a->desk.names);
	return 0;
}

static void set_acceptors(struct admin *a, struct fronts *fronts)
{
	struct acceptor by_address = {
		.listen_on = accept_admins, .context = &a->entries[ENTRY_ADDRESS]};
	struct acceptor by_socket = {.expect = expect_operators,
		.listen_on = accept_admins,
		.context = &a->entries[ENTRY_SOCKET]};

	fronts_set_acceptor(fronts, FRONT_MONITOR, &by_address);
	fronts_set_acceptor(fronts, FRONT_MONITOR_SOCKET, &by_socket);
}

static void make_entry(struct admin *a, size_t i)
{
	a->entries[i].admin = a;
	door_init(&a->entries[i].door, a->wake_fd, "the monitor cannot accept clients");
}

struct admin *admin_new(struct server *server, char error[CONFIG_ERROR_MAX])
{
	struct admin *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	a->desk.server = server;
	a->desk.services = server_services(server);
	a->desk.keeper = server_keeper(server);
	a->wake_fd = wake_open();
	for (size_t i = 0; i < ENTRIES; i++)
		make_entry(a, i);
	if (allocate_consoles(a) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "cannot open the monitor: %s", strerror(errno));
		release_admin(a);
		return NULL;
	}
	set_acceptors(a, server_fronts(server));
	watching_set_bell(&a->desk.services->watching, call_admin, a);
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

		c->order.is_away = false;
		if (c->phase != CONSOLE_FREE)
			console_close(c);
	}
	release_admin(a);
}
