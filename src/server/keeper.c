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

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

struct keeper {
	struct services *services;
	struct database *database;
	struct errands *errands;
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */

	/* the thread's, once it runs */
	bool has_failed; /* the last batch */
	struct log_limit failed_limit;

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

/* What stands is known here; history is not. */
static void begin_anew(struct keeper *k)
{
	if (database_renew(k->database) == 0)
		standing_tell_all(k->services->standing);
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

static int write_batch(struct keeper *k, const struct standing_fact *facts, size_t count)
{
	struct database *d = k->database;

	if (database_begin(d) == 0 && write_facts(k, facts, count) == 0 && database_commit(d) == 0)
		return 0;
	database_roll_back(d);
	return -1;
}

int keeper_write(struct keeper *k, char why[DATABASE_ERROR_MAX])
{
	struct standing *standing = k->services->standing;
	size_t count;
	struct standing_fact *facts = standing_changes(standing, &count);
	int result = 0;

	if (facts == NULL) {
		snprintf(why, DATABASE_ERROR_MAX, "out of memory");
		return -1;
	}
	if (count > 0)
		result = write_batch(k, facts, count);
	if (result == 0) {
		standing_told(standing, facts, count);
		note_success(k);
	} else {
		snprintf(why, DATABASE_ERROR_MAX, "%s", database_error(k->database));
		note_failure(k);
		if (database_is_damaged(k->database))
			begin_anew(k);
	}
	free(facts);
	return result;
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

static void set_due(struct keeper *k, int64_t due)
{
	mutex_lock(&k->lock);
	if (due < k->due) {
		k->due = due;
		pthread_cond_signal(&k->told);
	}
	mutex_unlock(&k->lock);
}

void keeper_call(struct keeper *k)
{
	if (k != NULL)
		set_due(k, clock_deadline(KEEPER_PERIOD_MS));
}

enum turn { TURN_ERRAND, TURN_BATCH, TURN_END };

static enum turn await_turn(struct keeper *k)
{
	enum turn turn = TURN_END;

	mutex_lock(&k->lock);
	while (k->calls == 0 && !k->stopping && clock_ms() < k->due) {
		struct timespec until = clock_timespec(k->due);

		(void)pthread_cond_clockwait(&k->told, &k->lock.mutex, CLOCK_MONOTONIC, &until);
	}
	if (!k->stopping) {
		turn = k->calls > 0 ? TURN_ERRAND : TURN_BATCH;
		if (k->calls > 0)
			k->calls--;
		else
			k->due = CLOCK_NEVER;
	}
	mutex_unlock(&k->lock);
	return turn;
}

static void do_batch(struct keeper *k)
{
	char why[DATABASE_ERROR_MAX];

	if (keeper_write(k, why) < 0)
		keeper_call(k);
}

static void *run_keeper(void *arg)
{
	struct keeper *k = arg;
	enum turn turn;

	while ((turn = await_turn(k)) != TURN_END) {
		if (turn == TURN_ERRAND)
			errands_run(k->errands);
		else
			do_batch(k);
	}
	do_batch(k);
	return NULL;
}

int keeper_start(struct keeper *k)
{
	int error = pthread_create(&k->thread, NULL, run_keeper, k);

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
	if (k->errands == NULL) {
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
	database_close(k->database);
	errands_free(k->errands);
	mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->told);
	free(k);
}
