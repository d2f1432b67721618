/*
 * DESIGN
 * The peer's memory before the first session and with all of them open, after it has settled: what
 * remains is what idle sessions cost. One more echo in each tells that they were all there. Buffers
 * in the kernel are not in it.
 */
#include "memory.h"

#include "fleet.h"
#include "load.h"

int memory_run(const struct load_run *run, double *values)
{
	const size_t sessions = (size_t)run->size->memory_sessions;
	const double at_rest = peer_memory_kb(run->peer);
	struct fleet fleet;
	int rc;

	if (fleet_open(&fleet, run, sessions) < 0)
		return -1;
	peer_settle(run->peer);
	values[0] = at_rest;
	values[1] = (peer_memory_kb(run->peer) - at_rest) / (double)sessions;
	rc = fleet_check(&fleet);
	fleet_close(&fleet);
	return rc;
}
