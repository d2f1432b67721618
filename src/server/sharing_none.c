/*
 * In the place of sharing.c and its parts, where the server is built without hiredis (make
 * WITHOUT=shared): whoever names an engine is told so, and nobody shares anything.
 */
#include <errno.h>
#include <stdio.h>

#include "server/engine_probe.h"
#include "server/sharing.h"

int sharing_check(const struct settings *settings, char error[SHARING_ERROR_MAX])
{
	char engine[SHARED_TEXT_MAX];

	snprintf(error, SHARING_ERROR_MAX,
		"shared: \"%s\": this socks5d was built without it (make WITHOUT=shared)",
		shared_place_format(&settings->shared, engine));
	return -1;
}

struct sharing *sharing_new(const struct settings *settings, struct services *v,
	const struct sharing_bell *bell, char error[SHARING_ERROR_MAX])
{
	(void)v;
	(void)bell;
	(void)!sharing_check(settings, error);
	return NULL;
}

int sharing_start(struct sharing *s)
{
	(void)s;
	errno = ENOSYS;
	return -1;
}

void sharing_stop(struct sharing *s)
{
	(void)s;
}

void sharing_free(struct sharing *s)
{
	(void)s;
}

void engine_probe(const struct settings *s, struct engine_probe *out)
{
	(void)s;
	*out = (struct engine_probe){.stage = ENGINE_PROBE_NAME,
		.problem = "this socks5d was built without it (make WITHOUT=shared)"};
}
