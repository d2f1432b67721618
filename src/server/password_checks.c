/*
 * A hash keeps a processor busy and takes 16 MB (yescrypt as libcrypt makes it; others take less),
 * so more at once than there are processors finish no sooner.
 */
#include "server/password_checks.h"

#include <unistd.h>

#include "base/processors.h"

#define MEMORY_SHARE 16
#define CHECK_BYTES (16 * 1024 * 1024) /* measured */

static size_t checks_in_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || page <= 0)
		return 1;
	return (size_t)pages / MEMORY_SHARE * (size_t)page / CHECK_BYTES;
}

unsigned password_checks_most(const struct settings *s)
{
	unsigned most = processors_usable();
	size_t fit = checks_in_memory();

	if (s->max_password_checks != 0)
		return (unsigned)s->max_password_checks;
	if (most > fit)
		most = (unsigned)fit;
	if (most > SETTINGS_MOST_PASSWORD_CHECKS)
		most = SETTINGS_MOST_PASSWORD_CHECKS;
	return most == 0 ? 1 : most;
}
