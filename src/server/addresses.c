/*
 * An address that came a moment ago is asked for by nobody yet, and one that went does no harm; so
 * a look each minute does. What cannot be read is said once, until it can.
 */
#include "server/addresses.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

static void refresh_addresses(struct addresses *a)
{
	bool failed = own_refresh(a->own) < 0;

	if (failed && !a->failed)
		log_message(
			LOG_WARN, "cannot read which addresses this host has: %s", strerror(errno));
	a->failed = failed;
}

static int64_t run_addresses(void *context, int64_t now)
{
	refresh_addresses(context);
	return now + ADDRESSES_PERIOD_MS;
}

void addresses_init(struct addresses *a, struct own *own)
{
	*a = (struct addresses){
		.own = own, .job = {.name = "addresses", .run = run_addresses, .context = a}};
	refresh_addresses(a);
}
