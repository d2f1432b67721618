/*
 * DESIGN
 * Streams are opened first and metered from the first byte to the last acknowledgement, so the rate
 * counts bytes that arrived, in either direction. Blocking threads with big buffers: one or two for
 * each stream here, as many at the origin.
 */
#include "bulk.h"

#include <errno.h>
#include <unistd.h>

#include "load.h"
#include "wire.h"

static uint64_t bytes_each_way(const struct load_run *run)
{
	const struct load_scenario *scenario = run->scenario;

	return run->size->bulk_bytes / (scenario->up && scenario->down ? 2 : 1);
}

static int expect_ack(int fd)
{
	uint8_t ack;

	if (wire_read(fd, &ack, sizeof(ack)) < 0)
		return -1;
	if (ack != ORIGIN_BULK_ACK) {
		errno = EBADMSG;
		return -1;
	}
	return 0;
}

static int do_job(const struct load_run *run, void *arg, int index)
{
	const struct load_scenario *scenario = run->scenario;
	const uint64_t bytes = load_share(bytes_each_way(run), scenario->clients, index);
	const struct origin_job job = {
		.up = scenario->up ? bytes : 0,
		.down = scenario->down ? bytes : 0,
	};
	const int *fds = arg;

	if (wire_write(fds[index], &job, sizeof(job)) < 0 ||
		wire_exchange(fds[index], job.up, job.down) < 0)
		return -1;
	return expect_ack(fds[index]);
}

static int measure(const struct load_run *run, int *fds, double *values)
{
	const double bytes = (double)run->size->bulk_bytes;
	struct load_meter meter;

	load_meter_start(&meter, run);
	if (load_in_parallel(run, run->scenario->clients, fds, do_job) < 0)
		return -1;
	load_meter_stop(&meter, run);
	values[BULK_RATE] = bytes / 1e6 / meter.wall_s;
	values[BULK_CPU] = meter.cpu_s / (bytes / 1e9);
	for (int i = 0; i < run->scenario->clients; i++) {
		if (wire_read_end(fds[i]) < 0)
			return -1;
	}
	return 0;
}

int bulk_run(const struct load_run *run, double *values)
{
	int fds[LOAD_THREADS_MAX];
	int opened = 0;
	int rc = -1;
	int saved;

	while (opened < run->scenario->clients) {
		fds[opened] = load_open(run, origin_port(run->origin, ORIGIN_BULK));
		if (fds[opened] < 0)
			break;
		opened++;
	}
	if (opened == run->scenario->clients)
		rc = measure(run, fds, values);
	saved = errno;
	while (opened > 0)
		close(fds[--opened]);
	errno = saved;
	return rc;
}
