/*
 * DESIGN
 * One after the other: the order is the same for every peer, and none is measured while it happens.
 */
#include "fleet.h"

#include <errno.h>
#include <stdlib.h>

#include "load.h"
#include "wire.h"

static int open_one(struct fleet *fleet, const struct load_run *run)
{
	int fd = load_open(run, origin_port(run->origin, ORIGIN_ECHO));

	if (fd < 0)
		return -1;
	fleet->fds[fleet->size++] = fd;
	return wire_echo(fd, fleet->size);
}

int fleet_open(struct fleet *fleet, const struct load_run *run, size_t size)
{
	*fleet = (struct fleet){.fds = calloc(size, sizeof(int))};
	if (fleet->fds == NULL)
		return -1;
	while (fleet->size < size) {
		if (open_one(fleet, run) < 0) {
			fleet_close(fleet);
			return -1;
		}
	}
	return 0;
}

int fleet_check(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->size; i++) {
		if (wire_echo(fleet->fds[i], i) < 0)
			return -1;
	}
	return 0;
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
