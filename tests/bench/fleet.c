/*
 * DESIGN
 * A few threads open the sessions, as many for every peer, because one alone would take half a
 * minute for 9,900 of them; nothing is measured while it happens.
 */
#include "fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "wire.h"

#define OPENERS 8

static int open_one(int *slot, const struct load_run *run, uint64_t seq)
{
	int fd = load_open(run, origin_port(run->origin, ORIGIN_ECHO));

	if (fd < 0)
		return -1;
	if (wire_echo(fd, seq) < 0) {
		int saved = errno;

		wire_reset(fd);
		errno = saved;
		return -1;
	}
	*slot = fd;
	return 0;
}

/* Every OPENERS-th slot. */
static int open_share(const struct load_run *run, void *arg, int index)
{
	struct fleet *fleet = arg;

	for (size_t i = (size_t)index; i < fleet->size; i += OPENERS) {
		if (open_one(&fleet->fds[i], run, i) < 0)
			return -1;
	}
	return 0;
}

static void close_gaps(struct fleet *fleet)
{
	size_t n = 0;

	for (size_t i = 0; i < fleet->size; i++) {
		if (fleet->fds[i] >= 0)
			fleet->fds[n++] = fleet->fds[i];
	}
	fleet->size = n;
}

/* -1 with errno when one is missing; the others are open all the same. */
static int open_all(struct fleet *fleet, const struct load_run *run, size_t size)
{
	int rc;

	*fleet = (struct fleet){.fds = malloc((size + 1) * sizeof(int)), .size = size};
	if (fleet->fds == NULL) {
		fleet->size = 0;
		return -1;
	}
	memset(fleet->fds, -1, size * sizeof(int));
	rc = load_in_parallel(run, OPENERS, fleet, open_share);
	close_gaps(fleet);
	return rc;
}

int fleet_open(struct fleet *fleet, const struct load_run *run, size_t size)
{
	if (open_all(fleet, run, size) == 0)
		return 0;
	fleet_close(fleet);
	return -1;
}

int fleet_open_most(struct fleet *fleet, const struct load_run *run, size_t size)
{
	if (open_all(fleet, run, size) == 0 || fleet->size > 0)
		return 0;
	fleet_close(fleet);
	return -1;
}

size_t fleet_echo(const struct fleet *fleet)
{
	size_t came_back = 0;
	int error = 0;

	for (size_t i = 0; i < fleet->size; i++)
		(void)wire_echo_send(fleet->fds[i], i);
	for (size_t i = 0; i < fleet->size; i++) {
		if (wire_echo_expect(fleet->fds[i], i) == 0)
			came_back++;
		else
			error = errno;
	}
	errno = error;
	return came_back;
}

int fleet_check(const struct fleet *fleet)
{
	return fleet_echo(fleet) == fleet->size ? 0 : -1;
}

void fleet_close(struct fleet *fleet)
{
	int saved = errno;

	while (fleet->size > 0)
		wire_reset(fleet->fds[--fleet->size]);
	free(fleet->fds);
	fleet->fds = NULL;
	errno = saved;
}
