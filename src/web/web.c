/*
 * Beside the monitor's thread there is this one, of the same build: it never waits but in poll(2).
 * Where web_listen is empty it is not there, nor is its memory; a change that sets it starts it.
 */
#include "web/web.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wake.h"
#include "net/socket.h"
#include "server/door.h"
#include "web/connection.h"

#define MOST_OF_AN_ADDRESS 8

static const char turned_away[] =
	"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 18\r\n\r\nToo many clients.\n";

struct web {
	struct server *server;
	pthread_t thread;
	bool is_started; /* the main thread's */
	_Atomic(bool) stopping;
	struct door door;
	int wake_fd;

	/* the thread's own, while there is one */
	struct web_desk desk;
	size_t count;
	struct web_connection *connections;
	struct pollfd *fds; /* wake_fd, the door's, the connections' that wait for something */
	struct web_connection **polled; /* whose the latter are */
	size_t polled_count;
};

/* ---- who comes ---- */

/* Has the client's address all the connections that it may have? */
static bool has_enough(const struct web *w, const struct peer *peer)
{
	struct config *config = config_get(w->desk.services->config);
	bool is_trusted = addr_is_loopback(&peer->from) ||
		network_list_contains(&config->settings.web_trusted, &peer->from);
	size_t n = 0;

	config_release(config);
	for (size_t i = 0; i < w->count; i++)
		n += w->connections[i].phase != WEB_FREE &&
			peer_is_one_with(&w->connections[i].peer, peer);
	return !is_trusted && n >= MOST_OF_AN_ADDRESS;
}

/* The place of the connection that waits for its client for longest: of those of the address, or
 * (NULL) of all. NULL: none does. */
static struct web_connection *close_idle(const struct web *w, const struct peer *peer)
{
	struct web_connection *found = NULL;

	for (size_t i = 0; i < w->count; i++) {
		struct web_connection *c = &w->connections[i];

		if (connection_is_idle(c) && (peer == NULL || peer_is_one_with(&c->peer, peer)) &&
			(found == NULL || c->deadline < found->deadline))
			found = c;
	}
	if (found != NULL)
		connection_close(found);
	return found;
}

/* A place for one more from there; NULL: there is none. Browsers keep connections that they do not
 * need, six each, and what they need has to come through from a second one, too. */
static struct web_connection *make_place(const struct web *w, const struct peer *peer)
{
	if (has_enough(w, peer))
		return close_idle(w, peer);
	for (size_t i = 0; i < w->count; i++) {
		if (w->connections[i].phase == WEB_FREE)
			return &w->connections[i];
	}
	return close_idle(w, NULL);
}

static void accept_client(struct web *w)
{
	struct web_connection *c;
	struct addr from;
	struct peer peer;
	int fd = door_accept(&w->door, &from);

	if (fd < 0)
		return;
	peer = peer_from_address(w->desk.services->own, &from);
	c = make_place(w, &peer);
	if (c != NULL) {
		connection_open(c, &w->desk, fd, &peer);
		return;
	}
	/* As much as fits, which is all; nobody waits for more. */
	if (socket_write(fd, turned_away, sizeof(turned_away) - 1) > 0)
		socket_end_stream(fd);
	socket_close(fd);
}

/* ---- the loop ---- */

#define FIRST_CONNECTION 2 /* in what is polled */

/* Fills in what to poll; returns until when. */
static int64_t fill_in(struct web *w)
{
	int64_t until =
		clock_earlier(door_fill_in(&w->door, clock_ms(), &w->fds[1]), watch_rest(&w->desk));

	w->fds[0] = (struct pollfd){.fd = w->wake_fd, .events = POLLIN};
	w->polled_count = 0;
	for (size_t i = 0; i < w->count; i++) {
		struct web_connection *c = &w->connections[i];
		short events = connection_events(c);

		if (events == 0 && !connection_is_busy(c))
			continue;
		if (events == 0)
			until = clock_ms(); /* what others wait for is looked at, too */
		w->fds[FIRST_CONNECTION + w->polled_count] =
			(struct pollfd){.fd = c->fd, .events = events};
		w->polled[w->polled_count++] = c;
		until = clock_earlier(until, c->deadline);
	}
	return until;
}

static void take_news(struct web *w)
{
	wake_clear(w->wake_fd);
	door_take_next(&w->door);
	errands_run(w->desk.done);
}

static void *serve_browsers(void *arg)
{
	struct web *w = arg;

	pthread_setname_np(pthread_self(), "web");
	while (!atomic_load(&w->stopping)) {
		int64_t until = fill_in(w);

		/* The limit on open files is also one on what can be polled. */
		if (socket_wait(w->fds, FIRST_CONNECTION + w->polled_count, until) < 0) {
			take_news(w);
			continue;
		}
		if (w->fds[0].revents != 0)
			take_news(w);
		for (size_t i = 0; i < w->polled_count; i++)
			connection_step(w->polled[i], w->fds[FIRST_CONNECTION + i].revents);
		if (w->fds[1].revents != 0)
			accept_client(w);
	}
	return NULL;
}

/* ---- for the main thread ---- */

static void call_web(void *context)
{
	wake_send(((const struct web *)context)->wake_fd);
}

static void free_loop(struct web *w)
{
	errands_free(w->desk.done);
	free(w->connections);
	free(w->fds);
	free(w->polled);
	w->desk.done = NULL;
	w->connections = NULL;
	w->fds = NULL;
	w->polled = NULL;
	if (w->wake_fd >= 0)
		door_destroy(&w->door);
	socket_close(w->wake_fd);
	w->wake_fd = -1;
}

/* -1 with errno, and there is nothing. */
static int make_loop(struct web *w)
{
	struct config *config = config_get(server_services(w->server)->config);

	w->count = (size_t)config->settings.max_web_clients;
	config_release(config);
	w->wake_fd = wake_open();
	if (w->wake_fd < 0)
		return -1;
	door_init(&w->door, w->wake_fd, "the web's front cannot accept clients");
	w->connections = calloc(w->count, sizeof(*w->connections));
	w->fds = calloc(FIRST_CONNECTION + w->count, sizeof(*w->fds));
	w->polled = calloc(w->count, sizeof(struct web_connection *));
	w->desk.done = errands_new(call_web, w);
	if (w->connections != NULL && w->fds != NULL && w->polled != NULL && w->desk.done != NULL)
		return 0;
	free_loop(w);
	errno = ENOMEM;
	return -1;
}

/* -1 with errno. */
static int start_thread(struct web *w)
{
	int status;

	if (w->is_started)
		return 0;
	if (make_loop(w) < 0)
		return -1;
	status = pthread_create(&w->thread, NULL, serve_browsers, w);
	w->is_started = status == 0;
	if (status == 0)
		return 0;
	free_loop(w);
	errno = status;
	return -1;
}

static int expect_browsers(void *context, const struct listeners *next)
{
	return next->count > 0 ? start_thread(context) : 0;
}

static void accept_browsers(void *context, const struct listeners *next)
{
	struct web *w = context;

	/* Without a thread there is nothing to accept at either. */
	if (w->is_started)
		door_go_over(&w->door, next);
}

struct web *web_new(struct server *server, char error[CONFIG_ERROR_MAX])
{
	struct acceptor acceptor = {.expect = expect_browsers, .listen_on = accept_browsers};
	struct web *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	w->server = server;
	w->wake_fd = -1;
	w->desk.server = server;
	w->desk.services = server_services(server);
	w->desk.keeper = server_keeper(server);
	randombytes_buf(w->desk.key, sizeof(w->desk.key));
	acceptor.context = w;
	fronts_set_acceptor(server_fronts(server), FRONT_WEB, &acceptor);
	return w;
}

int web_start(struct web *w, char error[CONFIG_ERROR_MAX])
{
	struct config *config = config_get(w->desk.services->config);
	bool is_wanted = config->settings.web_listen.count > 0;

	config_release(config);
	if (!is_wanted || start_thread(w) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "cannot start the web's front: %s", strerror(errno));
	return -1;
}

void web_stop(struct web *w)
{
	if (w == NULL || !w->is_started)
		return;
	atomic_store(&w->stopping, true);
	wake_send(w->wake_fd);
	pthread_join(w->thread, NULL);
	w->is_started = false;
	watch_end(&w->desk);
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	/* Whoever waits for an errand is not told any more. */
	for (size_t i = 0; w->connections != NULL && i < w->count; i++) {
		struct web_connection *c = &w->connections[i];

		c->order.is_away = false;
		if (c->phase != WEB_FREE)
			connection_close(c);
	}
	free_loop(w);
	logins_clear(&w->desk.logins);
	sodium_memzero(w->desk.key, sizeof(w->desk.key));
	free(w);
}
