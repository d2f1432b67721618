#include "monitor/holdoff.h"

#include <stddef.h>
#include <string.h>

/* A host may have as many addresses as its IPv6 network has. */
static bool same_holder(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET6)
		return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 8) == 0;
	return addr_same_host(a, b);
}

static const struct holdoff_entry *find(const struct holdoff *h, const struct addr *addr)
{
	for (size_t i = 0; i < HOLDOFF_ADDRS; i++) {
		if (same_holder(&h->entries[i].addr, addr))
			return &h->entries[i];
	}
	return NULL;
}

static struct holdoff_entry *find_to_change(struct holdoff *h, const struct addr *addr)
{
	const struct holdoff_entry *e = find(h, addr);

	return e == NULL ? NULL : &h->entries[e - h->entries];
}

/* A free place, or that of whoever may try again first. */
static struct holdoff_entry *make_place(struct holdoff *h)
{
	struct holdoff_entry *best = &h->entries[0];

	for (size_t i = 0; i < HOLDOFF_ADDRS; i++) {
		struct holdoff_entry *e = &h->entries[i];

		if (e->addr.sa.sa_family == AF_UNSPEC)
			return e;
		if (e->until < best->until)
			best = e;
	}
	return best;
}

bool holdoff_holds(const struct holdoff *h, const struct addr *addr, int64_t now)
{
	const struct holdoff_entry *e = find(h, addr);

	return e != NULL && now < e->until;
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
	struct holdoff_entry *e = find_to_change(h, addr);

	if (e == NULL || now >= e->until + HOLDOFF_FORGET_MS) {
		if (e == NULL)
			e = make_place(h);
		*e = (struct holdoff_entry){.addr = *addr};
	}
	e->failures++;
	e->until = now + wait_after(e->failures);
	return e->failures;
}

void holdoff_forget(struct holdoff *h, const struct addr *addr)
{
	struct holdoff_entry *e = find_to_change(h, addr);

	if (e != NULL)
		*e = (struct holdoff_entry){.addr.sa.sa_family = AF_UNSPEC};
}
