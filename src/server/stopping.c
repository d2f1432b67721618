/*
 * The main thread opens, reads and writes files, any of which may hang with the disk beneath, and
 * it waits for all other threads. A first signal asks for an ordered stop, and this thread passes
 * it on. A second one says that somebody does not want to wait any longer: what is not done a
 * moment later is left undone.
 */
#include "server/stopping.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/server.h"

static sigset_t end_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

/* Returns when the process ends by itself. */
static void await_end(struct stopping *s, const sigset_t *set)
{
	int64_t deadline = clock_deadline(STOPPING_GRACE_MS), left;

	while (!atomic_load(&s->is_over) && (left = deadline - clock_ms()) > 0) {
		struct timespec timeout = clock_timespec(left);

		(void)sigtimedwait(set, NULL, &timeout);
	}
	if (!atomic_load(&s->is_over))
		_exit(1);
}

static void *take_signals(void *arg)
{
	struct stopping *s = arg;
	sigset_t set = end_signals();
	unsigned asked;

	pthread_setname_np(pthread_self(), "stopping");
	for (;;) {
		if (sigwaitinfo(&set, NULL) < 0)
			continue;
		if (atomic_load(&s->is_over))
			return NULL;
		asked = atomic_fetch_add(&s->asked, 1) + 1;
		kill(getpid(), SERVER_ERRAND_SIGNAL);
		if (asked > 1)
			break;
	}
	await_end(s, &set);
	return NULL;
}

int stopping_start(struct stopping *s)
{
	sigset_t set = end_signals();
	int error;

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	error = pthread_create(&s->thread, NULL, take_signals, s);
	s->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

unsigned stopping_asked(struct stopping *s)
{
	return atomic_load(&s->asked);
}

void stopping_end(struct stopping *s)
{
	if (!s->is_started)
		return;
	atomic_store(&s->is_over, true);
	pthread_kill(s->thread, SIGINT);
	pthread_join(s->thread, NULL);
	s->is_started = false;
}
