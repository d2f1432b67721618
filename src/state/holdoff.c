/*
 * An address has a few free tries; after these it is held off, longer with each failure, up to a
 * minute. Who is held off is not shut out: one of its logins is checked every few seconds, so that
 * somebody who shares the address with a program that guesses gets in with some patience, and the
 * guesses at the monitor cost next to nothing (at the proxy what any wrong login does). Passwords
 * that were right before are let in at once; as that is quick, a bound keeps it from being a quick
 * way to guess, and what is right does not count for it.
 *
 * Anybody on the host has the 16 million addresses of 127.0.0.0/8 and ::1, so these are one here,
 * though everywhere else each is a client by itself.
 */
#include "state/holdoff.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/lock.h"

struct entry {
	struct network holder; /* with a base of AF_UNSPEC: free */
	unsigned failures;
	int64_t until; /* it is held off */
	int64_t next_check; /* meanwhile, not before */
	int64_t compared_until; /* the second that `compared` is about */
	unsigned compared; /* logins in it that were not known */
};

struct holdoff {
	struct own *own;
	struct mutex lock; /* the rest */
	size_t used; /* entries behind were never taken */
	struct entry entries[HOLDOFF_ADDRS];
};

struct holdoff *holdoff_new(struct own *own)
{
	struct holdoff *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->own = own;
	mutex_init(&h->lock);
	return h;
}

void holdoff_free(struct holdoff *h)
{
	if (h == NULL)
		return;
	mutex_destroy(&h->lock);
	free(h);
}

/* All that count as one with `addr`. */
static struct network holder_of(const struct holdoff *h, const struct addr *addr)
{
	static const uint8_t loopback[4] = {127, 0, 0, 0};

	if (addr_is_loopback(addr))
		return (struct network){.base = addr_from_ipv4(loopback, 0), .prefix = 8};
	return own_client_of(h->own, addr);
}

static struct entry *find_held_locked(struct holdoff *h, const struct network *holder)
	REQUIRES(&h->lock)
{
	for (size_t i = 0; i < h->used; i++) {
		if (network_equal(&h->entries[i].holder, holder))
			return &h->entries[i];
	}
	return NULL;
}

/* A free place, or that of whoever may try again first. */
static struct entry *make_place_locked(struct holdoff *h) REQUIRES(&h->lock)
{
	struct entry *best = &h->entries[0];

	for (size_t i = 0; i < h->used; i++) {
		struct entry *e = &h->entries[i];

		if (e->holder.base.sa.sa_family == AF_UNSPEC)
			return e;
		if (e->until < best->until)
			best = e;
	}
	return h->used < HOLDOFF_ADDRS ? &h->entries[h->used++] : best;
}

static bool is_held_off(const struct entry *e, int64_t now)
{
	return e != NULL && now < e->until && now < e->next_check;
}

bool holdoff_holds(struct holdoff *h, const struct addr *addr, int64_t now)
{
	struct network holder = holder_of(h, addr);
	bool holds;

	mutex_lock(&h->lock);
	holds = is_held_off(find_held_locked(h, &holder), now);
	mutex_unlock(&h->lock);
	return holds;
}

static bool may_compare(struct entry *e, int64_t now)
{
	if (e == NULL || now >= e->until)
		return true;
	if (now >= e->compared_until) {
		e->compared_until = now + 1000;
		e->compared = 0;
	}
	if (e->compared == HOLDOFF_COMPARED_A_SECOND)
		return false;
	e->compared++;
	return true;
}

bool holdoff_may_compare(struct holdoff *h, const struct addr *addr, int64_t now)
{
	struct network holder = holder_of(h, addr);
	bool may;

	mutex_lock(&h->lock);
	may = may_compare(find_held_locked(h, &holder), now);
	mutex_unlock(&h->lock);
	return may;
}

void holdoff_note_known(struct holdoff *h, const struct addr *addr)
{
	struct network holder = holder_of(h, addr);
	struct entry *e;

	mutex_lock(&h->lock);
	e = find_held_locked(h, &holder);
	if (e != NULL && e->compared > 0)
		e->compared--;
	mutex_unlock(&h->lock);
}

bool holdoff_may_check(struct holdoff *h, const struct addr *addr, int64_t now)
{
	struct network holder = holder_of(h, addr);
	struct entry *e;
	bool may;

	mutex_lock(&h->lock);
	e = find_held_locked(h, &holder);
	may = !is_held_off(e, now);
	if (may && e != NULL)
		e->next_check = now + HOLDOFF_CHECK_MS;
	mutex_unlock(&h->lock);
	return may;
}

static int64_t wait_after(unsigned failures)
{
	int64_t wait = HOLDOFF_FIRST_MS;

	if (failures < HOLDOFF_FREE_TRIES)
		return 0;
	for (; failures > HOLDOFF_FREE_TRIES && wait < HOLDOFF_LONGEST_MS; failures--)
		wait *= 2;
	return wait < HOLDOFF_LONGEST_MS ? wait : HOLDOFF_LONGEST_MS;
}

unsigned holdoff_note_failure(struct holdoff *h, const struct addr *addr, int64_t now)
{
	struct network holder = holder_of(h, addr);
	struct entry *e;
	unsigned failures;

	mutex_lock(&h->lock);
	e = find_held_locked(h, &holder);
	if (e == NULL || now >= e->until + HOLDOFF_FORGET_MS) {
		if (e == NULL)
			e = make_place_locked(h);
		*e = (struct entry){.holder = holder};
	}
	failures = ++e->failures;
	e->until = now + wait_after(failures);
	e->next_check = now + HOLDOFF_CHECK_MS;
	mutex_unlock(&h->lock);
	return failures;
}

unsigned holdoff_failures(struct holdoff *h, const struct addr *addr)
{
	struct network holder = holder_of(h, addr);
	const struct entry *e;
	unsigned failures;

	mutex_lock(&h->lock);
	e = find_held_locked(h, &holder);
	failures = e == NULL ? 0 : e->failures;
	mutex_unlock(&h->lock);
	return failures;
}

void holdoff_forget(struct holdoff *h, const struct addr *addr)
{
	struct network holder = holder_of(h, addr);
	struct entry *e;

	mutex_lock(&h->lock);
	e = find_held_locked(h, &holder);
	if (e != NULL)
		*e = (struct entry){.holder.base.sa.sa_family = AF_UNSPEC};
	mutex_unlock(&h->lock);
}
