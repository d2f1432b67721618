/*
 * DESIGN
 * What can be opened within a time stays open, so that a peer which carries fewer sessions shows
 * how many instead of nothing. Then each of them sends, before any echo is read: all are served at
 * the same time.
 */
#include "full.h"

#include <math.h>

#include "clock.h"
#include "fleet.h"
#include "load.h"
#include "wire.h"

#define OPEN_TIMEOUT_S 30
#define ROUND_TIMEOUT_S 30

static double memory_kb_or_nan(const struct load_run *run)
{
	if (run->peer == NULL)
		return NAN;
	peer_settle(run->peer);
	return peer_memory_kb(run->peer);
}

static void echo_in_all(const struct fleet *fleet, double *values)
{
	const uint64_t begin_ns = clock_now_ns();

	values[FULL_SERVED] = (double)fleet_echo(fleet);
	values[FULL_ROUND] = (double)(clock_now_ns() - begin_ns) / (double)CLOCK_NS_PER_MS;
}

int full_run(const struct load_run *run, double *values)
{
	const double at_rest = memory_kb_or_nan(run);
	struct fleet fleet;

	wire_set_deadline(OPEN_TIMEOUT_S);
	if (fleet_open_most(&fleet, run, run->scenario->open) < 0)
		return -1;
	values[FULL_START] = run->peer != NULL ? peer_start_ms(run->peer) : NAN;
	values[FULL_PER_SESSION] = (memory_kb_or_nan(run) - at_rest) / (double)fleet.size;
	wire_set_deadline(ROUND_TIMEOUT_S);
	echo_in_all(&fleet, values);
	fleet_close(&fleet);
	return 0;
}
