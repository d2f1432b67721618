/* converse: requests over the desk's console and the replies to them, with limits as they are taken
 * in by a server. For tests whose line WRAP_ in the Makefile names $(WRAP_DESK) and
 * server_apply_limits. */
#ifndef TESTS_MONITOR_CONVERSE_H
#define TESTS_MONITOR_CONVERSE_H

#include "desk.h"

#include "server/limiting.h"

int __wrap_server_apply_limits(struct server *s);

int __wrap_server_apply_limits(struct server *s)
{
	struct config *now = config_get(parts.config);
	int result = limiting_apply(&parts, now);

	(void)s;
	config_release(now);
	return result;
}

struct exchange {
	const char *request, *reply; /* without what ends each */
};

static inline void converse(const struct exchange *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char reply[1024];

		snprintf(reply, sizeof(reply), "%s\n\n", rows[i].reply);
		say(rows[i].request);
		say("\n");
		hear();
		if (strcmp(heard, reply) != 0)
			fail_msg("%s\n%s: expected\n%s", rows[i].request, heard, reply);
	}
}

#endif
