/*
 * DESIGN
 * The client and the origin move batches, so that they leave the processors to the peer. With a
 * bounded number of echoes under way the peer itself sets the pace, and nothing is lost unless the
 * peer loses it; what is not back within a tick is given up and counted. Each datagram carries its
 * number, and what comes back must be one that was sent.
 */
#include "datagrams.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "origin.h"
#include "socks.h"
#include "wire.h"

#define BATCH 32
#define WINDOW 128 /* echoes under way over one association */
#define EVENTS_MAX 64
#define HEADER 10 /* RSV FRAG ATYP, an IPv4 address and a port */
#define PAYLOAD_MAX 1472

struct stream {
	int tcp; /* -1: no proxy */
	int udp;
	uint64_t under_way;
};

struct datagrams {
	const struct load_run *run;
	struct stream *streams;
	size_t size; /* how many are open */
	size_t header_len;
	uint8_t header[HEADER];
	int epoll;
	uint64_t sent;
	uint64_t back;
	uint64_t lost;
};

static int fail(int error)
{
	errno = error;
	return -1;
}

/* ---- opening ---- */

static int open_stream(struct datagrams *d)
{
	const uint16_t target = origin_udp_port(d->run->origin);
	struct sockaddr_in relay = wire_loopback(target);
	struct stream *s = &d->streams[d->size];
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};

	*s = (struct stream){.tcp = -1, .udp = wire_datagram()};
	d->size++;
	if (s->udp < 0)
		return -1;
	if (d->run->peer != NULL) {
		s->tcp = wire_connect(peer_port(d->run->peer));
		if (s->tcp < 0 || socks_associate(s->tcp, &relay) < 0)
			return -1;
	}
	if (connect(s->udp, (struct sockaddr *)&relay, sizeof(relay)) < 0)
		return -1;
	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, s->udp, &event);
}

static void close_all(struct datagrams *d)
{
	int saved = errno;

	for (size_t i = 0; i < d->size; i++) {
		if (d->streams[i].udp >= 0)
			close(d->streams[i].udp);
		if (d->streams[i].tcp >= 0)
			wire_reset(d->streams[i].tcp);
	}
	if (d->epoll >= 0)
		close(d->epoll);
	free(d->streams);
	errno = saved;
}

static int open_all(struct datagrams *d, const struct load_run *run)
{
	const size_t clients = (size_t)run->scenario->clients;
	const struct sockaddr_in target = wire_loopback(origin_udp_port(run->origin));

	*d = (struct datagrams){.run = run, .epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (run->peer != NULL) {
		d->header_len = HEADER;
		d->header[3] = 1;
		memcpy(d->header + 4, &target.sin_addr, 4);
		memcpy(d->header + 8, &target.sin_port, 2);
	}
	d->streams = calloc(clients, sizeof(*d->streams));
	if (d->epoll < 0 || d->streams == NULL)
		return -1;
	while (d->size < clients) {
		if (open_stream(d) < 0)
			return -1;
	}
	return 0;
}

/* ---- moving ---- */

/* Sends up to `count` <= BATCH datagrams through the stream. */
static int send_some(struct datagrams *d, struct stream *s, size_t count)
{
	static uint8_t bytes[BATCH][HEADER + PAYLOAD_MAX];
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	int n;

	for (size_t i = 0; i < count; i++) {
		const uint64_t number = d->sent + i;

		memcpy(bytes[i], d->header, d->header_len);
		memcpy(bytes[i] + d->header_len, &number, sizeof(number));
		vectors[i] = (struct iovec){
			.iov_base = bytes[i], .iov_len = d->header_len + d->run->scenario->payload};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	n = sendmmsg(s->udp, messages, (unsigned)count, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == ECONNREFUSED ? 0 : -1;
	d->sent += (uint64_t)n;
	s->under_way += (uint64_t)n;
	return 0;
}

static int check(const struct datagrams *d, const uint8_t *bytes, size_t len)
{
	uint64_t number;

	if (len != d->header_len + d->run->scenario->payload)
		return fail(EBADMSG);
	memcpy(&number, bytes + d->header_len, sizeof(number));
	return number < d->sent ? 0 : fail(EBADMSG);
}

/* Takes what came back; how many, or -1. */
static int receive_some(struct datagrams *d, struct stream *s)
{
	static uint8_t bytes[BATCH][HEADER + PAYLOAD_MAX + 1];
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = sizeof(bytes[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	n = recvmmsg(s->udp, messages, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == ECONNREFUSED ? 0 : -1;
	for (int i = 0; i < n; i++) {
		if (check(d, bytes[i], messages[i].msg_len) < 0)
			return -1;
	}
	d->back += (uint64_t)n;
	s->under_way -= (uint64_t)n < s->under_way ? (uint64_t)n : s->under_way;
	return n;
}

/* ---- as many as can be ---- */

static uint64_t window(const struct datagrams *d)
{
	return d->size == 1 ? WINDOW : 1;
}

/* Fills the stream's window, with half of it at a time: batches, as busy clients send. */
static int refill(struct datagrams *d, struct stream *s)
{
	const uint64_t most = window(d), total = d->run->size->datagrams;
	size_t count = 0;

	if (s->under_way <= most / 2 && d->sent < total)
		count = most - s->under_way < BATCH ? most - s->under_way : BATCH;
	if (count > total - d->sent)
		count = total - d->sent;
	return count == 0 ? 0 : send_some(d, s, count);
}

/* Nothing came for a tick: what is under way is lost. */
static int give_up(struct datagrams *d)
{
	for (size_t i = 0; i < d->size; i++) {
		d->lost += d->streams[i].under_way;
		d->streams[i].under_way = 0;
		if (refill(d, &d->streams[i]) < 0)
			return -1;
	}
	return 0;
}

static int handle_events(struct datagrams *d)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(d->epoll, events, EVENTS_MAX, WIRE_TICK_MS);

	if (n == 0)
		return give_up(d);
	for (int i = 0; i < n; i++) {
		struct stream *s = events[i].data.ptr;

		if (receive_some(d, s) < 0 || refill(d, s) < 0)
			return -1;
	}
	return 0;
}

static int run_freely(struct datagrams *d, struct load_meter *meter)
{
	const uint64_t total = d->run->size->datagrams;

	d->sent = d->back = d->lost = 0;
	load_meter_start(meter, d->run);
	for (size_t i = 0; i < d->size; i++) {
		while (d->streams[i].under_way < window(d) && d->sent < total) {
			if (refill(d, &d->streams[i]) < 0)
				return -1;
			if (window(d) / 2 < d->streams[i].under_way)
				break;
		}
	}
	while (d->back + d->lost < total) {
		if (wire_check_deadline() < 0 || handle_events(d) < 0)
			return -1;
	}
	load_meter_stop(meter, d->run);
	return 0;
}

static double per_million_lost(const struct datagrams *d)
{
	return d->sent > d->back ? (double)(d->sent - d->back) * 1e6 / (double)d->sent : 0;
}

int datagrams_run(const struct load_run *run, double *values)
{
	struct datagrams d;
	struct load_meter meter;
	int rc = -1;

	if (open_all(&d, run) == 0)
		rc = run_freely(&d, &meter);
	if (rc == 0 && d.back == 0)
		rc = fail(ENODATA);
	close_all(&d);
	if (rc < 0)
		return -1;
	values[0] = (double)d.back / meter.wall_s;
	values[1] = meter.cpu_s * 1e6 / (double)d.back;
	values[2] = per_million_lost(&d);
	return 0;
}

/* ---- at a given rate ---- */

/* Sends what is due by now and takes what is back. */
static int step_paced(struct datagrams *d, double due)
{
	struct stream *s = &d->streams[0];
	struct epoll_event event;
	double missing = due - (double)d->sent;

	while (missing >= 1) {
		if (send_some(d, s, missing < BATCH ? (size_t)missing : BATCH) < 0)
			return -1;
		missing -= BATCH;
	}
	while (epoll_wait(d->epoll, &event, 1, 0) > 0) {
		if (receive_some(d, s) < 0)
			return -1;
	}
	return epoll_wait(d->epoll, &event, 1, 1) < 0 ? -1 : 0;
}

/* `total` datagrams, so many a second; ends when all are back, or none came for a second. */
static int run_paced(struct datagrams *d, uint64_t total, double rate, struct load_meter *meter)
{
	const uint64_t begun = clock_now_ns();
	uint64_t last_back = 0, quiet_since = begun;

	d->sent = d->back = 0;
	load_meter_start(meter, d->run);
	while (d->back < total && clock_now_ns() - quiet_since < CLOCK_NS_PER_S) {
		double due = (double)(clock_now_ns() - begun) * rate / (double)CLOCK_NS_PER_S;

		if (wire_check_deadline() < 0 ||
			step_paced(d, due < (double)total ? due : (double)total) < 0)
			return -1;
		if (d->back != last_back || d->sent < total)
			quiet_since = clock_now_ns();
		last_back = d->back;
	}
	load_meter_stop(meter, d->run);
	return 0;
}

int datagrams_run_half(const struct load_run *run, double *values)
{
	struct datagrams d;
	struct load_meter meter = {.wall_s = 0};
	int rc = -1;

	if (open_all(&d, run) == 0)
		rc = run_freely(&d, &meter);
	if (rc == 0)
		rc = run_paced(&d, run->size->datagrams, (double)d.back / meter.wall_s / 2, &meter);
	close_all(&d);
	if (rc < 0)
		return -1;
	values[0] = per_million_lost(&d);
	values[1] = meter.cpu_s * 1e6 / (double)d.back;
	return 0;
}

/* ---- at a rate that is held ---- */

#define RATE_S 5

int datagrams_run_rate(const struct load_run *run, double *values)
{
	const double granted = run->scenario->rate / (double)run->scenario->payload;
	struct datagrams d;
	struct load_meter meter;
	int rc = -1;

	if (open_all(&d, run) == 0)
		rc = run_paced(&d, (uint64_t)(2 * granted * RATE_S), 2 * granted, &meter);
	close_all(&d);
	if (rc < 0)
		return -1;
	/* What was sent in that time; the second of silence behind it is none of it. */
	values[0] = (double)d.back / (granted * RATE_S) * 100;
	values[1] = meter.cpu_s * 1e6 / (double)d.back;
	return 0;
}
