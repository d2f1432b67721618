/*
 * DESIGN
 * Five browsers with the page Now in front, and a Prometheus that comes once a second. They ask
 * what the page's scripts ask, as often (src/web/pages/page_now.js). Turns of sessions with and
 * without them alternate at one server, so that what the machine does meanwhile hits both alike;
 * the median of the pairs' quotients is told. Beside that what the front's own thread takes, which
 * is exact where the difference of two large numbers is not.
 */
#include "onlookers.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "load.h"
#include "procs.h"
#include "sessions.h"
#include "web.h"
#include "wire.h"

#define BROWSERS 5
#define PAIRS 14
#define TURN_S 1.0
#define STEP_NS (20 * 1000000) /* in which they look whether it is their time */
#define FRONT_THREAD "web"

struct ask {
	const char *path;
	double period_s;
};

static const struct ask of_page[] = {{"/api/traffic?arg=300&arg=1", 1}, {"/api/stats", 2},
	{"/api/connections", 2}, {"/api/alarms", 5}, {NULL, 0}};
static const struct ask of_scrape[] = {{"/metrics", 1}, {NULL, 0}};

#define ASKS_MAX 8

struct onlookers {
	uint16_t port;
	char cookie[128];
	atomic_bool look, end;
	atomic_int error; /* the first; 0: none */
	atomic_ulong answers;
};

struct onlooker {
	struct onlookers *all;
	const struct ask *asks;
	double phase_s; /* they do not come all at once */
	pthread_t thread;
	bool is_started;
};

/* ---- those who look ---- */

static int ask_for(const struct onlookers *all, int fd, const char *path)
{
	char request[512], head[WEB_HEAD_MAX];

	snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept-Encoding: gzip\r\n"
		"Cookie: %s\r\n\r\n",
		path, all->port, all->cookie);
	if (web_ask(fd, request, head) < 0)
		return -1;
	if (strncmp(head + 8, " 200", 4) == 0)
		return 0;
	errno = EREMOTEIO;
	return -1;
}

static int ask_what_is_due(struct onlooker *one, int fd, double due[ASKS_MAX])
{
	for (size_t i = 0; one->asks[i].path != NULL; i++) {
		if (clock_seconds() < due[i])
			continue;
		due[i] += one->asks[i].period_s;
		if (!atomic_load(&one->all->look))
			continue;
		if (ask_for(one->all, fd, one->asks[i].path) < 0)
			return -1;
		atomic_fetch_add(&one->all->answers, 1);
	}
	return 0;
}

static void *look_on(void *arg)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	struct onlooker *one = arg;
	double due[ASKS_MAX], begin = clock_seconds() + one->phase_s;
	int fd = wire_connect(one->all->port), none = 0;

	for (size_t i = 0; i < ASKS_MAX; i++)
		due[i] = begin;
	while (fd >= 0 && !atomic_load(&one->all->end)) {
		nanosleep(&step, NULL);
		if (ask_what_is_due(one, fd, due) < 0)
			break;
	}
	if (fd < 0 || !atomic_load(&one->all->end))
		atomic_compare_exchange_strong(&one->all->error, &none, errno);
	if (fd >= 0)
		wire_reset(fd);
	return NULL;
}

/* ---- logging in ---- */

static int take_cookie(struct onlookers *all, const char *head)
{
	const char *at = strstr(head, "Set-Cookie: socks5d=");

	if (at == NULL) {
		errno = EREMOTEIO;
		return -1;
	}
	at += strlen("Set-Cookie: ");
	snprintf(all->cookie, sizeof(all->cookie), "%.*s", (int)strcspn(at, ";"), at);
	return 0;
}

static int log_in(struct onlookers *all, const struct socks_login *login)
{
	char form[128], request[512], head[WEB_HEAD_MAX];
	int len = snprintf(form, sizeof(form), "name=%s&password=%s", login->user, login->pass);
	int fd = wire_connect(all->port), rc = -1;

	if (fd < 0)
		return -1;
	snprintf(request, sizeof(request),
		"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
		"Content-Length: %d\r\n\r\n%s",
		len, form);
	if (web_ask(fd, request, head) == 0)
		rc = take_cookie(all, head);
	wire_reset(fd);
	return rc;
}

/* ---- turns ---- */

struct turn {
	double until;
	atomic_ulong sessions;
};

static int visit_until(const struct load_run *run, void *arg, int index)
{
	struct turn *turn = arg;

	for (uint64_t i = 0; clock_seconds() < turn->until; i++) {
		if (sessions_visit(run, ((uint64_t)index << 32) + i) < 0)
			return -1;
		atomic_fetch_add(&turn->sessions, 1);
	}
	return 0;
}

/* `*front`: of the CPU time, what the front's thread took. */
static int take_turn(
	struct onlookers *all, const struct load_run *run, bool look, double *cpu_us, double *front)
{
	struct turn turn = {.until = clock_seconds() + TURN_S};
	double front_s = peer_threads_cpu_s(run->peer, FRONT_THREAD);
	struct load_meter meter;

	atomic_store(&all->look, look);
	load_meter_start(&meter, run);
	if (load_in_parallel(run, run->scenario->clients, &turn, visit_until) < 0)
		return -1;
	load_meter_stop(&meter, run);
	front_s = peer_threads_cpu_s(run->peer, FRONT_THREAD) - front_s;
	*cpu_us = meter.cpu_s * 1e6 / (double)atomic_load(&turn.sessions);
	*front = 100 * front_s / meter.cpu_s;
	errno = atomic_load(&all->error);
	return errno == 0 ? 0 : -1;
}

/* With and without: who begins alternates, too. The very first turn warms the server up. */
static int take_turns(struct onlookers *all, const struct load_run *run, double *values)
{
	double cpu[PAIRS], added[PAIRS], front[PAIRS], without, ignored;

	if (take_turn(all, run, false, &without, &ignored) < 0)
		return -1;
	for (int i = 0; i < PAIRS; i++) {
		bool first = i % 2 != 0;

		if ((first && take_turn(all, run, true, &cpu[i], &front[i]) < 0) ||
			take_turn(all, run, false, &without, &ignored) < 0 ||
			(!first && take_turn(all, run, true, &cpu[i], &front[i]) < 0))
			return -1;
		added[i] = 100 * (cpu[i] / without - 1);
	}
	values[ONLOOKERS_CPU] = figures_median(cpu, PAIRS);
	values[ONLOOKERS_ADDED] = figures_median(added, PAIRS);
	values[ONLOOKERS_FRONT] = figures_median(front, PAIRS);
	return 0;
}

/* ---- the scenario ---- */

static int start_all(struct onlookers *all, struct onlooker ones[BROWSERS + 1])
{
	for (int i = 0; i <= BROWSERS; i++) {
		ones[i] = (struct onlooker){.all = all,
			.asks = i < BROWSERS ? of_page : of_scrape,
			.phase_s = i / (BROWSERS + 1.0)};
		errno = pthread_create(&ones[i].thread, NULL, look_on, &ones[i]);
		if (errno != 0)
			return -1;
		ones[i].is_started = true;
	}
	return 0;
}

static void end_all(struct onlookers *all, struct onlooker ones[BROWSERS + 1])
{
	int saved = errno;

	atomic_store(&all->end, true);
	for (int i = 0; i <= BROWSERS; i++) {
		if (ones[i].is_started)
			pthread_join(ones[i].thread, NULL);
	}
	errno = saved;
}

int onlookers_run(const struct load_run *run, double *values)
{
	struct onlooker ones[BROWSERS + 1] = {{.all = NULL}};
	struct onlookers all = {.port = peer_logged_port(run->peer, "web listening")};
	int rc = -1;

	if (log_in(&all, run->login) < 0)
		return -1;
	if (start_all(&all, ones) == 0)
		rc = take_turns(&all, run, values);
	end_all(&all, ones);
	return rc;
}
