/*
 * DESIGN
 * The table says which scenarios there are and what their rows mean; each kind of scenario is a
 * file of its own (bulk, sessions, trips, memory, grow, full) with one function. Everything is set
 * up before the meter starts, and the peer is fresh and at rest.
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
#include "sessions.h"
#include "trips.h"
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

/* One in a hundred of the open sessions is active, and the peer is set up alike for all sizes. */
#define GROW(sessions, active)                                                                     \
	.run = grow_run, .metrics = grow_metrics, .open = (sessions), .clients = (active),         \
	.capacity = 5100, .down = true, .large = true

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
	{"trips-1", trips_run, trips_metrics, .clients = 1},
	{"trips-64", trips_run, trips_metrics, .clients = 64},
	{"udp-64", datagrams_run, datagrams_metrics, .clients = 1, .payload = 64},
	{"udp-1200", datagrams_run, datagrams_metrics, .clients = 1, .payload = 1200},
	{"udp-many", datagrams_run, datagrams_metrics, .clients = 1000, .payload = 64},
	{"udp-half", datagrams_run_half, half_metrics, .clients = 1, .payload = 1200},
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

int load_open(const struct load_run *run, uint16_t port)
{
	int fd = wire_connect(run->peer != NULL ? peer_port(run->peer) : port);

	if (fd >= 0 && run->peer != NULL && socks_connect(fd, port, run->login) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
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
