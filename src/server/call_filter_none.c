/*
 * In the place of call_filter.c where the server is built without libseccomp (make
 * WITHOUT=sandbox): there is no filter, and whoever requires one is told so.
 */
#include "server/call_filter.h"

#include <errno.h>

bool call_filter_is_possible(void)
{
	errno = ENOTSUP;
	return false;
}

int call_filter_install(bool makes_local)
{
	(void)makes_local;
	errno = ENOTSUP;
	return -1;
}
