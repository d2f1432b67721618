/*
 * DESIGN
 * The peer has been started by then. One session shows that it serves.
 */
#include "start.h"

#include <errno.h>
#include <unistd.h>

#include "load.h"
#include "wire.h"

int start_run(const struct load_run *run, double *values)
{
	int fd = load_open(run, origin_port(run->origin, ORIGIN_ECHO));
	int rc;

	if (fd < 0)
		return -1;
	rc = wire_echo(fd, 0);
	close(fd);
	values[0] = peer_start_ms(run->peer);
	return rc;
}
