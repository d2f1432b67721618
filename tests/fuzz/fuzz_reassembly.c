/* Reassembly: a series of datagrams, each behind its length and the time since the last one.
 * Whatever comes, each fragment ends up in a whole datagram or is counted as lost. */
#include "fuzz.h"

#include "base/clock.h"
#include "wire/reassembly.h"

/* Takes one datagram in; the number of fragments that a whole one was made of. */
static unsigned take(struct reassembly *r, struct socks5_datagram *d, int64_t now, uint64_t *lost)
{
	unsigned position = d->frag & 0x7fu;

	if (d->frag == 0) {
		reassembly_abandon(r, lost);
		return 0;
	}
	if (!reassembly_add(r, d, now, lost))
		return 0;
	FUZZ_CHECK(d->frag == 0 && d->data == r->data && d->len <= REASSEMBLY_MAX);
	FUZZ_CHECK(d->dst.kind == DESTINATION_ADDR || d->dst.name == r->name);
	FUZZ_CHECK(reassembly_deadline(r) == CLOCK_NEVER);
	return position;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct reassembly r;
	uint64_t fragments = 0, whole = 0, lost = 0;
	int64_t now = 0;

	r = (struct reassembly){.highest = 0};
	while (len >= 3) {
		size_t size = bytes[0] | (size_t)bytes[1] << 8;
		struct socks5_datagram d;

		now += bytes[2] * 40;
		bytes += 3;
		len -= 3;
		size = size < len ? size : len;
		if (socks5_parse_datagram(bytes, size, &d) > 0) {
			fragments += d.frag != 0;
			whole += take(&r, &d, now, &lost);
			FUZZ_CHECK(fragments == whole + lost + r.highest);
		}
		bytes += size;
		len -= size;
	}
	reassembly_abandon(&r, &lost);
	FUZZ_CHECK(fragments == whole + lost);
	return 0;
}
