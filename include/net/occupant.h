/* occupant: who it is that listens where we cannot, as far as asking tells. No state; no lock. */
#ifndef NET_OCCUPANT_H
#define NET_OCCUPANT_H

#include <stdint.h>

#include "base/addr.h"

enum occupant {
	OCCUPANT_UNKNOWN, /* it does not answer, or as neither of the others does */
	OCCUPANT_SOCKS, /* a SOCKS5 server, of whatever make */
	OCCUPANT_MONITOR, /* the monitor of a socks5d */
};

/* Asks at a TCP address of this host, of 0.0.0.0 and :: at loopback, until `deadline` at most. */
enum occupant occupant_ask(const struct addr *a, int64_t deadline);

#endif
