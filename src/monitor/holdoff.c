#include "monitor/holdoff.h"

#include <stddef.h>

static struct holdoff_entry *find(struct holdoff *h, const struct addr *addr)
{
	for (size_t i = 0; i < HOLDOFF_ADDRS; i++) {
		if (addr_same_host(&h->entries[i].addr, addr))
			return &h->entries[i];
	}
	return NULL;
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
	for (size_t i = 0; i < HOLDOFF_ADDRS; i++) {
		if (addr_same_host(&h->entries[i].addr, addr))
			return now < h->entries[i].until;
	}
	return false;
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
	struct holdoff_entry *e = find(h, addr);

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
	struct holdoff_entry *e = find(h, addr);

	if (e != NULL)
		*e = (struct holdoff_entry){.addr.sa.sa_family = AF_UNSPEC};
}
