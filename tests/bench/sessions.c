/*
 * DESIGN
 * A few client threads, each in a loop: connect, handshake, one echo, the end. The origin closes
 * first and the proxy passes it on, so that TIME_WAIT falls to the listening ports. Were it the
 * client, every session would block two ephemeral ports for a minute, and there are only some
 * 28,000 of them.
 */
#include "sessions.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "wire.h"

int sessions_visit(const struct load_run *run, uint64_t seq)
{
	const unsigned sources = run->scenario->sources;
	const unsigned source = sources == 0 ? 0 : (unsigned)(seq % sources);
	int fd = load_open_from(run, origin_port(run->origin, ORIGIN_VISIT), source);
	int rc = -1;
	int saved;

	if (fd < 0)
		return -1;
	if (wire_echo(fd, seq) == 0)
		rc = wire_read_end(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int visit_again_and_again(const struct load_run *run, void *arg, int index)
{
	const uint64_t visits = load_share(load_sessions(run), run->scenario->clients, index);

	(void)arg;
	for (uint64_t i = 0; i < visits; i++) {
		if (sessions_visit(run, ((uint64_t)index << 32) + i) < 0)
			return -1;
	}
	return 0;
}

int sessions_run(const struct load_run *run, double *values)
{
	const double sessions = (double)load_sessions(run);
	struct load_meter meter;

	load_meter_start(&meter, run);
	if (load_in_parallel(run, run->scenario->clients, NULL, visit_again_and_again) < 0)
		return -1;
	load_meter_stop(&meter, run);
	values[0] = sessions / meter.wall_s;
	values[1] = meter.cpu_s * 1e6 / sessions;
	return 0;
}

/* ---- for a time ---- */

#define SHARING_THREAD "shared"

struct steady {
	uint64_t end_ns;
	atomic_ulong sessions;
};

static int visit_for_a_time(const struct load_run *run, void *arg, int index)
{
	struct steady *steady = arg;
	uint64_t seq = (uint64_t)index << 32;

	for (; clock_now_ns() < steady->end_ns; atomic_fetch_add(&steady->sessions, 1)) {
		if (sessions_visit(run, seq++) < 0)
			return -1;
	}
	return 0;
}

int sessions_run_steady(const struct load_run *run, double *values)
{
	struct steady steady = {.sessions = 0};
	struct load_meter meter;
	double sessions, thread_s;

	if (sessions_visit(run, (uint64_t)run->scenario->clients << 32) < 0)
		return -1;
	thread_s = peer_threads_cpu_s(run->peer, SHARING_THREAD);
	load_meter_start(&meter, run);
	steady.end_ns =
		clock_now_ns() + (uint64_t)(run->scenario->seconds * (double)CLOCK_NS_PER_S);
	if (load_in_parallel(run, run->scenario->clients, &steady, visit_for_a_time) < 0)
		return -1;
	load_meter_stop(&meter, run);
	thread_s = peer_threads_cpu_s(run->peer, SHARING_THREAD) - thread_s;
	sessions = (double)atomic_load(&steady.sessions);
	values[0] = sessions / meter.wall_s;
	values[1] = meter.cpu_s * 1e6 / sessions;
	values[2] = 100 * thread_s / meter.cpu_s;
	return 0;
}
