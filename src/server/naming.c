/*
 * A look is one stat(2), and only when the file has changed it is read. It is the one job of the
 * janitor's that goes to a disk: for names that are only shown no thread of their own is worth it,
 * and a file that is written by a DHCP server on the same host is in memory.
 */
#include "server/naming.h"

#include "base/clock.h"

static int64_t run_naming(void *context, int64_t now)
{
	struct naming *n = context;
	struct config *c = config_get(n->services->config);
	bool is_set = *c->settings.client_names != '\0';

	client_names_follow(n->services->client_names, c->settings.client_names);
	config_release(c);
	return is_set ? now + NAMING_PERIOD_MS : CLOCK_NEVER;
}

void naming_init(struct naming *n, struct services *services)
{
	*n = (struct naming){
		.services = services, .job = {.name = "naming", .run = run_naming, .context = n}};
}
