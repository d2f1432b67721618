/*
 * An address has a few free tries; after these it is held off, longer with each failure, up to a
 * minute. Who is held off is not shut out: one of its logins is checked every few seconds, so that
 * somebody who shares the address with a program that guesses gets in with some patience, and the
 * guesses cost next to nothing.
 *
 * Anybody on the host has the 16 million addresses of 127.0.0.0/8 and ::1, so these are one here,
 * though everywhere else each is a client by itself.
 */
#include "state/bans.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/lock.h"

struct entry {
	struct network holder; /* with a base of AF_UNSPEC: free */
	unsigned failures;
	int64_t until; /* it is held off */
	int64_t next_check; /* meanwhile, not before */
};

struct bans {
	struct own *own;
	struct mutex lock; /* the rest */
	size_t used; /* entries behind were never taken */
	struct entry entries[BANS_ADDRS];
};

struct bans *bans_new(struct own *own)
{
	struct bans *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->own = own;
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

/* All that count as one with `addr`. */
static struct network holder_of(const struct bans *b, const struct addr *addr)
{
	static const uint8_t loopback[4] = {127, 0, 0, 0};

	if (addr_is_loopback(addr))
		return (struct network){.base = addr_from_ipv4(loopback, 0), .prefix = 8};
	return own_client_of(b->own, addr);
}

static struct entry *find_ban_locked(struct bans *b, const struct network *holder)
	REQUIRES(&b->lock)
{
	for (size_t i = 0; i < b->used; i++) {
		if (network_equal(&b->entries[i].holder, holder))
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

		if (e->holder.base.sa.sa_family == AF_UNSPEC)
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
	struct network holder = holder_of(b, addr);
	bool holds;

	mutex_lock(&b->lock);
	holds = is_held_off(find_ban_locked(b, &holder), now);
	mutex_unlock(&b->lock);
	return holds;
}

bool bans_may_check(struct bans *b, const struct addr *addr, int64_t now)
{
	struct network holder = holder_of(b, addr);
	struct entry *e;
	bool may;

	mutex_lock(&b->lock);
	e = find_ban_locked(b, &holder);
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
	struct network holder = holder_of(b, addr);
	struct entry *e;
	unsigned failures;

	mutex_lock(&b->lock);
	e = find_ban_locked(b, &holder);
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
	struct network holder = holder_of(b, addr);
	const struct entry *e;
	unsigned failures;

	mutex_lock(&b->lock);
	e = find_ban_locked(b, &holder);
	failures = e == NULL ? 0 : e->failures;
	mutex_unlock(&b->lock);
	return failures;
}

void bans_forget(struct bans *b, const struct addr *addr)
{
	struct network holder = holder_of(b, addr);
	struct entry *e;

	mutex_lock(&b->lock);
	e = find_ban_locked(b, &holder);
	if (e != NULL)
		*e = (struct entry){.holder.base.sa.sa_family = AF_UNSPEC};
	mutex_unlock(&b->lock);
}
