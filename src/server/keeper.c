/*
 * The thread sleeps until somebody calls: for an errand, which has its turn at once, or because
 * something has changed, which is written with all else that changes in the same few seconds, as
 * one batch. So a server with nothing to do writes nothing, and a busy one a few times a minute.
 * Old days are deleted once a day.
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
#include "server/archive.h"
#include "state/copies.h"

#define PRUNE_PERIOD_MS (24 * 60 * 60 * 1000)
#define STEADY_MS (10 * 60 * 1000) /* since the clock was set, before anything is deleted by it */

/* Of which a copy is to be made. */
struct file {
	struct file *next;
	char path[];
};

struct keeper {
	char *folder;
	struct services *services;
	struct archive *archive;
	struct errands *errands;
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */

	/* the thread's, once it runs */
	int64_t prune_due; /* clock_ms() */

	_Atomic(bool) is_called; /* and `due` is set */

	struct mutex lock; /* the rest */
	pthread_cond_t told;
	unsigned calls; /* for errands_run() */
	struct file *files; /* of which copies are to be made */
	int64_t due; /* clock_ms(): of the next batch */
	bool stopping;
};

/* ---- writing ---- */

int keeper_write(struct keeper *k, char why[DATABASE_ERROR_MAX])
{
	bool was_anything;
	int result = archive_write(k->archive, &was_anything);

	if (was_anything)
		keeper_call(k); /* what runs goes on, and what failed is tried again */
	if (result < 0)
		snprintf(why, DATABASE_ERROR_MAX, "%s", archive_problem(k->archive));
	return result;
}

struct database *keeper_database(struct keeper *k)
{
	return archive_database(k->archive);
}

/* ---- copies of files ---- */

static bool awaits_copy_locked(const struct keeper *k, const char *path) REQUIRES(&k->lock)
{
	const struct file *f = k->files;

	while (f != NULL && strcmp(f->path, path) != 0)
		f = f->next;
	return f != NULL;
}

void keeper_copy_file(struct keeper *k, const char *path)
{
	struct file *f = k == NULL ? NULL : malloc(sizeof(*f) + strlen(path) + 1);

	if (f == NULL)
		return;
	strcpy(f->path, path);
	mutex_lock(&k->lock);
	if (!awaits_copy_locked(k, path)) {
		f->next = k->files;
		k->files = f;
		f = NULL;
	}
	mutex_unlock(&k->lock);
	free(f);
	keeper_call(k);
}

static struct file *take_files(struct keeper *k)
{
	struct file *files;

	mutex_lock(&k->lock);
	files = k->files;
	k->files = NULL;
	mutex_unlock(&k->lock);
	return files;
}

static void free_files(struct file *files)
{
	for (struct file *next; files != NULL; files = next) {
		next = files->next;
		free(files);
	}
}

static void make_copies(struct keeper *k)
{
	struct file *files = take_files(k);

	for (const struct file *f = files; f != NULL; f = f->next) {
		if (copies_save(k->folder, f->path) < 0)
			log_message(LOG_WARN, "state_dir: no copy of %s can be made: %s", f->path,
				strerror(errno));
	}
	free_files(files);
}

static void prune_in_time(struct keeper *k)
{
	k->prune_due = clock_deadline(archive_prune(k->archive) ? PRUNE_PERIOD_MS : STEADY_MS);
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
	make_copies(k);
}

static void *run_keeper(void *arg)
{
	struct keeper *k = arg;
	enum turn turn;

	pthread_setname_np(pthread_self(), "keeper");
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
	k->folder = strdup(folder);
	k->errands = errands_new(call_for_errand, k);
	k->services->history = history_new(call_for_batch, k);
	if (k->folder == NULL || k->errands == NULL || k->services->history == NULL) {
		snprintf(error, DATABASE_ERROR_MAX, "out of memory");
		return -1;
	}
	k->archive = archive_open(folder, k->services, error);
	return k->archive == NULL ? -1 : 0;
}

struct keeper *keeper_open(const char *folder, struct services *v, char error[DATABASE_ERROR_MAX])
{
	struct keeper *k = calloc(1, sizeof(*k));
	int saved;

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
		k->prune_due = clock_deadline(STEADY_MS);
		return k;
	}
	saved = errno;
	keeper_close(k);
	errno = saved;
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
	archive_close(k->archive);
	free_files(k->files);
	free(k->folder);
	errands_free(k->errands);
	mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->told);
	free(k);
}
