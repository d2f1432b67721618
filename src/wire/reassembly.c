/*
 * The RFC lets a receiver abandon a sequence when a fragment with a lower position comes than the
 * highest that was processed. So a gap can never be filled, and only the very next fragment is of
 * any use: whatever else comes, doubled ones too, ends the sequence, since it may as well belong to
 * another datagram of which the beginning was lost, and pieces of two must never be mixed.
 */
#include "wire/reassembly.h"

#include <string.h>

#include "base/clock.h"

void reassembly_abandon(struct reassembly *r, uint64_t *dropped)
{
	*dropped += r->highest;
	r->highest = 0;
}

void reassembly_expire(struct reassembly *r, int64_t now, uint64_t *dropped)
{
	if (now >= reassembly_deadline(r))
		reassembly_abandon(r, dropped);
}

int64_t reassembly_deadline(const struct reassembly *r)
{
	return r->highest == 0 ? CLOCK_NEVER : r->deadline;
}

static void begin_sequence(struct reassembly *r, const struct socks5_datagram *d, int64_t now)
{
	r->deadline = now + REASSEMBLY_TIMEOUT_MS;
	r->len = 0;
	r->dst = d->dst;
	if (d->dst.kind == DESTINATION_NAME)
		r->dst.name = memcpy(r->name, d->dst.name, d->dst.name_len);
}

bool reassembly_add(struct reassembly *r, struct socks5_datagram *d, int64_t now, uint64_t *dropped)
{
	unsigned position = d->frag & ~(unsigned)SOCKS5_LAST_FRAGMENT;

	reassembly_expire(r, now, dropped);
	if (position == 1) {
		reassembly_abandon(r, dropped);
		begin_sequence(r, d, now);
	}
	if (position == 0 || position != r->highest + 1 || !destination_equal(&d->dst, &r->dst) ||
		d->len > sizeof(r->data) - r->len) {
		reassembly_abandon(r, dropped);
		++*dropped;
		return false;
	}
	memcpy(r->data + r->len, d->data, d->len);
	r->len += d->len;
	r->highest = position;
	if (!(d->frag & SOCKS5_LAST_FRAGMENT))
		return false;
	r->highest = 0;
	*d = (struct socks5_datagram){.dst = r->dst, .data = r->data, .len = r->len};
	return true;
}
