#include "state/bans.h"

#include <stddef.h>
#include <string.h>

/* A host may have as many addresses as its IPv6 network has. */
static bool same_holder(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET6)
		return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 8) == 0;
	return addr_same_host(a, b);
}

static const struct bans_entry *find(const struct bans *h, const struct addr *addr)
{
	for (size_t i = 0; i < BANS_ADDRS; i++) {
		if (same_holder(&h->entries[i].addr, addr))
			return &h->entries[i];
	}
	return NULL;
}

static struct bans_entry *find_to_change(struct bans *h, const struct addr *addr)
{
	const struct bans_entry *e = find(h, addr);

	return e == NULL ? NULL : &h->entries[e - h->entries];
}

/* A free place, or that of whoever may try again first. */
static struct bans_entry *make_place(struct bans *h)
{
	struct bans_entry *best = &h->entries[0];

	for (size_t i = 0; i < BANS_ADDRS; i++) {
		struct bans_entry *e = &h->entries[i];

		if (e->addr.sa.sa_family == AF_UNSPEC)
			return e;
		if (e->until < best->until)
			best = e;
	}
	return best;
}

bool bans_holds(const struct bans *h, const struct addr *addr, int64_t now)
{
	const struct bans_entry *e = find(h, addr);

	return e != NULL && now < e->until;
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

unsigned bans_note_failure(struct bans *h, const struct addr *addr, int64_t now)
{
	struct bans_entry *e = find_to_change(h, addr);

	if (e == NULL || now >= e->until + BANS_FORGET_MS) {
		if (e == NULL)
			e = make_place(h);
		*e = (struct bans_entry){.addr = *addr};
	}
	e->failures++;
	e->until = now + wait_after(e->failures);
	return e->failures;
}

void bans_forget(struct bans *h, const struct addr *addr)
{
	struct bans_entry *e = find_to_change(h, addr);

	if (e != NULL)
		*e = (struct bans_entry){.addr.sa.sa_family = AF_UNSPEC};
}
