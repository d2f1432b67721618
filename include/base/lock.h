/* lock: pthread mutex and rwlock under names that clang's -Wthread-safety can follow. Every lock
 * of the program is a leaf: whoever holds one takes no other, logs nothing, blocks on nothing. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>

#if defined(__clang__)
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) LOCK_ATTRIBUTE(capability(name))
#define ACQUIRE(lock) LOCK_ATTRIBUTE(acquire_capability(lock))
#define ACQUIRE_SHARED(lock) LOCK_ATTRIBUTE(acquire_shared_capability(lock))
#define RELEASE(lock) LOCK_ATTRIBUTE(release_capability(lock))
#define RELEASE_SHARED(lock) LOCK_ATTRIBUTE(release_shared_capability(lock))
/* The caller holds `lock`; functions so marked end in _locked. */
#define REQUIRES(lock) LOCK_ATTRIBUTE(requires_capability(lock))
#define REQUIRES_SHARED(lock) LOCK_ATTRIBUTE(requires_shared_capability(lock))
#define UNCHECKED LOCK_ATTRIBUTE(no_thread_safety_analysis)

struct CAPABILITY("mutex") mutex {
	pthread_mutex_t mutex;
};

struct CAPABILITY("rwlock") rwlock {
	pthread_rwlock_t rwlock;
};

static inline void mutex_init(struct mutex *m)
{
	pthread_mutex_init(&m->mutex, NULL);
}

static inline void mutex_destroy(struct mutex *m)
{
	pthread_mutex_destroy(&m->mutex);
}

static inline void mutex_lock(struct mutex *m) ACQUIRE(m) UNCHECKED
{
	pthread_mutex_lock(&m->mutex);
}

static inline void mutex_unlock(struct mutex *m) RELEASE(m) UNCHECKED
{
	pthread_mutex_unlock(&m->mutex);
}

static inline void rwlock_init(struct rwlock *l)
{
	pthread_rwlock_init(&l->rwlock, NULL);
}

static inline void rwlock_destroy(struct rwlock *l)
{
	pthread_rwlock_destroy(&l->rwlock);
}

static inline void rwlock_read(struct rwlock *l) ACQUIRE_SHARED(l) UNCHECKED
{
	pthread_rwlock_rdlock(&l->rwlock);
}

static inline void rwlock_read_unlock(struct rwlock *l) RELEASE_SHARED(l) UNCHECKED
{
	pthread_rwlock_unlock(&l->rwlock);
}

static inline void rwlock_write(struct rwlock *l) ACQUIRE(l) UNCHECKED
{
	pthread_rwlock_wrlock(&l->rwlock);
}

static inline void rwlock_write_unlock(struct rwlock *l) RELEASE(l) UNCHECKED
{
	pthread_rwlock_unlock(&l->rwlock);
}

#endif
