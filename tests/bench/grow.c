/*
 * DESIGN
 * The idle sessions are opened first, each with one echo done, and must still be there at the end.
 * Between that the active ones do what bulk and trips do. How much they do in all is the same for
 * every number of them, so that costs per byte and per trip compare; a scenario with the same
 * active sessions and no idle ones tells what the number of the active alone does.
 *
 * With all active sessions at once, a trip mostly waits for other trips, and its time grows with
 * their number at any server. So the time, and the cost once more, come from trips in turn.
 */
#include "grow.h"

#include "bulk.h"
#include "fleet.h"
#include "load.h"
#include "trips.h"

static struct load_size reduced(const struct load_size *whole)
{
	struct load_size size = *whole;

	size.bulk_bytes = whole->bulk_bytes * 3 / 5;
	size.trips = whole->trips / 2;
	return size;
}

/* What one part left to do shall not be counted in the next. */
static void rest(const struct load_run *run)
{
	if (run->peer != NULL)
		peer_settle(run->peer);
}

static int run_active(const struct load_run *run, double *values)
{
	double bulk[BULK_VALUES];
	double trips[TRIPS_VALUES];
	double turns[TRIPS_VALUES];

	rest(run);
	if (bulk_run(run, bulk) < 0)
		return -1;
	rest(run);
	if (trips_run(run, trips) < 0)
		return -1;
	rest(run);
	if (trips_run_in_turn(run, turns) < 0)
		return -1;
	values[GROW_BULK_CPU] = bulk[BULK_CPU];
	values[GROW_TRIPS_CPU] = trips[TRIPS_CPU];
	values[GROW_TURNS_CPU] = turns[TRIPS_CPU];
	values[GROW_TURNS_P50] = turns[TRIPS_P50];
	return 0;
}

int grow_run(const struct load_run *run, double *values)
{
	const size_t n_idle = run->scenario->open - (size_t)run->scenario->clients;
	const struct load_size size = reduced(run->size);
	struct load_run part = *run;
	struct fleet idle;
	int rc;

	part.size = &size;
	if (fleet_open(&idle, run, n_idle) < 0)
		return -1;
	rc = run_active(&part, values);
	if (rc == 0)
		rc = fleet_check(&idle);
	fleet_close(&idle);
	return rc;
}
