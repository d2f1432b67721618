/* stopping: a thread that takes the signals that end the server, so that they are heard whatever
 * the main thread hangs in. One atomic; no lock. */
#ifndef SERVER_STOPPING_H
#define SERVER_STOPPING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Of the time between the second signal and the end, in milliseconds. Sanitizers make all of it
 * slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STOPPING_GRACE_MS 20000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STOPPING_GRACE_MS 20000
#endif
#endif
#ifndef STOPPING_GRACE_MS
#define STOPPING_GRACE_MS 1000
#endif

struct stopping {
	pthread_t thread;
	bool is_started; /* whoever starts and ends it */
	_Atomic(bool) is_over;
	_Atomic(unsigned) asked;
};

/* Starts the thread, which takes TERM and INT, and blocks these in the caller and the threads that
 * it makes from now on; there are none yet. `s` is zeroed. For each it sends SERVER_ERRAND_SIGNAL
 * to the process. When stopping_end() is not called within STOPPING_GRACE_MS of the second, it ends
 * the process with status 1. -1 with errno. */
int stopping_start(struct stopping *s) __attribute__((warn_unused_result));

/* How often the process was told to end. */
unsigned stopping_asked(struct stopping *s);

/* The process is about to end by itself. Also for one that was never started. */
void stopping_end(struct stopping *s);

#endif
