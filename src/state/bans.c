/*
 * An address has a few free tries; after these it is held off, longer with each failure, up to a
 * minute. Who is held off is not shut out: one of its logins is checked every few seconds, so that
 * somebody who shares the address with a program that guesses gets in with some patience, and the
 * guesses cost next to nothing.
 *
 * Anybody on the host has the 16 million addresses of 127.0.0.0/8 and ::1, and a host as many as
 * its IPv6 network has: each of these counts as one holder.
 */
#include "state/bans.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

struct entry {
	struct addr holder; /* AF_UNSPEC: free */
	unsigned failures;
	int64_t until; /* it is held off */
	int64_t next_check; /* meanwhile, not before */
};

struct bans {
	struct mutex lock; /* all */
	size_t used; /* entries behind were never taken */
	struct entry entries[BANS_ADDRS];
};

struct bans *bans_new(void)
{
	struct bans *b = calloc(1, sizeof(*b));

	if (b != NULL)
		mutex_init(&b->lock);
	return b;
}

void bans_free(struct bans *b)
{
	if (b == NULL)
		return;
	mutex_destroy(&b->lock);
	free(b);
}

/* The address that stands for all that count as one with `addr`. */
static struct addr holder_of(const struct addr *addr)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	uint8_t network[16] = {0};

	if (addr_is_loopback(addr))
		return addr_from_ipv4(loopback, 0);
	if (addr->sa.sa_family == AF_INET)
		return addr_from_ipv4((const uint8_t *)&addr->in.sin_addr, 0);
	memcpy(network, &addr->in6.sin6_addr, 8);
	return addr_from_ipv6(network, 0);
}

static struct entry *find_locked(struct bans *b, const struct addr *holder) REQUIRES(&b->lock)
{
	for (size_t i = 0; i < b->used; i++) {
		if (addr_equal(&b->entries[i].holder, holder))
			return &b->entries[i];
	}
	return NULL;
}

/* A free place, or that of whoever may try again first. */
static struct entry *make_place_locked(struct bans *b) REQUIRES(&b->lock)
{
	struct entry *best = &b->entries[0];

	for (size_t i = 0; i < b->used; i++) {
		struct entry *e = &b->entries[i];

		if (e->holder.sa.sa_family == AF_UNSPEC)
			return e;
		if (e->until < best->until)
			best = e;
	}
	return b->used < BANS_ADDRS ? &b->entries[b->used++] : best;
}

static bool is_held_off(const struct entry *e, int64_t now)
{
	return e != NULL && now < e->until && now < e->next_check;
}

bool bans_holds(struct bans *b, const struct addr *addr, int64_t now)
{
	struct addr holder = holder_of(addr);
	bool holds;

	mutex_lock(&b->lock);
	holds = is_held_off(find_locked(b, &holder), now);
	mutex_unlock(&b->lock);
	return holds;
}

bool bans_may_check(struct bans *b, const struct addr *addr, int64_t now)
{
	struct addr holder = holder_of(addr);
	struct entry *e;
	bool may;

	mutex_lock(&b->lock);
	e = find_locked(b, &holder);
	may = !is_held_off(e, now);
	if (may && e != NULL)
		e->next_check = now + BANS_CHECK_MS;
	mutex_unlock(&b->lock);
	return may;
}

static int64_t wait_after(unsigned failures)
{
	int64_t wait = BANS_FIRST_MS;

	if (failures < BANS_FREE_TRIES)
		return 0;
	for (; failures > BANS_FREE_TRIES && wait < BANS_LONGEST_MS; failures--)
		wait *= 2;
	return wait < BANS_LONGEST_MS ? wait : BANS_LONGEST_MS;
}

unsigned bans_note_failure(struct bans *b, const struct addr *addr, int64_t now)
{
	struct addr holder = holder_of(addr);
	struct entry *e;
	unsigned failures;

	mutex_lock(&b->lock);
	e = find_locked(b, &holder);
	if (e == NULL || now >= e->until + BANS_FORGET_MS) {
		if (e == NULL)
			e = make_place_locked(b);
		*e = (struct entry){.holder = holder};
	}
	failures = ++e->failures;
	e->until = now + wait_after(failures);
	e->next_check = now + BANS_CHECK_MS;
	mutex_unlock(&b->lock);
	return failures;
}

unsigned bans_failures(struct bans *b, const struct addr *addr)
{
	struct addr holder = holder_of(addr);
	const struct entry *e;
	unsigned failures;

	mutex_lock(&b->lock);
	e = find_locked(b, &holder);
	failures = e == NULL ? 0 : e->failures;
	mutex_unlock(&b->lock);
	return failures;
}

void bans_forget(struct bans *b, const struct addr *addr)
{
	struct addr holder = holder_of(addr);
	struct entry *e;

	mutex_lock(&b->lock);
	e = find_locked(b, &holder);
	if (e != NULL)
		*e = (struct entry){.holder.sa.sa_family = AF_UNSPEC};
	mutex_unlock(&b->lock);
}
