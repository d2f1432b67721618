/*
 * The thread sleeps until somebody calls: for an errand, which has its turn at once, or because
 * something has changed, which is written with all else that changes in the same few seconds, as
 * one batch. So a server with nothing to do writes nothing, and a busy one a few times a minute.
 *
 * A batch that cannot be written, to a full disk say, is tried again, and grows meanwhile.
 */
#include "server/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/lock.h"
#include "base/log.h"
#include "server/history_tables.h"

/* Names that are followed, of users who were deleted since the start and have sessions yet. */
#define FORMER_MAX 256

#define PRUNE_PERIOD_MS (24 * 60 * 60 * 1000)
#define STEADY_MS (10 * 60 * 1000) /* since the clock was set, before anything is deleted by it */
#define STEP_MS (60 * 60 * 1000) /* that counts as setting it */

/* That are kept; 0: none. */
struct history_days {
	int accounts, sites;
};

struct keeper {
	struct services *services;
	struct database *database;
	struct errands *errands;
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */

	/* the thread's, once it runs */
	bool has_failed; /* the last batch */
	struct log_limit failed_limit;
	struct history_batch *batch; /* what is not written yet, and what could not be */
	struct history_end *ends; /* likewise */
	size_t former_count;
	struct history_former former[FORMER_MAX];
	int64_t prune_due; /* clock_ms() */
	int64_t lead; /* clock_lead() when it was looked at last */

	_Atomic(bool) is_called; /* and `due` is set */

	struct mutex lock; /* the rest */
	pthread_cond_t told;
	unsigned calls; /* for errands_run() */
	int64_t due; /* clock_ms(): of the next batch */
	bool stopping;
};

/* ---- what stands ---- */

static void load_fact(void *context, const char *kind_word, const char *key, const char *value)
{
	struct keeper *k = context;
	enum standing_kind kind;

	/* A kind that is none any more stays where it is. */
	if (standing_kind_parse(kind_word, &kind) &&
		standing_put(k->services->standing, kind, key, value) < 0)
		log_message(LOG_ERROR, "state_dir: out of memory, so %s %s is not in force",
			kind_word, key);
}

static int write_facts(struct keeper *k, const struct standing_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (database_put_fact(k->database, standing_kind_word(facts[i].kind), facts[i].key,
			    facts[i].value) < 0)
			return -1;
	}
	return 0;
}

/* ---- batches ---- */

static void say_put_aside(struct keeper *k)
{
	const char *aside = database_put_aside(k->database);

	if (aside != NULL)
		log_message(LOG_ERROR,
			"state_dir: the database was damaged, and is begun anew; the old one is %s",
			aside);
}

/* What stands is known here, and written again the next time; history is not. */
static void begin_anew(struct keeper *k)
{
	if (database_renew(k->database) == 0)
		standing_tell_all(k->services->standing);
	k->former_count = 0;
	say_put_aside(k);
}

static void note_failure(struct keeper *k)
{
	uint64_t held_back;

	k->has_failed = true;
	if (log_limit_pass(&k->failed_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR,
			"state_dir: nothing can be written, which is tried again: %s",
			database_error(k->database));
}

static void note_success(struct keeper *k)
{
	if (k->has_failed)
		log_message(LOG_INFO, "state_dir: it can be written again");
	k->has_failed = false;
}

/* All that there is to be written. */
struct load {
	struct standing_fact *facts;
	size_t fact_count;
	struct history_wanted wanted;
	int32_t day;
};

static bool is_anything(const struct keeper *k, const struct load *l)
{
	return l->fact_count > 0 || k->ends != NULL || history_batch_count(k->batch) > 0;
}

/* Behind those of before, of which the oldest make room. */
static int write_end(struct keeper *k, const struct history_end *end, int32_t day)
{
	if (k->former_count == FORMER_MAX)
		memmove(k->former, k->former + 1, --k->former_count * sizeof(*k->former));
	return history_tables_end_user(
		k->database, end->name, end->last, day, &k->former[k->former_count++]);
}

static int write_ends(struct keeper *k, int32_t day)
{
	for (const struct history_end *e = k->ends; e != NULL; e = e->next) {
		if (write_end(k, e, day) < 0)
			return -1;
	}
	return 0;
}

static int write_load(struct keeper *k, const struct load *l)
{
	struct database *d = k->database;
	size_t former_count = k->former_count;

	if (database_begin(d) == 0 && write_facts(k, l->facts, l->fact_count) == 0 &&
		write_ends(k, l->day) == 0 &&
		history_tables_add(d, k->batch, l->wanted, k->former, k->former_count) == 0 &&
		database_commit(d) == 0)
		return 0;
	database_roll_back(d);
	k->former_count = former_count;
	return -1;
}

static void free_ends(struct keeper *k)
{
	for (struct history_end *e = k->ends, *next; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	k->ends = NULL;
}

/* It is written. */
static void drop_load(struct keeper *k, const struct load *l)
{
	standing_told(k->services->standing, l->facts, l->fact_count);
	free_ends(k);
	history_batch_clear(k->batch);
}

static void add_news(struct keeper *k, const struct ledger_share *share, int32_t day)
{
	char client[NETWORK_TEXT_MAX];
	struct history_row row = {.is_user = share->is_user,
		.serial = share->serial,
		.day = day,
		.name = share->name,
		.site = "",
		.counts = share->counts};

	if (!share->is_user)
		row.name = network_format(&share->client, client);
	history_batch_add(k->batch, &row);
}

static void take_news(struct keeper *k, int32_t day)
{
	struct services *v = k->services;
	size_t count;
	struct ledger_share *shares = ledger_take_news(v->ledger, &count);

	history_take(v->history, day, k->batch, &k->ends);
	for (size_t i = 0; shares != NULL && i < count; i++)
		add_news(k, &shares[i], day);
	free(shares);
}

static struct history_days days_kept(const struct keeper *k)
{
	struct config *c = config_get(k->services->config);
	struct history_days days = {
		.accounts = (int)c->settings.history_days, .sites = (int)c->settings.sites_days};

	config_release(c);
	return days;
}

/* A second time where the first has shown that the file is damaged. */
static int write_or_renew(struct keeper *k, const struct load *l)
{
	int result = write_load(k, l);

	if (result < 0 && database_is_damaged(k->database)) {
		begin_anew(k);
		result = write_load(k, l);
	}
	return result;
}

/* Fills in all that has come since the last time. -1 without memory. */
static int gather(struct keeper *k, struct load *l)
{
	struct history_days days = days_kept(k);

	*l = (struct load){.day = day_of(time(NULL)),
		.wanted = {.accounts = days.accounts > 0, .sites = days.sites > 0}};
	take_news(k, l->day);
	l->facts = standing_changes(k->services->standing, &l->fact_count);
	return l->facts == NULL ? -1 : 0;
}

int keeper_write(struct keeper *k, char why[DATABASE_ERROR_MAX])
{
	struct load l;
	int result = 0;

	if (gather(k, &l) < 0) {
		snprintf(why, DATABASE_ERROR_MAX, "out of memory");
		return -1;
	}
	if (is_anything(k, &l)) {
		keeper_call(k); /* what runs goes on, and what failed is tried again */
		result = write_or_renew(k, &l);
	}
	if (result == 0) {
		note_success(k);
		drop_load(k, &l);
	} else {
		snprintf(why, DATABASE_ERROR_MAX, "%s", database_error(k->database));
		note_failure(k);
	}
	free(l.facts);
	return result;
}

struct database *keeper_database(struct keeper *k)
{
	return k->database;
}

/* ---- what is too old ---- */

/* By how much the clock of the day is ahead of the one that counts from the start: as long as
 * nobody sets it, always the same. */
static int64_t clock_lead(void)
{
	return (int64_t)time(NULL) * 1000 - clock_ms();
}

/* A clock that was just set, or is about to be, as on a host that comes up without one, is not to
 * cost the history: days are deleted only when it has been right for a while. */
static bool is_clock_steady(struct keeper *k)
{
	int64_t lead = clock_lead(), step = lead - k->lead;

	k->lead = lead;
	return step > -STEP_MS && step < STEP_MS;
}

static int32_t first_day(int32_t today, int days)
{
	return day_add(today, 1 - days);
}

static void prune(struct keeper *k)
{
	struct history_days days = days_kept(k);
	struct database *d = k->database;
	int32_t today = day_of(time(NULL));

	if (database_begin(d) == 0 &&
		history_tables_prune(
			d, first_day(today, days.accounts), first_day(today, days.sites)) == 0 &&
		database_commit(d) == 0)
		return;
	database_roll_back(d);
	note_failure(k);
}

static void prune_in_time(struct keeper *k)
{
	bool is_steady = is_clock_steady(k);

	if (is_steady)
		prune(k);
	k->prune_due = clock_deadline(is_steady ? PRUNE_PERIOD_MS : STEADY_MS);
}

/* ---- the thread ---- */

static void call_for_errand(void *context)
{
	struct keeper *k = context;

	mutex_lock(&k->lock);
	k->calls++;
	pthread_cond_signal(&k->told);
	mutex_unlock(&k->lock);
}

/* Who is not the first to call only looks whether somebody has. */
void keeper_call(struct keeper *k)
{
	if (k == NULL || atomic_load_explicit(&k->is_called, memory_order_relaxed) ||
		atomic_exchange(&k->is_called, true))
		return;
	mutex_lock(&k->lock);
	k->due = clock_deadline(KEEPER_PERIOD_MS);
	pthread_cond_signal(&k->told);
	mutex_unlock(&k->lock);
}

static void call_for_batch(void *context)
{
	keeper_call(context);
}

enum turn { TURN_NONE, TURN_ERRAND, TURN_BATCH, TURN_PRUNE, TURN_END };

/* Whoever calls from here on calls for the next batch. */
static void take_call_locked(struct keeper *k) REQUIRES(&k->lock)
{
	k->due = CLOCK_NEVER;
	atomic_store(&k->is_called, false);
}

static enum turn next_turn_locked(struct keeper *k) REQUIRES(&k->lock)
{
	int64_t now = clock_ms();

	if (k->stopping)
		return TURN_END;
	if (k->calls > 0) {
		k->calls--;
		return TURN_ERRAND;
	}
	if (now >= k->due) {
		take_call_locked(k);
		return TURN_BATCH;
	}
	return now >= k->prune_due ? TURN_PRUNE : TURN_NONE;
}

static enum turn await_turn(struct keeper *k)
{
	enum turn turn;

	mutex_lock(&k->lock);
	while ((turn = next_turn_locked(k)) == TURN_NONE) {
		struct timespec until = clock_timespec(clock_earlier(k->due, k->prune_due));

		(void)pthread_cond_clockwait(&k->told, &k->lock.mutex, CLOCK_MONOTONIC, &until);
	}
	mutex_unlock(&k->lock);
	return turn;
}

/* What fails is logged, and tried again. */
static void do_batch(struct keeper *k)
{
	char why[DATABASE_ERROR_MAX];

	(void)keeper_write(k, why);
}

static void *run_keeper(void *arg)
{
	struct keeper *k = arg;
	enum turn turn;

	while ((turn = await_turn(k)) != TURN_END) {
		if (turn == TURN_ERRAND)
			errands_run(k->errands);
		else if (turn == TURN_BATCH)
			do_batch(k);
		else
			prune_in_time(k);
	}
	do_batch(k);
	return NULL;
}

int keeper_start(struct keeper *k)
{
	struct services *v = k->services;
	int error;

	ledger_set_heir(v->ledger, history_inherit, v->history);
	error = pthread_create(&k->thread, NULL, run_keeper, k);

	k->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

void keeper_stop(struct keeper *k)
{
	if (k == NULL || !k->is_started)
		return;
	mutex_lock(&k->lock);
	k->stopping = true;
	pthread_cond_signal(&k->told);
	mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->is_started = false;
}

/* ---- opening ---- */

static int open_parts(struct keeper *k, const char *folder, char *error)
{
	k->errands = errands_new(call_for_errand, k);
	k->batch = history_batch_new();
	k->services->history = history_new(call_for_batch, k);
	if (k->errands == NULL || k->batch == NULL || k->services->history == NULL) {
		snprintf(error, DATABASE_ERROR_MAX, "out of memory");
		return -1;
	}
	k->database = database_open(folder, error);
	if (k->database == NULL)
		return -1;
	say_put_aside(k);
	if (database_each_fact(k->database, load_fact, k) == 0)
		return 0;
	snprintf(error, DATABASE_ERROR_MAX, "state_dir: \"%.512s\": %s", folder,
		database_error(k->database));
	return -1;
}

struct keeper *keeper_open(const char *folder, struct services *v, char error[DATABASE_ERROR_MAX])
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		snprintf(error, DATABASE_ERROR_MAX, "out of memory");
		return NULL;
	}
	mutex_init(&k->lock);
	pthread_cond_init(&k->told, NULL);
	k->services = v;
	k->due = CLOCK_NEVER;
	if (open_parts(k, folder, error) == 0) {
		standing_set_kept(v->standing, true);
		k->lead = clock_lead();
		k->prune_due = clock_deadline(STEADY_MS);
		return k;
	}
	keeper_close(k);
	return NULL;
}

struct errands *keeper_errands(struct keeper *k)
{
	return k->errands;
}

void keeper_close(struct keeper *k)
{
	if (k == NULL)
		return;
	if (k->services->ledger != NULL)
		ledger_set_heir(k->services->ledger, NULL, NULL);
	history_free(k->services->history);
	k->services->history = NULL;
	history_batch_free(k->batch);
	free_ends(k);
	database_close(k->database);
	errands_free(k->errands);
	mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->told);
	free(k);
}
