/* reassembly: fragments of a client's datagrams put together (RFC 1928 section 7). Pure, time is
 * passed in; no fd, no malloc, no lock. */
#ifndef WIRE_REASSEMBLY_H
#define WIRE_REASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/socks5.h"

#define REASSEMBLY_MAX 65527 /* bytes: what fits into one datagram over IPv6 */
#define REASSEMBLY_TIMEOUT_MS 5000 /* RFC 1928: no less than 5 seconds */

#define SOCKS5_LAST_FRAGMENT 0x80 /* of FRAG; the rest is the position, from 1 on */

/* One sequence of fragments at a time, as the RFC has it. All zeros at first. */
struct reassembly {
	unsigned highest; /* position that was taken last; 0: no sequence is under way */
	int64_t deadline; /* of the sequence */
	struct destination dst; /* of all of it; the name is in `name` */
	char name[DESTINATION_NAME_MAX];
	size_t len;
	uint8_t data[REASSEMBLY_MAX];
};

/* Takes a fragment (FRAG not 0) in. True when it completes a datagram, which is then in `*d`, valid
 * until the next call. Fragments come in order, all for one destination: any other than the next
 * one abandons the sequence, and 1 begins another. `*dropped` grows by the fragments that were
 * lost. */
bool reassembly_add(
	struct reassembly *r, struct socks5_datagram *d, int64_t now, uint64_t *dropped);

/* Abandons the sequence under way, as a whole datagram does that comes between. `*dropped` grows.
 */
void reassembly_abandon(struct reassembly *r, uint64_t *dropped);

/* Abandons it when its time is over. */
void reassembly_expire(struct reassembly *r, int64_t now, uint64_t *dropped);

/* When reassembly_expire() is to be called; CLOCK_NEVER while nothing is under way. */
int64_t reassembly_deadline(const struct reassembly *r);

#endif
