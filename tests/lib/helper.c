/*
 * One thread and poll(2) over its connections, each of which has one question at a time.
 */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/check.h"

#define CONNECTIONS 64
#define LINE_MAX_BYTES 8192

const char HELPER_HOLDS[] = "";

struct helper_connection {
	int fd; /* -1: none */
	bool is_held;
	size_t len;
	char line[LINE_MAX_BYTES];
};

struct helper {
	pthread_t thread;
	helper_says *says;
	int listener, wake;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	bool stops;
	unsigned asked, held, given_up;
	char newest[LINE_MAX_BYTES], copy[LINE_MAX_BYTES];
	struct helper_connection connections[CONNECTIONS];
};

static void drop(struct helper *h, struct helper_connection *c)
{
	close(c->fd);
	h->given_up += c->is_held;
	h->held -= c->is_held;
	c->is_held = false;
	c->fd = -1;
	c->len = 0;
}

/* A piece at a time, so that they may arrive as such. */
static void answer(struct helper *h, struct helper_connection *c, const char *text)
{
	if (text == NULL) {
		drop(h, c);
		return;
	}
	for (bool is_last = false; !is_last; text += strlen(text) + 1) {
		(void)!send(c->fd, text, strlen(text), MSG_NOSIGNAL);
		is_last = strchr(text, '\n') != NULL || strlen(text) > 16;
	}
}

static void take_question(struct helper *h, struct helper_connection *c)
{
	const char *text;

	c->line[c->len - 1] = '\0';
	strcpy(h->newest, c->line);
	h->asked++;
	c->len = 0;
	text = h->says(h->newest);
	if (text == HELPER_HOLDS) {
		c->is_held = true;
		h->held++;
	} else {
		answer(h, c, text);
	}
}

static void read_from(struct helper *h, struct helper_connection *c)
{
	ssize_t n = recv(c->fd, c->line + c->len, sizeof(c->line) - c->len, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(h, c);
		return;
	}
	c->len += (size_t)n;
	if (c->line[c->len - 1] == '\n')
		take_question(h, c);
}

static void take_connection(struct helper *h)
{
	int fd = accept(h->listener, NULL, NULL);

	for (size_t i = 0; fd >= 0 && i < CONNECTIONS; i++) {
		if (h->connections[i].fd < 0) {
			h->connections[i].fd = fd;
			return;
		}
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct helper *h = arg;
	struct pollfd p[CONNECTIONS + 2];

	for (;;) {
		p[0] = (struct pollfd){.fd = h->wake, .events = POLLIN};
		p[1] = (struct pollfd){.fd = h->listener, .events = POLLIN};
		pthread_mutex_lock(&h->lock);
		for (size_t i = 0; i < CONNECTIONS; i++)
			p[i + 2] = (struct pollfd){.fd = h->connections[i].fd, .events = POLLIN};
		pthread_mutex_unlock(&h->lock);
		poll(p, CONNECTIONS + 2, -1);
		pthread_mutex_lock(&h->lock);
		for (size_t i = 0; i < CONNECTIONS; i++) {
			if (p[i + 2].revents != 0 && h->connections[i].fd >= 0)
				read_from(h, &h->connections[i]);
		}
		if (p[1].revents != 0 && !h->stops)
			take_connection(h);
		pthread_cond_broadcast(&h->changed);
		if (h->stops)
			break;
		pthread_mutex_unlock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct helper *helper_start(const char *path, helper_says *says)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct helper *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->says = says;
	for (size_t i = 0; i < CONNECTIONS; i++)
		h->connections[i].fd = -1;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	unlink(path);
	h->wake = eventfd(0, EFD_CLOEXEC);
	h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(h->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(h->listener, CONNECTIONS), 0);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
	return h;
}

void helper_stop(struct helper *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stops = true;
	pthread_mutex_unlock(&h->lock);
	assert_int_equal(eventfd_write(h->wake, 1), 0);
	pthread_join(h->thread, NULL);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (h->connections[i].fd >= 0)
			close(h->connections[i].fd);
	}
	close(h->listener);
	close(h->wake);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

unsigned helper_asked(struct helper *h)
{
	unsigned asked;

	pthread_mutex_lock(&h->lock);
	asked = h->asked;
	pthread_mutex_unlock(&h->lock);
	return asked;
}

const char *helper_newest(struct helper *h)
{
	pthread_mutex_lock(&h->lock);
	strcpy(h->copy, h->newest);
	pthread_mutex_unlock(&h->lock);
	return h->copy;
}

static void wait_for(struct helper *h, const unsigned *counter, unsigned count)
{
	pthread_mutex_lock(&h->lock);
	while (*counter < count)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void helper_wait_held(struct helper *h, unsigned count)
{
	wait_for(h, &h->held, count);
}

void helper_wait_given_up(struct helper *h, unsigned count)
{
	wait_for(h, &h->given_up, count);
}

void helper_release(struct helper *h, const char *text)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (!h->connections[i].is_held)
			continue;
		h->connections[i].is_held = false;
		h->held--;
		answer(h, &h->connections[i], text);
	}
	pthread_mutex_unlock(&h->lock);
}
