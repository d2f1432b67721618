/*
 * At the doors a ban is over with its time, whether anybody has noticed or not. The job is there to
 * say so in the log, to have nobody looked for once no ban is left, and to forget. It sleeps until
 * the next end; a ban that begins may end before that, and calls it.
 */
#include "server/ban_sweep.h"

#include "proxy/ban_log.h"

static int64_t run_ban_sweep(void *context, int64_t now)
{
	struct ban_sweep *sweep = context;
	struct bans_time time = {.ms = now, .wall = bans_now().wall};
	struct ban_info ended;

	while (bans_take_ended(sweep->bans, time, &ended))
		ban_log_ended(&ended, false);
	return bans_next_end(sweep->bans);
}

static void wake_ban_sweep(void *context)
{
	struct ban_sweep *sweep = context;

	janitor_call(sweep->janitor, &sweep->job);
}

void ban_sweep_init(struct ban_sweep *sweep, struct bans *bans, struct janitor *janitor)
{
	*sweep = (struct ban_sweep){.bans = bans,
		.janitor = janitor,
		.job = {.name = "bans", .run = run_ban_sweep, .context = sweep}};
	bans_set_alarm(bans, wake_ban_sweep, sweep);
}
