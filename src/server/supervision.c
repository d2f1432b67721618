/*
 * What happens the main thread tells as it happens; that all is well, the janitor: it looks at the
 * workers every so often, and says nothing while one hangs, whereupon the manager ends the process
 * and starts another. How things stand is one line, put together in one place whoever says it, and
 * sent when it has become another one.
 */
#include "server/supervision.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/plural.h"
#include "proxy/places.h"
#include "state/cluster.h"

#define PERIOD_MS 10000 /* of the status, at least */
#define ROUNDS 3 /* in the time that the watchdog waits */

/* When sessions were ended after drain_timeout there is still something to be written. */
#define STOP_GRACE_MS 30000

/* ---- how things stand ---- */

static void put_counts(const struct supervision *s, FILE *out)
{
	const struct stats *stats = &s->services->stats;
	uint64_t current = stats_get(&stats->current), all = stats_get(&stats->sessions);
	int64_t ends_at = atomic_load(&s->ends_at), left = ends_at - clock_ms();

	if (ends_at == 0)
		fprintf(out, "%" PRIu64 " session%s, %" PRIu64 " since the start", current,
			plural(current), all);
	else
		fprintf(out, "stopping: %" PRIu64 " session%s may finish within %" PRId64 " s",
			current, plural(current), left > 0 ? (left + 999) / 1000 : 0);
}

static void put_sharing(const struct supervision *s, FILE *out)
{
	struct cluster_status c;

	if (s->services->cluster == NULL)
		return;
	cluster_look(s->services->cluster, clock_ms(), &c);
	if (c.is_up)
		fprintf(out, "; %zu node%s online", c.nodes, plural(c.nodes));
	else
		fprintf(out, "; apart from other nodes%s%.200s", c.problem[0] == '\0' ? "" : ": ",
			c.problem);
}

/* Cut to what fits. */
static void put_status_locked(const struct supervision *s, char out[SUPERVISION_STATUS_MAX])
	REQUIRES(&s->lock)
{
	size_t hanging = atomic_load(&s->hanging);
	FILE *stream = fmemopen(out, SUPERVISION_STATUS_MAX, "w");

	out[0] = '\0';
	if (stream == NULL)
		return;
	if (hanging > 0)
		fprintf(stream, "%zu worker%s; ", hanging, hanging == 1 ? " hangs" : "s hang");
	put_counts(s, stream);
	put_sharing(s, stream);
	if (s->refusal[0] != '\0')
		fprintf(stream, "; reload refused: %s", s->refusal);
	fclose(stream);
}

/* True with the status, when it is another one than was said last. */
static bool take_news(struct supervision *s, char out[SUPERVISION_STATUS_MAX])
{
	bool is_news;

	mutex_lock(&s->lock);
	put_status_locked(s, out);
	is_news = strcmp(out, s->said) != 0;
	strcpy(s->said, out);
	mutex_unlock(&s->lock);
	return is_news;
}

void supervision_tell_status(struct supervision *s)
{
	char status[SUPERVISION_STATUS_MAX];

	if (take_news(s, status))
		notify_try(s->notify, "STATUS=%s", status);
}

/* With how things stand, whether that is news or not. */
static void tell_state(struct supervision *s, const char *state)
{
	char status[SUPERVISION_STATUS_MAX];

	(void)take_news(s, status);
	notify_tell(s->notify, "%s\nSTATUS=%s", state, status);
}

/* ---- the watchdog ---- */

static void note_hanging(struct supervision *s, size_t hanging)
{
	if (hanging > 0 && atomic_load(&s->hanging) == 0)
		log_message(LOG_ERROR,
			"%zu worker%s beyond all deadlines: the watchdog of the service manager is "
			"not told that all is well",
			hanging, hanging == 1 ? " hangs" : "s hang");
	atomic_store(&s->hanging, hanging);
}

static void look_at_workers(struct supervision *s, int64_t now)
{
	struct config *c = config_get(s->services->config);
	size_t hanging = pulse_count_hanging(&s->pulse, &c->settings, now);

	config_release(c);
	if (hanging == 0)
		notify_try(s->notify, "WATCHDOG=1");
	note_hanging(s, hanging);
}

static int64_t run_supervision(void *context, int64_t now)
{
	struct supervision *s = context;
	int64_t period = s->notify->watchdog_ms / ROUNDS;

	if (s->notify->watchdog_ms != 0)
		look_at_workers(s, now);
	supervision_tell_status(s);
	return now + (period == 0 || period > PERIOD_MS ? PERIOD_MS : period);
}

int supervision_init(struct supervision *s, const struct notify *notify, struct services *services)
{
	*s = (struct supervision){.notify = notify,
		.services = services,
		.job = {.name = "supervision", .run = run_supervision, .context = s}};
	mutex_init(&s->lock);
	return notify->watchdog_ms == 0
		? 0
		: pulse_init(&s->pulse, services->registry, notify->watchdog_ms);
}

void supervision_destroy(struct supervision *s)
{
	pulse_destroy(&s->pulse);
	if (s->notify != NULL)
		mutex_destroy(&s->lock);
}

/* ---- what happens ---- */

void supervision_ready(struct supervision *s)
{
	tell_state(s, "READY=1");
}

void supervision_reloads(struct supervision *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_tell(s->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void supervision_has_reloaded(struct supervision *s, const char *refusal)
{
	mutex_lock(&s->lock);
	if (refusal == NULL)
		s->refusal[0] = '\0';
	else
		escape_line(refusal, strlen(refusal), s->refusal, sizeof(s->refusal) - 448);
	mutex_unlock(&s->lock);
	tell_state(s, "READY=1");
}

void supervision_stops(struct supervision *s, int64_t ends_at)
{
	int64_t left = ends_at - clock_ms();
	char state[96];

	atomic_store(&s->ends_at, ends_at);
	snprintf(state, sizeof(state), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64,
		((left > 0 ? left : 0) + STOP_GRACE_MS) * 1000);
	tell_state(s, state);
}
