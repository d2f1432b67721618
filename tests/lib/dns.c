#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net.h"

#define MAX_RECORDS 32
#define MAX_HELD 16
#define TYPE_A 1
#define TYPE_AAAA 28
#define HEADER 12
#define FLAG_TRUNCATED 0x0200
#define FLAGS_USUAL 0x8180 /* an answer of a server that asks others */
#define FLAGS_OF_QUESTION 0x0100
#define FLAGS_LAME 0x8100

struct held {
	uint8_t bytes[512];
	size_t len;
	struct sockaddr_in to;
};

struct dns {
	pthread_t thread;
	int udp, tcp, event;
	char server[32];
	const struct dns_record *records;

	pthread_mutex_t lock;
	pthread_cond_t asked;
	unsigned questions[MAX_RECORDS], all_questions;
	unsigned short of_port[65536]; /* questions from each source port */
	bool silent, released;
	struct held held[MAX_HELD];
	size_t held_count;
};

struct question {
	char name[256];
	uint16_t type;
	size_t end; /* of the question in the message */
};

static uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void write16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static bool parse_question(const uint8_t *m, size_t len, struct question *q)
{
	size_t at = HEADER, out = 0;

	while (at < len && m[at] != 0) {
		size_t label = m[at];

		if (at + 1 + label >= len || out + label + 2 > sizeof(q->name))
			return false;
		if (out > 0)
			q->name[out++] = '.';
		memcpy(q->name + out, m + at + 1, label);
		out += label;
		at += 1 + label;
	}
	q->name[out] = '\0';
	if (at + 5 > len)
		return false;
	q->type = read16(m + at + 1);
	q->end = at + 5;
	return true;
}

static bool matches(const char *pattern, const char *name)
{
	size_t len = strlen(name), end;

	if (pattern[0] != '*')
		return strcasecmp(pattern, name) == 0;
	end = strlen(pattern + 1);
	return len > end && strcasecmp(name + len - end, pattern + 1) == 0;
}

static int find_record(const struct dns *d, const char *name)
{
	for (int i = 0; d->records[i].name != NULL; i++) {
		if (strcmp(d->records[i].name, name) == 0 || matches(d->records[i].name, name))
			return i;
	}
	return -1;
}

static size_t put_answers(uint8_t *m, size_t at, const struct dns_record *r, uint16_t type)
{
	const char *addrs = r->addrs;
	char copy[512], *rest = NULL;
	unsigned count = 0;

	snprintf(copy, sizeof(copy), "%s", addrs != NULL ? addrs : "");
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		int family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;
		unsigned size = family == AF_INET6 ? 16 : 4;

		if ((family == AF_INET6) != (type == TYPE_AAAA))
			continue;
		write16(m + at, 0xc00c); /* the question's name */
		write16(m + at + 2, type);
		write16(m + at + 4, 1);
		write16(m + at + 6, r->ttl >> 16);
		write16(m + at + 8, r->ttl & 0xffff);
		write16(m + at + 10, size);
		inet_pton(family, word, m + at + 12);
		at += 12 + size;
		count++;
	}
	write16(m + 6, count);
	return at;
}

/* RCODE (RFC 1035 section 4.1.1). */
static unsigned code_of(const struct dns_record *r)
{
	static const unsigned codes[] = {[DNS_FORMERR] = 1,
		[DNS_SERVFAIL] = 2,
		[DNS_NXDOMAIN] = 3,
		[DNS_NOTIMP] = 4,
		[DNS_REFUSED] = 5};

	if (r == NULL)
		return codes[DNS_NXDOMAIN];
	return r->behaviour < sizeof(codes) / sizeof(codes[0]) ? codes[r->behaviour] : 0;
}

/* The reply to the question in `m`, in its place; its length. */
static size_t make_reply(
	uint8_t *m, const struct question *q, const struct dns_record *r, bool over_udp)
{
	enum dns_behaviour how = r == NULL ? DNS_NXDOMAIN : r->behaviour;
	unsigned flags = FLAGS_USUAL, code = code_of(r);
	size_t len = q->end;

	memset(m + 6, 0, 6);
	if ((how == DNS_TRUNCATED && over_udp) || how == DNS_TRUNCATED_TWICE)
		flags |= FLAG_TRUNCATED;
	else if (how == DNS_ECHO || how == DNS_LAME)
		flags = how == DNS_ECHO ? FLAGS_OF_QUESTION : FLAGS_LAME;
	else if (code == 0)
		len = put_answers(m, len, r, q->type);
	write16(m + 2, flags | code);
	return len;
}

static void send_garbage(struct dns *d, const uint8_t *m, size_t len, const struct sockaddr_in *to)
{
	uint8_t copy[512];

	memcpy(copy, m, len);
	copy[0] ^= 0x55; /* another id */
	sendto(d->udp, copy, len, 0, (const struct sockaddr *)to, sizeof(*to));
	memset(copy, 0xff, sizeof(copy));
	sendto(d->udp, copy, 40, 0, (const struct sockaddr *)to, sizeof(*to));
	sendto(d->udp, copy, 3, 0, (const struct sockaddr *)to, sizeof(*to));
}

static bool keeps_silent(const struct dns_record *r, uint16_t type)
{
	return r != NULL &&
		(r->behaviour == DNS_SILENT ||
			(r->behaviour == DNS_SILENT_AAAA && type == TYPE_AAAA));
}

/* Notes the question; the record that answers it, or NULL. */
static const struct dns_record *take_question(
	struct dns *d, const struct question *q, uint16_t port, bool *silent)
{
	int i = find_record(d, q->name);

	pthread_mutex_lock(&d->lock);
	*silent = d->silent;
	d->all_questions++;
	d->of_port[port]++;
	if (i >= 0)
		d->questions[i]++;
	pthread_cond_broadcast(&d->asked);
	pthread_mutex_unlock(&d->lock);
	return i < 0 ? NULL : &d->records[i];
}

static bool hold_back(struct dns *d, const struct dns_record *r, const struct question *q,
	const uint8_t *m, size_t len, const struct sockaddr_in *to)
{
	struct held *h;
	bool held;

	if (r == NULL || r->behaviour != DNS_LATE_A || q->type != TYPE_A)
		return false;
	pthread_mutex_lock(&d->lock);
	held = !d->released && d->held_count < MAX_HELD;
	if (held) {
		h = &d->held[d->held_count++];
		memcpy(h->bytes, m, len);
		h->len = len;
		h->to = *to;
	}
	pthread_mutex_unlock(&d->lock);
	return held;
}

static void serve_udp(struct dns *d)
{
	uint8_t m[1024];
	struct sockaddr_in from = {.sin_port = 0};
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(d->udp, m, 512, 0, (struct sockaddr *)&from, &from_len);
	const struct dns_record *r;
	struct question q;
	size_t len;
	bool silent;

	if (n < HEADER || !parse_question(m, (size_t)n, &q))
		return;
	r = take_question(d, &q, ntohs(from.sin_port), &silent);
	if (silent || keeps_silent(r, q.type))
		return;
	len = make_reply(m, &q, r, true);
	if (hold_back(d, r, &q, m, len, &from))
		return;
	if (r != NULL && r->behaviour == DNS_GARBAGE)
		send_garbage(d, m, len, &from);
	sendto(d->udp, m, len, 0, (struct sockaddr *)&from, from_len);
}

static void serve_tcp(struct dns *d)
{
	int fd = accept(d->tcp, NULL, NULL);
	struct timeval tv = {.tv_sec = NET_PATIENCE_S};
	uint8_t m[2 + 1024];
	struct question q;
	size_t len;
	bool silent;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	while (recv(fd, m, 2, MSG_WAITALL) == 2) {
		len = read16(m);
		if (len > 512 || recv(fd, m + 2, len, MSG_WAITALL) != (ssize_t)len ||
			!parse_question(m + 2, len, &q))
			break;
		len = make_reply(m + 2, &q, take_question(d, &q, 0, &silent), false);
		write16(m, (unsigned)len);
		if (send(fd, m, 2 + len, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct dns *d = arg;
	struct pollfd fds[3] = {{.fd = d->event, .events = POLLIN},
		{.fd = d->udp, .events = POLLIN}, {.fd = d->tcp, .events = POLLIN}};

	while (poll(fds, 3, -1) > 0 && fds[0].revents == 0) {
		if (fds[1].revents != 0)
			serve_udp(d);
		if (fds[2].revents != 0)
			serve_tcp(d);
	}
	return NULL;
}

/* A port that is free for both, which the kernel does not promise of one that it chose for TCP. */
static uint16_t open_sockets(struct dns *d)
{
	struct addr a;
	uint16_t port;

	for (int tries = 0; tries < 100; tries++) {
		d->tcp = net_listen("127.0.0.1", &port);
		d->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		a = net_addr("127.0.0.1", port);
		if (bind(d->udp, &a.sa, addr_len(&a)) == 0)
			return port;
		close(d->tcp);
		close(d->udp);
	}
	fail_msg("there is no port for a name server");
	return 0;
}

struct dns *dns_start(const struct dns_record *records)
{
	struct dns *d = calloc(1, sizeof(*d));
	uint16_t port;

	assert_non_null(d);
	port = open_sockets(d);
	d->event = eventfd(0, EFD_CLOEXEC);
	d->records = records;
	snprintf(d->server, sizeof(d->server), "127.0.0.1:%u", port);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->asked, NULL);
	assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
	return d;
}

void dns_stop(struct dns *d)
{
	uint64_t one = 1;

	assert_int_equal(write(d->event, &one, sizeof(one)), sizeof(one));
	pthread_join(d->thread, NULL);
	close(d->udp);
	close(d->tcp);
	close(d->event);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->asked);
	free(d);
}

const char *dns_server(const struct dns *d)
{
	return d->server;
}

unsigned dns_questions(struct dns *d, const char *name)
{
	int i = find_record(d, name);
	unsigned count;

	assert_true(i >= 0);
	pthread_mutex_lock(&d->lock);
	count = d->questions[i];
	pthread_mutex_unlock(&d->lock);
	return count;
}

unsigned dns_all_questions(struct dns *d)
{
	unsigned count;

	pthread_mutex_lock(&d->lock);
	count = d->all_questions;
	pthread_mutex_unlock(&d->lock);
	return count;
}

void dns_keep_silent(struct dns *d, bool silent)
{
	pthread_mutex_lock(&d->lock);
	d->silent = silent;
	pthread_mutex_unlock(&d->lock);
}

unsigned dns_ports(struct dns *d)
{
	unsigned ports = 0;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 1; i < 65536; i++)
		ports += d->of_port[i] > 0;
	pthread_mutex_unlock(&d->lock);
	return ports;
}

unsigned dns_most_of_one_port(struct dns *d)
{
	unsigned most = 0;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 1; i < 65536; i++)
		most = d->of_port[i] > most ? d->of_port[i] : most;
	pthread_mutex_unlock(&d->lock);
	return most;
}

void dns_wait_questions(struct dns *d, const char *name, unsigned at_least)
{
	int i = find_record(d, name), status = 0;
	struct timespec until;
	bool enough;

	assert_true(i >= 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NET_PATIENCE_S;
	pthread_mutex_lock(&d->lock);
	while (d->questions[i] < at_least && status == 0)
		status = pthread_cond_timedwait(&d->asked, &d->lock, &until);
	enough = d->questions[i] >= at_least;
	pthread_mutex_unlock(&d->lock);
	assert_true(enough);
}

void dns_release(struct dns *d)
{
	pthread_mutex_lock(&d->lock);
	d->released = true;
	for (size_t i = 0; i < d->held_count; i++)
		sendto(d->udp, d->held[i].bytes, d->held[i].len, 0,
			(struct sockaddr *)&d->held[i].to, sizeof(d->held[i].to));
	d->held_count = 0;
	pthread_mutex_unlock(&d->lock);
}
