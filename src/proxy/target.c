/*
 * Whoever goes somewhere for a client asks here, and nowhere else, with all that is known of the
 * session.
 */
#include "proxy/target.h"

#include <time.h>

#include "net/socket.h"

/* Would what is sent to `addr` arrive at this host? Only asked where it matters. The addresses of
 * the interfaces are in memory; local routes to others are known to the kernel alone. */
static bool is_here(const struct asker *a, const struct addr *addr, bool has_place)
{
	bool here;

	if (!rules_ask_where(a->config, addr))
		return false;
	if (own_has_address(a->own, addr))
		return true;
	if (!has_place && !fd_lease_take(a->lease))
		return true; /* cannot tell: the safe answer */
	here = socket_is_own_address(addr);
	if (!has_place)
		fd_lease_give(a->lease);
	return here;
}

struct verdict target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place)
{
	struct subject subject = {.user = a->user,
		.user_len = a->user_len,
		.client = a->client,
		.command = a->command,
		.dst = dst,
		.addr = addr,
		.is_here = addr != NULL && is_here(a, addr, has_place),
		.time = time(NULL)};

	return rules_judge(a->config, &subject);
}
