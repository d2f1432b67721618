/*
 * bench_listing: does a long ACCESS_LOG disturb the sessions that are logged meanwhile?
 *
 * Fills the access log of a freshly started socks5d with 100,000 entries, which are sessions, and
 * then measures sessions in rounds that take turns: without a listing, and with one that begins
 * with the round and is read to its end. Usage: bench_listing [SCRIPT], the script that starts
 * socks5d (tests/bench/README.md).
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "origin.h"
#include "peer.h"
#include "socks.h"
#include "wire.h"

#define ENTRIES 100000
#define ROUNDS 15 /* of each kind */
#define CLIENTS 8
#define SESSIONS_A_CLIENT 1000 /* in a round */
#define TIMEOUT_S 120

static const struct socks_login login = {.user = "bench", .pass = "open-sesame"};
static const struct peer *peer;
static const struct origin *origin;

/* ---- sessions ---- */

struct client {
	size_t count;
	double *times_ms; /* NULL: not wanted */
	int error;
	pthread_t thread;
};

static int visit(uint64_t seq)
{
	int fd = wire_connect(peer_port(peer)), rc = -1;

	if (fd < 0)
		return -1;
	if (socks_connect(fd, origin_port(origin, ORIGIN_VISIT), &login) == 0 &&
		wire_echo(fd, seq) == 0)
		rc = wire_read_end(fd);
	close(fd);
	return rc;
}

static void *visit_again_and_again(void *arg)
{
	struct client *c = arg;

	for (size_t i = 0; i < c->count && c->error == 0; i++) {
		uint64_t begun = clock_now_ns();

		if (visit(i) < 0)
			c->error = errno;
		if (c->times_ms != NULL)
			c->times_ms[i] = (double)(clock_now_ns() - begun) / 1e6;
	}
	return NULL;
}

/* Opens `count` sessions by each client; -1 with errno. The 99th percentile of their times goes to
 * `*p99_ms` unless that is NULL; and how many there were in a second to `*rate`. */
static int run_sessions(size_t count, double *p99_ms, double *rate)
{
	double *times = p99_ms == NULL ? NULL : calloc(CLIENTS * count, sizeof(*times));
	struct client clients[CLIENTS];
	uint64_t begun = clock_now_ns();

	errno = 0;
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){
			.count = count, .times_ms = times == NULL ? NULL : times + i * count};
		pthread_create(&clients[i].thread, NULL, visit_again_and_again, &clients[i]);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		if (clients[i].error != 0)
			errno = clients[i].error;
	}
	*rate = (double)(CLIENTS * count) * 1e9 / (double)(clock_now_ns() - begun);
	if (times != NULL) {
		figures_sort(times, CLIENTS * count);
		*p99_ms = times[CLIENTS * count * 99 / 100];
		free(times);
	}
	return errno == 0 ? 0 : -1;
}

/* ---- the listing ---- */

struct listing {
	int fd;
	size_t lines;
	double ms;
	int error;
	pthread_t thread;
};

static int log_in(int fd)
{
	static const char prompt[] = "Please enter Username:password (in that format)\n";
	static const char welcome[] = "OK Welcome bench\n";
	char line[128];

	snprintf(line, sizeof(line), "%s:%s\n", login.user, login.pass);
	if (wire_read(fd, line + 64, strlen(prompt)) < 0 || wire_write(fd, line, strlen(line)) < 0)
		return -1;
	return wire_read(fd, line, strlen(welcome));
}

static size_t count_lines(const char *p, size_t len)
{
	size_t lines = 0;

	for (const char *end = p + len; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		lines++;
	return lines;
}

/* Asks, and reads up to the empty line that ends the reply. */
static void *list(void *arg)
{
	static char bytes[1 << 18];
	struct listing *l = arg;
	uint64_t begun = clock_now_ns();
	char end[2] = {0};
	ssize_t n = 1;

	l->lines = 0;
	l->error = wire_write(l->fd, "ACCESS_LOG\n", 11) < 0 ? errno : 0;
	while (l->error == 0 && memcmp(end, "\n\n", 2) != 0) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};

		if (poll(&p, 1, TIMEOUT_S * 1000) <= 0 ||
			(n = recv(l->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) <= 0) {
			l->error = n == 0 ? ECONNRESET : errno;
			break;
		}
		l->lines += count_lines(bytes, (size_t)n);
		end[0] = n > 1 ? bytes[n - 2] : end[1];
		end[1] = bytes[n - 1];
	}
	l->ms = (double)(clock_now_ns() - begun) / 1e6;
	return NULL;
}

/* ---- rounds ---- */

static int run_round(struct listing *l, double *p99_ms, double *rate)
{
	int rc;

	if (l != NULL)
		pthread_create(&l->thread, NULL, list, l);
	rc = run_sessions(SESSIONS_A_CLIENT, p99_ms, rate);
	if (l != NULL)
		pthread_join(l->thread, NULL);
	return l != NULL && l->error != 0 ? -1 : rc;
}

static int measure(struct listing *l)
{
	double quiet[ROUNDS], listed[ROUNDS], quiet_rate[ROUNDS], listed_rate[ROUNDS], ms[ROUNDS];
	double without, with;

	for (size_t i = 0; i < ROUNDS; i++) {
		if (run_round(NULL, &quiet[i], &quiet_rate[i]) < 0 ||
			run_round(l, &listed[i], &listed_rate[i]) < 0)
			return -1;
		ms[i] = l->ms;
	}
	without = figures_median(quiet, ROUNDS);
	with = figures_median(listed, ROUNDS);
	printf("listing of %zu lines, medians of %d rounds of %d sessions by %d clients:\n",
		l->lines, ROUNDS, CLIENTS * SESSIONS_A_CLIENT, CLIENTS);
	printf("  it took %.0f ms\n", figures_median(ms, ROUNDS));
	printf("  sessions/s   without %8.0f   with %8.0f   ratio %.2f\n",
		figures_median(quiet_rate, ROUNDS), figures_median(listed_rate, ROUNDS),
		figures_median(listed_rate, ROUNDS) / figures_median(quiet_rate, ROUNDS));
	printf("  p99 of them  without %5.2f ms   with %5.2f ms   ratio %.2f\n", without, with,
		with / without);
	return 0;
}

static int run(void)
{
	struct listing l;
	double rate;
	uint16_t port = peer_logged_port(peer, "monitor listening");

	wire_set_deadline(TIMEOUT_S);
	if (port == 0) {
		errno = EPROTO;
		return -1;
	}
	l.fd = wire_connect(port);
	if (l.fd < 0 || log_in(l.fd) < 0 || run_sessions(ENTRIES / CLIENTS, NULL, &rate) < 0)
		return -1;
	return measure(&l);
}

int main(int argc, char **argv)
{
	const char *script = argc > 1 ? argv[1] : "tests/bench/peers/socks5d.sh";
	const struct peer_setup setup = {
		.login = &login,
		.sessions = PEER_SESSIONS,
		.door = "socks5",
		.variant = "",
	};
	struct peer *started;
	struct origin *o = origin_start();
	char why[512] = "";
	int rc = -1;

	wire_init();
	if (o == NULL || peer_start(script, &setup, &started, why, sizeof(why)) != PEER_READY) {
		fprintf(stderr, "bench_listing: %s\n", why[0] != '\0' ? why : strerror(errno));
		return EXIT_FAILURE;
	}
	peer = started;
	origin = o;
	rc = run();
	if (rc < 0)
		fprintf(stderr, "bench_listing: %s\n", strerror(errno));
	peer_stop(started);
	origin_stop(o);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
