/*
 * DESIGN
 * Every session has one message under way, all in one thread with epoll, so that 64 sessions do not
 * mean 64 threads fighting for the processors. A trip's time runs from before its send to after the
 * receive of its last byte. Which session makes how many trips is left to the peer: a slow one
 * shows in the percentiles. In turn, a single message is under way, and it passes from session to
 * session: however many they are, no trip waits for another, so their times compare.
 */
#include "trips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "awake.h"
#include "clock.h"
#include "fleet.h"
#include "load.h"
#include "wire.h"

#define EVENTS_MAX 64

struct traveller {
	int fd;
	uint64_t sent_ns;
	size_t got;
	uint8_t sent[WIRE_ECHO_SIZE];
	uint8_t back[WIRE_ECHO_SIZE];
};

struct trips {
	uint64_t total;
	uint64_t begun;
	uint64_t done;
	uint64_t *times_ns;
	struct traveller *travellers;
	size_t n_travellers;
	bool in_turn;
	int epoll;
};

static int begin_trip(struct trips *trips, struct traveller *traveller)
{
	if (trips->begun == trips->total)
		return 0;
	wire_echo_fill(traveller->sent, trips->begun++);
	traveller->got = 0;
	traveller->sent_ns = clock_now_ns();
	return wire_write(traveller->fd, traveller->sent, sizeof(traveller->sent));
}

static int end_trip(struct trips *trips, const struct traveller *traveller)
{
	trips->times_ns[trips->done++] = clock_now_ns() - traveller->sent_ns;
	if (memcmp(traveller->sent, traveller->back, sizeof(traveller->sent)) == 0)
		return 0;
	errno = EBADMSG;
	return -1;
}

static struct traveller *after(struct trips *trips, struct traveller *traveller)
{
	struct traveller *end = trips->travellers + trips->n_travellers;

	return traveller + 1 < end ? traveller + 1 : trips->travellers;
}

static int on_readable(struct trips *trips, struct traveller *traveller)
{
	ssize_t n = recv(traveller->fd, traveller->back + traveller->got,
		sizeof(traveller->back) - traveller->got, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == 0)
		errno = ECONNRESET;
	if (n <= 0)
		return -1;
	traveller->got += (size_t)n;
	if (traveller->got < sizeof(traveller->back))
		return 0;
	if (end_trip(trips, traveller) < 0)
		return -1;
	return begin_trip(trips, trips->in_turn ? after(trips, traveller) : traveller);
}

static int handle_events(struct trips *trips)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(trips->epoll, events, EVENTS_MAX, WIRE_TICK_MS);

	for (int i = 0; i < n; i++) {
		if (on_readable(trips, events[i].data.ptr) < 0)
			return -1;
	}
	return 0;
}

static int travel(struct trips *trips)
{
	const size_t at_once = trips->in_turn ? 1 : trips->n_travellers;

	for (size_t i = 0; i < at_once; i++) {
		if (begin_trip(trips, &trips->travellers[i]) < 0)
			return -1;
	}
	while (trips->done < trips->total) {
		if (wire_check_deadline() < 0 || handle_events(trips) < 0)
			return -1;
	}
	return 0;
}

static int watch(struct trips *trips, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->size; i++) {
		struct traveller *traveller = &trips->travellers[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = traveller};

		traveller->fd = fleet->fds[i];
		if (epoll_ctl(trips->epoll, EPOLL_CTL_ADD, traveller->fd, &event) < 0)
			return -1;
	}
	return 0;
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static double percentile_us(const struct trips *trips, unsigned percent)
{
	size_t place = (trips->done - 1) * percent / 100;

	return (double)trips->times_ns[place] / 1e3;
}

static int measure(const struct load_run *run, struct trips *trips, double *values)
{
	struct load_meter meter;

	load_meter_start(&meter, run);
	if (travel(trips) < 0)
		return -1;
	load_meter_stop(&meter, run);
	qsort(trips->times_ns, trips->done, sizeof(*trips->times_ns), compare_times);
	values[TRIPS_RATE] = (double)trips->total / meter.wall_s;
	values[TRIPS_P50] = percentile_us(trips, 50);
	values[TRIPS_P99] = percentile_us(trips, 99);
	values[TRIPS_CPU] = meter.cpu_s * 1e6 / (double)trips->total;
	return 0;
}

static int run_fleet(
	const struct load_run *run, const struct fleet *fleet, bool in_turn, double *values)
{
	struct trips trips = {
		.total = run->size->trips,
		.n_travellers = fleet->size,
		.in_turn = in_turn,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	int rc = -1;
	int saved;

	trips.times_ns = calloc(trips.total, sizeof(*trips.times_ns));
	trips.travellers = calloc(fleet->size, sizeof(*trips.travellers));
	if (trips.epoll >= 0 && trips.times_ns != NULL && trips.travellers != NULL &&
		watch(&trips, fleet) == 0)
		rc = measure(run, &trips, values);
	saved = errno;
	free(trips.travellers);
	free(trips.times_ns);
	if (trips.epoll >= 0)
		close(trips.epoll);
	errno = saved;
	return rc;
}

static int run_trips(const struct load_run *run, bool in_turn, double *values)
{
	struct fleet fleet;
	int rc;

	if (fleet_open(&fleet, run, (size_t)run->scenario->clients) < 0)
		return -1;
	rc = run_fleet(run, &fleet, in_turn, values);
	fleet_close(&fleet);
	return rc;
}

int trips_run(const struct load_run *run, double *values)
{
	return run_trips(run, false, values);
}

int trips_run_in_turn(const struct load_run *run, double *values)
{
	struct awake *awake = awake_start();
	int rc = -1;
	int saved;

	if (awake != NULL)
		rc = run_trips(run, true, values);
	saved = errno;
	awake_stop(awake);
	errno = saved;
	return rc;
}
