/*
 * DESIGN
 * What moves is read by one loop, since it is little, and only counted: that the bytes are right is
 * tested where they are many. The first second, in which buffers fill, is not measured. A download
 * is a job that is never done; closing ends it.
 */
#include "rates.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "load.h"
#include "wire.h"

#define STREAMS_MAX 16
#define WARM_S 1
#define MEASURED_S 5
#define TRIPS 100
#define PAUSE_S 0.02 /* between two echoes */

struct downloads {
	int fds[STREAMS_MAX];
	size_t size;
	uint64_t moved;
	double last, gap; /* of all of them together, in seconds */
};

/* ---- downloads that do not end ---- */

static int open_download(const struct load_run *run)
{
	const struct origin_job job = {.down = UINT64_MAX};
	int fd = load_open(run, origin_port(run->origin, ORIGIN_BULK));

	if (fd >= 0 && wire_write(fd, &job, sizeof(job)) < 0) {
		wire_reset(fd);
		return -1;
	}
	return fd;
}

static void close_downloads(struct downloads *d)
{
	int saved = errno;

	while (d->size > 0)
		wire_reset(d->fds[--d->size]);
	errno = saved;
}

static int open_downloads(struct downloads *d, const struct load_run *run, int count)
{
	*d = (struct downloads){.size = 0};
	for (int i = 0; i < count; i++) {
		d->fds[d->size] = open_download(run);
		if (d->fds[d->size] < 0) {
			close_downloads(d);
			return -1;
		}
		d->size++;
	}
	d->last = clock_seconds();
	return 0;
}

static int take(struct downloads *d, int fd)
{
	static char bytes[262144];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	double now = clock_seconds();

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		errno = n == 0 ? ECONNRESET : errno;
		return -1;
	}
	d->moved += (uint64_t)n;
	d->gap = now - d->last > d->gap ? now - d->last : d->gap;
	d->last = now;
	return 0;
}

/* Until `end`, or until something can be read from `other` (-1: there is none). */
static int move_until(struct downloads *d, double end, int other)
{
	struct pollfd fds[STREAMS_MAX + 1] = {[0] = {.fd = other, .events = POLLIN}};

	for (size_t i = 0; i < d->size; i++)
		fds[i + 1] = (struct pollfd){.fd = d->fds[i], .events = POLLIN};
	for (double now; (now = clock_seconds()) < end && fds[0].revents == 0;) {
		if (wire_check_deadline() < 0 ||
			poll(fds, d->size + 1, 1 + (int)((end - now) * 1000)) < 0)
			return -1;
		for (size_t i = 0; i < d->size; i++) {
			if (fds[i + 1].revents != 0 && take(d, d->fds[i]) < 0)
				return -1;
		}
	}
	return 0;
}

static int move_for(struct downloads *d, double seconds)
{
	return move_until(d, clock_seconds() + seconds, -1);
}

/* ---- what they cost ---- */

int rates_run(const struct load_run *run, double *values)
{
	struct downloads d;
	struct load_meter meter;
	int rc;

	if (open_downloads(&d, run, run->scenario->clients) < 0)
		return -1;
	rc = move_for(&d, WARM_S);
	d.moved = 0;
	load_meter_start(&meter, run);
	if (rc == 0)
		rc = move_for(&d, MEASURED_S);
	load_meter_stop(&meter, run);
	close_downloads(&d);
	values[RATES_CPU] = meter.cpu_s / ((double)d.moved / 1e9);
	values[RATES_HELD] = (double)d.moved / meter.wall_s / run->scenario->rate * 100;
	return rc;
}

/* ---- how they feel ---- */

static int find_gap(const struct load_run *run, double *gap_ms)
{
	struct downloads d;
	int rc;

	if (open_downloads(&d, run, 1) < 0)
		return -1;
	rc = move_for(&d, WARM_S);
	d.gap = 0;
	if (rc == 0)
		rc = move_for(&d, MEASURED_S);
	close_downloads(&d);
	*gap_ms = d.gap * 1000;
	return rc;
}

static int time_echoes(struct downloads *d, int fd, double times_ms[TRIPS])
{
	for (uint64_t i = 0; i < TRIPS; i++) {
		double begun = clock_seconds();

		if (wire_echo_send(fd, i) < 0 || move_until(d, begun + 10, fd) < 0 ||
			wire_echo_expect(fd, i) < 0)
			return -1;
		times_ms[i] = (clock_seconds() - begun) * 1000;
		if (move_for(d, PAUSE_S) < 0)
			return -1;
	}
	return 0;
}

static int find_trips(const struct load_run *run, double times_ms[TRIPS])
{
	struct downloads d;
	int fd, rc = -1;

	if (open_downloads(&d, run, run->scenario->clients) < 0)
		return -1;
	fd = load_open(run, origin_port(run->origin, ORIGIN_ECHO));
	if (fd >= 0 && move_for(&d, WARM_S) == 0)
		rc = time_echoes(&d, fd, times_ms);
	close_downloads(&d);
	if (fd >= 0)
		close(fd);
	return rc;
}

int rates_run_feel(const struct load_run *run, double *values)
{
	double times_ms[TRIPS];

	if (find_gap(run, &values[RATES_GAP]) < 0 || find_trips(run, times_ms) < 0)
		return -1;
	values[RATES_TRIP] = figures_median(times_ms, TRIPS);
	figures_sort(times_ms, TRIPS);
	values[RATES_TRIP_LONGEST] = times_ms[TRIPS - 1];
	return 0;
}
