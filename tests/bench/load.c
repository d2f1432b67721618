/*
 * DESIGN
 * The table says which scenarios there are and what their rows mean; each kind of scenario is a
 * file of its own (bulk, sessions, web, onlookers, rates, start, trips, memory, grow, full).
 * Everything is set up before the meter starts, and the peer is fresh and at rest.
 */
#include "load.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "bulk.h"
#include "clock.h"
#include "datagrams.h"
#include "full.h"
#include "grow.h"
#include "memory.h"
#include "onlookers.h"
#include "rates.h"
#include "sessions.h"
#include "start.h"
#include "trips.h"
#include "web.h"
#include "wire.h"

/* Each ends with an entry without a name. */
static const struct load_metric bulk_metrics[] = {
	{"rate", "MB/s", true},
	{"cpu", "s/GB", false},
	{.name = NULL},
};

static const struct load_metric sessions_metrics[] = {
	{"rate", "sessions/s", true},
	{"cpu", "us/session", false},
	{.name = NULL},
};

static const struct load_metric steady_metrics[] = {
	{"rate", "sessions/s", true},
	{"cpu", "us/session", false},
	{"thread", "%", false},
	{.name = NULL},
};

static const struct load_metric trips_metrics[] = {
	{"rate", "trips/s", true},
	{"p50", "us", false},
	{"p99", "us", false},
	{"cpu", "us/trip", false},
	{.name = NULL},
};

static const struct load_metric memory_metrics[] = {
	{"at-rest", "kB", false},
	{"per-session", "kB", false},
	{.name = NULL},
};

static const struct load_metric datagrams_metrics[] = {
	{"rate", "echoes/s", true},
	{"cpu", "us/echo", false},
	{"lost", "per million", false},
	{.name = NULL},
};

static const struct load_metric half_metrics[] = {
	{"lost", "per million", false},
	{"cpu", "us/echo", false},
	{.name = NULL},
};

static const struct load_metric start_metrics[] = {
	{"start", "ms", false},
	{.name = NULL},
};

static const struct load_metric rates_metrics[] = {
	[RATES_CPU] = {"cpu", "s/GB", false},
	[RATES_HELD] = {"held", "%", true},
	{.name = NULL},
};

static const struct load_metric feel_metrics[] = {
	[RATES_GAP] = {"gap", "ms", false},
	[RATES_TRIP] = {"trip", "ms", false},
	[RATES_TRIP_LONGEST] = {"trip-longest", "ms", false},
	{.name = NULL},
};

static const struct load_metric datagrams_rate_metrics[] = {
	{"held", "%", true},
	{"cpu", "us/echo", false},
	{.name = NULL},
};

static const struct load_metric grow_metrics[] = {
	[GROW_BULK_CPU] = {"bulk-cpu", "s/GB", false},
	[GROW_TRIPS_CPU] = {"trips-cpu", "us/trip", false},
	[GROW_TURNS_CPU] = {"turns-cpu", "us/trip", false},
	[GROW_TURNS_P50] = {"turns-p50", "us", false},
	{.name = NULL},
};

static const struct load_metric full_metrics[] = {
	[FULL_START] = {"start", "ms", false},
	[FULL_SERVED] = {"served", "sessions", true},
	[FULL_ROUND] = {"round", "ms", false},
	[FULL_PER_SESSION] = {"per-session", "kB", false},
	{.name = NULL},
};

static const struct load_metric onlookers_metrics[] = {
	[ONLOOKERS_CPU] = {"cpu", "us/session", false},
	[ONLOOKERS_ADDED] = {"added", "%", false},
	[ONLOOKERS_FRONT] = {"front", "%", false},
	{.name = NULL},
};

/* One in a hundred of the open sessions is active, and the peer is set up alike for all sizes. */
#define GROW(sessions, active)                                                                     \
	.run = grow_run, .metrics = grow_metrics, .open = (sessions), .clients = (active),         \
	.capacity = 5100, .down = true, .large = true

/* A rate for each client, which is reached: in Ethernet's packets, as far as they matter. */
#define RATE(mbit)                                                                                 \
	.variant = "rate-" #mbit "Mbit", .rate = (mbit)*125e3, .needs_peer = true, .large = true
#define RATE_ON_ETHERNET(mbit) RATE(mbit), .ethernet = true

/* What a server does every few seconds is in it. Each of the addresses is an account. */
#define STEADY(settings)                                                                           \
	.run = sessions_run_steady, .metrics = steady_metrics, .clients = 8, .seconds = 12,        \
	.sources = 200, .variant = (settings), .needs_peer = true, .large = true

const struct load_scenario load_scenarios[] = {
	{"bulk-1-down", bulk_run, bulk_metrics, .clients = 1, .down = true},
	{"bulk-1-up", bulk_run, bulk_metrics, .clients = 1, .up = true},
	{"bulk-1-both", bulk_run, bulk_metrics, .clients = 1, .up = true, .down = true},
	{"bulk-8-down", bulk_run, bulk_metrics, .clients = 8, .down = true},
	{"bulk-8-up", bulk_run, bulk_metrics, .clients = 8, .up = true},
	{"bulk-8-both", bulk_run, bulk_metrics, .clients = 8, .up = true, .down = true},
	{"sessions-open", sessions_run, sessions_metrics, .clients = 8},
	{"sessions-login", sessions_run, sessions_metrics, .clients = 8, .login = true,
		.needs_peer = true},
	{"policy-open", sessions_run, sessions_metrics, .clients = 8, .variant = "policy",
		.needs_peer = true},
	{"policy-login", sessions_run, sessions_metrics, .clients = 8, .variant = "policy",
		.login = true, .needs_peer = true},
	{"limits-open", STEADY("limits")},
	{"shared-open", STEADY("shared")},
	{"limits-login", STEADY("limits"), .login = true},
	{"shared-login", STEADY("shared"), .login = true},
	{"users-login", STEADY("users"), .login = true},
	{"helper-login", STEADY("helper"), .login = true},
	{"socks4", sessions_run, sessions_metrics, .clients = 8, .door = LOAD_SOCKS4,
		.needs_peer = true},
	{"http-connect", sessions_run, sessions_metrics, .clients = 8, .door = LOAD_HTTP,
		.divisor = 4, .needs_peer = true},
	{"http-get", web_run, sessions_metrics, .clients = 8, .door = LOAD_HTTP, .divisor = 4},
	{"http-down", web_run_down, bulk_metrics, .clients = 1, .door = LOAD_HTTP, .down = true},
	{"unreached-1", bulk_run, bulk_metrics, .clients = 1, .down = true,
		.variant = "rate-800Gbit", .needs_peer = true},
	{"unreached-8", bulk_run, bulk_metrics, .clients = 8, .down = true,
		.variant = "rate-800Gbit", .needs_peer = true},
	{"unreached-udp", datagrams_run, datagrams_metrics, .clients = 1, .payload = 1200,
		.variant = "rate-800Gbit", .needs_peer = true},
	{"rate-16-1", rates_run, rates_metrics, .clients = 1, RATE_ON_ETHERNET(16)},
	{"rate-16-10", rates_run, rates_metrics, .clients = 10, RATE_ON_ETHERNET(16)},
	{"rate-100-1", rates_run, rates_metrics, .clients = 1, RATE_ON_ETHERNET(100)},
	{"rate-100-10", rates_run, rates_metrics, .clients = 10, RATE_ON_ETHERNET(100)},
	{"rate-2-feel", rates_run_feel, feel_metrics, .clients = 10, RATE_ON_ETHERNET(2)},
	{"rate-16-udp", datagrams_run_rate, datagrams_rate_metrics, .clients = 1, .payload = 1200,
		RATE(16)},
	{"start-unused", start_run, start_metrics, .variant = "names-unused", .needs_peer = true},
	{"start-names", start_run, start_metrics, .variant = "names", .needs_peer = true},
	{"trips-1", trips_run, trips_metrics, .clients = 1},
	{"trips-64", trips_run, trips_metrics, .clients = 64},
	{"udp-64", datagrams_run, datagrams_metrics, .clients = 1, .payload = 64},
	{"udp-1200", datagrams_run, datagrams_metrics, .clients = 1, .payload = 1200},
	{"udp-many", datagrams_run, datagrams_metrics, .clients = 1000, .payload = 64},
	{"udp-half", datagrams_run_half, half_metrics, .clients = 1, .payload = 1200},
	{"web", onlookers_run, onlookers_metrics, .clients = 8, .variant = "web", .login = true,
		.needs_peer = true, .large = true},
	{"memory", memory_run, memory_metrics, .needs_peer = true},
	{"grow-10", GROW(10, 1)},
	{"grow-100", GROW(100, 1)},
	{"grow-1000", GROW(1000, 10)},
	{"grow-5000", GROW(5000, 50)},
	{"alone-10", GROW(10, 10)},
	{"alone-50", GROW(50, 50)},
	{"full-9900", full_run, full_metrics, .open = 9900, .capacity = 9900, .large = true},
	{.name = NULL},
};

const struct load_comparison load_comparisons[] = {
	{"policy-open", "cpu", .to_scenario = "sessions-open", .most = 1.05},
	{"policy-login", "cpu", .to_scenario = "sessions-login", .most = 1.05},
	{"shared-open", "cpu", .to_scenario = "limits-open", .most = 1.03},
	{"shared-open", "thread", .most = 2},
	{"shared-login", "thread", .most = 2},
	{"shared-login", "cpu", .to_scenario = "limits-login", .most = 1.03},
	{"helper-login", "cpu", .to_scenario = "users-login", .most = 1.03},
	{"socks4", "cpu", .to_scenario = "sessions-open", .most = 1.05},
	{"http-connect", "cpu", .to_scenario = "sessions-open", .most = 1.05},
	{"http-connect", "cpu", .to_peer = "tinyproxy", .most = 0.9},
	{"http-get", "cpu", .to_peer = "tinyproxy", .most = 0.7},
	{"http-down", "cpu", .to_peer = "tinyproxy", .most = 0.2},
	{"http-down", "cpu", .to_scenario = "bulk-1-down"},
	{"unreached-1", "cpu", .to_scenario = "bulk-1-down"},
	{"unreached-8", "cpu", .to_scenario = "bulk-8-down"},
	{"unreached-udp", "cpu", .to_scenario = "udp-1200"},
	{"rate-16-1", "cpu", .most = 0.9},
	{"rate-16-10", "cpu", .most = 0},
	{"rate-100-1", "cpu", .most = 0.6},
	{"rate-100-10", "cpu", .most = 0},
	{"rate-2-feel", "gap", .most = 50},
	{"rate-2-feel", "trip-longest", .most = 50},
	{"web", "added", .most = 2},
	{"web", "front", .most = 2},
	{"start-names", "start", .to_scenario = "start-unused", .is_difference = true, .most = 800},
	{.scenario = NULL},
};

struct crew {
	const struct load_run *run;
	void *arg;
	int (*work)(const struct load_run *run, void *arg, int index);
	atomic_int first_error;
};

struct crew_member {
	struct crew *crew;
	int index;
	pthread_t thread;
};

size_t load_metric_count(const struct load_scenario *scenario)
{
	size_t n = 0;

	while (scenario->metrics[n].name != NULL)
		n++;
	return n;
}

const char *load_door_word(enum load_door door)
{
	static const char *const words[LOAD_DOORS] = {
		[LOAD_SOCKS5] = "socks5", [LOAD_SOCKS4] = "socks4", [LOAD_HTTP] = "http"};

	return words[door];
}

static int ask_peer(const struct load_run *run, int fd, uint16_t port)
{
	switch (run->scenario->door) {
	case LOAD_SOCKS4:
		return socks4_connect(fd, port);
	case LOAD_HTTP:
		return web_connect(fd, port);
	case LOAD_SOCKS5:
	case LOAD_DOORS:
		break;
	}
	return socks_connect(fd, port, run->login);
}

int load_open_from(const struct load_run *run, uint16_t port, unsigned source)
{
	int fd = wire_connect_from(run->peer != NULL ? peer_port(run->peer) : port, source);

	if (fd >= 0 && run->peer != NULL && ask_peer(run, fd, port) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int load_open(const struct load_run *run, uint16_t port)
{
	return load_open_from(run, port, 0);
}

uint64_t load_sessions(const struct load_run *run)
{
	const unsigned divisor = run->scenario->divisor;

	return divisor == 0 ? run->size->sessions : (run->size->sessions + divisor - 1) / divisor;
}

uint64_t load_share(uint64_t total, int parts, int index)
{
	uint64_t n = (uint64_t)parts;

	return total / n + ((uint64_t)index < total % n ? 1 : 0);
}

static void fail_crew(struct crew *crew, int error)
{
	int none = 0;

	atomic_compare_exchange_strong(&crew->first_error, &none, error);
	wire_set_deadline(0);
}

static void *run_member(void *arg)
{
	const struct crew_member *member = arg;
	struct crew *crew = member->crew;

	if (crew->work(crew->run, crew->arg, member->index) < 0)
		fail_crew(crew, errno);
	return NULL;
}

int load_in_parallel(const struct load_run *run, int threads, void *arg,
	int (*work)(const struct load_run *run, void *arg, int index))
{
	struct crew crew = {.run = run, .arg = arg, .work = work};
	struct crew_member members[LOAD_THREADS_MAX];
	int started = 0;

	for (int error = 0; error == 0 && started < threads;) {
		struct crew_member *member = &members[started];

		*member = (struct crew_member){.crew = &crew, .index = started};
		error = pthread_create(&member->thread, NULL, run_member, member);
		if (error == 0)
			started++;
		else
			fail_crew(&crew, error);
	}
	for (int i = 0; i < started; i++)
		pthread_join(members[i].thread, NULL);
	errno = atomic_load(&crew.first_error);
	return errno == 0 ? 0 : -1;
}

static double peer_cpu_or_nan(const struct load_run *run)
{
	return run->peer != NULL ? peer_cpu_s(run->peer) : NAN;
}

void load_meter_start(struct load_meter *meter, const struct load_run *run)
{
	meter->start_cpu_s = peer_cpu_or_nan(run);
	meter->start_ns = clock_now_ns();
}

void load_meter_stop(struct load_meter *meter, const struct load_run *run)
{
	meter->wall_s = (double)(clock_now_ns() - meter->start_ns) / (double)CLOCK_NS_PER_S;
	meter->cpu_s = peer_cpu_or_nan(run) - meter->start_cpu_s;
}
