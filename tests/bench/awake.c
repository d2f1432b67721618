/*
 * DESIGN
 * With one message under way, every wake-up finds a processor that has nothing to do. How long that
 * takes to wake depends on how deep it sleeps, above all in a virtual machine: from 20 to 100 µs a
 * trip were seen without any proxy, as other programs kept it awake or did not. So a thread on each
 * processor spins at SCHED_IDLE, below everything else: whoever wakes takes its place at once.
 */
#include "awake.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct awake {
	atomic_bool stopping;
	size_t n_threads;
	pthread_t threads[];
};

/* Where the priority cannot be had it ends, rather than compete with what is measured. */
static void *spin(void *arg)
{
	const struct sched_param none = {0};
	struct awake *awake = arg;

	if (pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) != 0)
		return NULL;
	while (!atomic_load_explicit(&awake->stopping, memory_order_relaxed))
		continue;
	return NULL;
}

struct awake *awake_start(void)
{
	const size_t cpus = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	struct awake *awake = calloc(1, sizeof(*awake) + cpus * sizeof(pthread_t));

	if (awake == NULL)
		return NULL;
	while (awake->n_threads < cpus) {
		int error = pthread_create(&awake->threads[awake->n_threads], NULL, spin, awake);

		if (error != 0) {
			awake_stop(awake);
			errno = error;
			return NULL;
		}
		awake->n_threads++;
	}
	return awake;
}

void awake_stop(struct awake *awake)
{
	if (awake == NULL)
		return;
	atomic_store(&awake->stopping, true);
	while (awake->n_threads > 0)
		pthread_join(awake->threads[--awake->n_threads], NULL);
	free(awake);
}
