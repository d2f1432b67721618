/*
 * The thread sleeps until its next job is due, or until it is told something. It holds its lock
 * only to sleep and to look at what it was told, never while a job runs: whoever tells it something
 * does not wait.
 */
#include "server/janitor.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"

struct janitor {
	struct schedule schedule; /* the thread's, once it runs */
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */

	struct mutex lock; /* the rest */
	pthread_cond_t told;
	bool looks_again;
	struct job *called; /* is to look by itself; NULL: none */
	bool stopping;
};

struct janitor *janitor_new(void)
{
	struct janitor *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	mutex_init(&j->lock);
	pthread_cond_init(&j->told, NULL);
	return j;
}

void janitor_add(struct janitor *j, struct job *job)
{
	schedule_add(&j->schedule, job);
}

/* Until `due`, or until there is something to be told; false when it is to stop. */
static bool sleep_until(struct janitor *j, int64_t due)
{
	struct timespec until = clock_timespec(due);
	int status = 0;
	bool hurry, goes_on;
	struct job *called;

	mutex_lock(&j->lock);
	while (!j->looks_again && j->called == NULL && !j->stopping && status == 0)
		status = pthread_cond_clockwait(&j->told, &j->lock.mutex, CLOCK_MONOTONIC, &until);
	hurry = j->looks_again;
	called = j->called;
	goes_on = !j->stopping;
	j->looks_again = false;
	j->called = NULL;
	mutex_unlock(&j->lock);
	if (hurry)
		schedule_hurry(&j->schedule);
	else if (called != NULL)
		schedule_call(called);
	return goes_on;
}

static void *run_jobs(void *arg)
{
	struct janitor *j = arg;
	int64_t due;

	pthread_setname_np(pthread_self(), "janitor");
	do
		due = schedule_run(&j->schedule, clock_ms());
	while (sleep_until(j, due));
	return NULL;
}

int janitor_start(struct janitor *j)
{
	int error = pthread_create(&j->thread, NULL, run_jobs, j);

	j->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

void janitor_look_again(struct janitor *j)
{
	mutex_lock(&j->lock);
	j->looks_again = true;
	pthread_cond_signal(&j->told);
	mutex_unlock(&j->lock);
}

void janitor_call(struct janitor *j, struct job *job)
{
	mutex_lock(&j->lock);
	/* Two at once are rare: then all look. */
	if (j->called != NULL && j->called != job)
		j->looks_again = true;
	j->called = job;
	pthread_cond_signal(&j->told);
	mutex_unlock(&j->lock);
}

void janitor_stop(struct janitor *j)
{
	if (j == NULL || !j->is_started)
		return;
	mutex_lock(&j->lock);
	j->stopping = true;
	pthread_cond_signal(&j->told);
	mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	j->is_started = false;
}

void janitor_free(struct janitor *j)
{
	if (j == NULL)
		return;
	mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->told);
	free(j);
}
