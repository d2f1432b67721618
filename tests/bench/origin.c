/*
 * DESIGN
 * One thread with epoll accepts everything and answers all echoes, so that thousands of sessions
 * cost the machine little; each bulk connection gets a blocking thread with big buffers. A run gets
 * a fresh origin: new ports, nothing left over from a run that failed.
 */
#include "origin.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define EVENTS_MAX 64
#define ECHO_BUF_SIZE 4096
#define SHORT_PAGE 4096
#define UDP_BATCH 32
#define UDP_BUF_SIZE 2048

/* Whatever epoll may wake us for. `on_ready` may free its source. */
struct source {
	void (*on_ready)(struct origin *origin, struct source *source);
	int fd;
};

struct listener {
	struct source source;
	uint16_t port;
};

struct echo {
	struct source source;
	uint64_t left; /* bytes until we close */
	LIST_ENTRY(echo) link;
};

/* A request that is not there as a whole. */
struct web {
	struct source source;
	size_t len;
	char head[2048];
	LIST_ENTRY(web) link;
};

/* A connection with a thread of its own. */
struct bulk {
	int fd;
	uint64_t bytes;
	pthread_t thread;
	SLIST_ENTRY(bulk) link;
};

struct origin {
	int epoll;
	struct source stop;
	struct listener udp; /* none really, but with a port */
	struct listener listeners[ORIGIN_SERVICES];
	bool stopping;
	pthread_t thread;
	LIST_HEAD(echoes, echo) echoes;
	LIST_HEAD(webs, web) webs;
	SLIST_HEAD(bulks, bulk) bulks;
};

static int watch(struct origin *origin, struct source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(origin->epoll, EPOLL_CTL_ADD, source->fd, &event);
}

static void end_echo(struct echo *echo, void (*end_stream)(int fd))
{
	LIST_REMOVE(echo, link);
	end_stream(echo->source.fd);
	free(echo);
}

static void close_stream(int fd)
{
	close(fd);
}

static void on_echo(struct origin *origin, struct source *source)
{
	struct echo *echo = (struct echo *)source;
	uint8_t buf[ECHO_BUF_SIZE];
	ssize_t n = recv(source->fd, buf, sizeof(buf), MSG_DONTWAIT);

	(void)origin;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || (uint64_t)n > echo->left || wire_write(source->fd, buf, (size_t)n) < 0) {
		end_echo(echo, wire_reset);
		return;
	}
	echo->left -= (uint64_t)n;
	if (echo->left == 0)
		end_echo(echo, close_stream);
}

static void begin_echo_of(struct origin *origin, int fd, uint64_t bytes)
{
	struct echo *echo = calloc(1, sizeof(*echo));

	if (echo == NULL) {
		close(fd);
		return;
	}
	echo->source = (struct source){.on_ready = on_echo, .fd = fd};
	echo->left = bytes;
	LIST_INSERT_HEAD(&origin->echoes, echo, link);
	if (watch(origin, &echo->source) < 0)
		end_echo(echo, wire_reset);
}

static void begin_echo(struct origin *origin, int fd)
{
	begin_echo_of(origin, fd, UINT64_MAX);
}

static void begin_visit(struct origin *origin, int fd)
{
	begin_echo_of(origin, fd, WIRE_ECHO_SIZE);
}

/* A client that sees its stream end without the ack reports the failure; nothing to say here. */
static void *run_bulk(void *arg)
{
	const uint8_t ack = ORIGIN_BULK_ACK;
	struct bulk *bulk = arg;
	struct origin_job job;

	if (wire_read(bulk->fd, &job, sizeof(job)) == 0 &&
		wire_exchange(bulk->fd, job.down, job.up) == 0)
		(void)wire_write(bulk->fd, &ack, sizeof(ack));
	shutdown(bulk->fd, SHUT_RDWR);
	return NULL;
}

static void begin_on_thread(struct origin *origin, int fd, uint64_t bytes, void *(*run)(void *bulk))
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));

	if (bulk != NULL) {
		bulk->fd = fd;
		bulk->bytes = bytes;
		if (pthread_create(&bulk->thread, NULL, run, bulk) == 0) {
			SLIST_INSERT_HEAD(&origin->bulks, bulk, link);
			return;
		}
	}
	free(bulk);
	close(fd);
}

static void begin_bulk(struct origin *origin, int fd)
{
	begin_on_thread(origin, fd, 0, run_bulk);
}

/* ---- web ---- */

/* Head and page leave together. */
static void hold_back(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

static int write_head(int fd, uint64_t bytes)
{
	char head[128];
	int len = snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\nConnection: close\r\n\r\n",
		bytes);

	return wire_write(fd, head, (size_t)len);
}

static void *run_web(void *arg)
{
	struct bulk *bulk = arg;

	if (write_head(bulk->fd, bulk->bytes) == 0)
		(void)wire_exchange(bulk->fd, bulk->bytes, 0);
	shutdown(bulk->fd, SHUT_RDWR);
	return NULL;
}

static void end_web(struct web *web)
{
	LIST_REMOVE(web, link);
	free(web);
}

/* Of the request that has come whole; short pages at once, as a server would from memory. */
static void answer_web(struct origin *origin, struct web *web)
{
	const int fd = web->source.fd;
	uint64_t bytes = 0;
	bool is_request = sscanf(web->head, "GET /%" SCNu64 " ", &bytes) == 1;

	epoll_ctl(origin->epoll, EPOLL_CTL_DEL, fd, NULL);
	end_web(web);
	if (is_request && bytes > SHORT_PAGE) {
		begin_on_thread(origin, fd, bytes, run_web);
		return;
	}
	hold_back(fd);
	if (is_request && write_head(fd, bytes) == 0)
		(void)wire_exchange(fd, bytes, 0);
	close(fd); /* which lets go of it */
}

static void on_web(struct origin *origin, struct source *source)
{
	struct web *web = (struct web *)source;
	ssize_t n = recv(
		source->fd, web->head + web->len, sizeof(web->head) - 1 - web->len, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		const int fd = source->fd;

		end_web(web);
		wire_reset(fd);
		return;
	}
	web->len += (size_t)n;
	web->head[web->len] = '\0';
	if (strstr(web->head, "\r\n\r\n") != NULL || web->len == sizeof(web->head) - 1)
		answer_web(origin, web);
}

static void begin_web(struct origin *origin, int fd)
{
	struct web *web = calloc(1, sizeof(*web));

	if (web == NULL) {
		close(fd);
		return;
	}
	web->source = (struct source){.on_ready = on_web, .fd = fd};
	LIST_INSERT_HEAD(&origin->webs, web, link);
	if (watch(origin, &web->source) < 0) {
		end_web(web);
		wire_reset(fd);
	}
}

/* ---- listeners ---- */

/* A listener that cannot accept (out of descriptors) is given up: it would wake us forever. */
static void accept_all(struct origin *origin, struct source *listener,
	void (*begin)(struct origin *origin, int fd))
{
	int fd;

	while ((fd = wire_accept(listener->fd)) >= 0)
		begin(origin, fd);
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		epoll_ctl(origin->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
}

static void on_echo_listener(struct origin *origin, struct source *listener)
{
	accept_all(origin, listener, begin_echo);
}

static void on_visit_listener(struct origin *origin, struct source *listener)
{
	accept_all(origin, listener, begin_visit);
}

static void on_bulk_listener(struct origin *origin, struct source *listener)
{
	accept_all(origin, listener, begin_bulk);
}

static void on_web_listener(struct origin *origin, struct source *listener)
{
	accept_all(origin, listener, begin_web);
}

static void on_datagrams(struct origin *origin, struct source *source)
{
	static uint8_t bytes[UDP_BATCH][UDP_BUF_SIZE];
	struct sockaddr_in from[UDP_BATCH];
	struct mmsghdr messages[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	int n;

	(void)origin;
	for (size_t i = 0; i < UDP_BATCH; i++) {
		vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = UDP_BUF_SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &vectors[i],
			.msg_iovlen = 1};
	}
	n = recvmmsg(source->fd, messages, UDP_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		vectors[i].iov_len = messages[i].msg_len;
	if (n > 0)
		(void)sendmmsg(source->fd, messages, (unsigned)n, MSG_DONTWAIT);
}

static int open_udp(struct origin *origin)
{
	struct sockaddr_in addr = {.sin_port = 0};
	socklen_t len = sizeof(addr);

	origin->udp.source = (struct source){.on_ready = on_datagrams, .fd = wire_datagram()};
	if (origin->udp.source.fd < 0 ||
		getsockname(origin->udp.source.fd, (struct sockaddr *)&addr, &len) < 0)
		return -1;
	origin->udp.port = ntohs(addr.sin_port);
	return watch(origin, &origin->udp.source);
}

static void (*const on_listener[ORIGIN_SERVICES])(struct origin *, struct source *) = {
	[ORIGIN_ECHO] = on_echo_listener,
	[ORIGIN_VISIT] = on_visit_listener,
	[ORIGIN_BULK] = on_bulk_listener,
	[ORIGIN_WEB] = on_web_listener,
};

static void on_stop(struct origin *origin, struct source *source)
{
	(void)source;
	origin->stopping = true;
}

static void *run_origin(void *arg)
{
	struct origin *origin = arg;
	struct epoll_event events[EVENTS_MAX];

	while (!origin->stopping) {
		int n = epoll_wait(origin->epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++) {
			struct source *source = events[i].data.ptr;

			source->on_ready(origin, source);
		}
	}
	return NULL;
}

static int open_listener(struct origin *origin, enum origin_service service)
{
	struct listener *listener = &origin->listeners[service];

	listener->source.on_ready = on_listener[service];
	listener->source.fd = wire_listen(&listener->port);
	return listener->source.fd < 0 ? -1 : watch(origin, &listener->source);
}

static int open_sources(struct origin *origin)
{
	origin->epoll = epoll_create1(EPOLL_CLOEXEC);
	origin->stop.fd = eventfd(0, EFD_CLOEXEC);
	if (origin->epoll < 0 || origin->stop.fd < 0 || watch(origin, &origin->stop) < 0)
		return -1;
	for (int i = 0; i < ORIGIN_SERVICES; i++) {
		if (open_listener(origin, i) < 0)
			return -1;
	}
	return open_udp(origin);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void free_origin(struct origin *origin)
{
	int saved = errno;

	for (int i = 0; i < ORIGIN_SERVICES; i++)
		close_if_open(origin->listeners[i].source.fd);
	close_if_open(origin->udp.source.fd);
	close_if_open(origin->stop.fd);
	close_if_open(origin->epoll);
	free(origin);
	errno = saved;
}

static struct origin *new_origin(void)
{
	struct origin *origin = calloc(1, sizeof(*origin));

	if (origin == NULL)
		return NULL;
	origin->epoll = -1;
	origin->udp.source.fd = -1;
	origin->stop = (struct source){.on_ready = on_stop, .fd = -1};
	for (int i = 0; i < ORIGIN_SERVICES; i++)
		origin->listeners[i].source.fd = -1;
	LIST_INIT(&origin->echoes);
	LIST_INIT(&origin->webs);
	SLIST_INIT(&origin->bulks);
	return origin;
}

struct origin *origin_start(void)
{
	struct origin *origin = new_origin();
	int error;

	if (origin == NULL)
		return NULL;
	if (open_sources(origin) < 0) {
		free_origin(origin);
		return NULL;
	}
	error = pthread_create(&origin->thread, NULL, run_origin, origin);
	if (error != 0) {
		errno = error;
		free_origin(origin);
		return NULL;
	}
	return origin;
}

uint16_t origin_port(const struct origin *origin, enum origin_service service)
{
	return origin->listeners[service].port;
}

uint16_t origin_udp_port(const struct origin *origin)
{
	return origin->udp.port;
}

static void end_bulk(struct bulk *bulk)
{
	shutdown(bulk->fd, SHUT_RDWR);
	pthread_join(bulk->thread, NULL);
	close(bulk->fd);
	free(bulk);
}

void origin_stop(struct origin *origin)
{
	struct echo *echo, *next_echo;
	struct web *web, *next_web;
	struct bulk *bulk;

	if (origin == NULL)
		return;
	eventfd_write(origin->stop.fd, 1);
	pthread_join(origin->thread, NULL);
	for (echo = LIST_FIRST(&origin->echoes); echo != NULL; echo = next_echo) {
		next_echo = LIST_NEXT(echo, link);
		end_echo(echo, wire_reset);
	}
	for (web = LIST_FIRST(&origin->webs); web != NULL; web = next_web) {
		next_web = LIST_NEXT(web, link);
		wire_reset(web->source.fd);
		end_web(web);
	}
	while ((bulk = SLIST_FIRST(&origin->bulks)) != NULL) {
		SLIST_REMOVE_HEAD(&origin->bulks, link);
		end_bulk(bulk);
	}
	free_origin(origin);
}
