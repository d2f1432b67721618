/*
 * Whoever wants a descriptor asks the budget before the kernel, and the budget never promises more
 * than the limit has. What a session cannot do without is set aside at start; only what it could
 * do without comes from the spare, so that a full house still serves.
 */
#include "net/fdbudget.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Lines of /proc/self/fd that are no descriptors of ours: ".", ".." and the listing's own. */
#define NOT_OURS 3

/* What a container sets as "unlimited" is more than anybody can use. */
#define MOST_DESCRIPTORS 1048576

size_t fdbudget_raise_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 0;
	if (rl.rlim_cur < rl.rlim_max) {
		rlim_t soft = rl.rlim_cur;

		rl.rlim_cur = rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
			rl.rlim_cur = soft;
	}
	return rl.rlim_cur < MOST_DESCRIPTORS ? rl.rlim_cur : MOST_DESCRIPTORS;
}

size_t fdbudget_count_open(void)
{
	DIR *dir;
	size_t lines = 0;
	struct stat st;

	/* Since Linux 6.2 the folder's size is their number: of many that is quicker. */
	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (size_t)st.st_size;
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 3; /* without /proc: the standard ones, at least */
	while (readdir(dir) != NULL)
		lines++;
	closedir(dir);
	return lines - NOT_OURS;
}

static size_t least_spare(size_t limit)
{
	size_t spare = limit / 64;

	if (spare < 16)
		return 16;
	return spare > 128 ? 128 : spare;
}

void fdbudget_plan(struct fdbudget *b, size_t limit, size_t reserved, size_t wanted)
{
	size_t kept = reserved + least_spare(limit);
	size_t fit = limit > kept ? (limit - kept) / FDBUDGET_PER_SESSION : 0;

	b->limit = limit;
	b->reserved = reserved;
	b->sessions = fit < wanted ? fit : wanted;
	b->spare = limit > kept ? limit - reserved - b->sessions * FDBUDGET_PER_SESSION : 0;
	atomic_init(&b->spare_used, 0);
}

bool fdbudget_borrow(struct fdbudget *b, size_t n)
{
	if (atomic_fetch_add(&b->spare_used, n) + n <= b->spare)
		return true;
	fdbudget_return(b, n);
	return false;
}

void fdbudget_return(struct fdbudget *b, size_t n)
{
	atomic_fetch_sub(&b->spare_used, n);
}

bool fd_lease_take(struct fd_lease *lease)
{
	if (lease->held > 0 && !fdbudget_borrow(lease->budget, 1))
		return false;
	lease->held++;
	return true;
}

void fd_lease_give(struct fd_lease *lease)
{
	if (--lease->held > 0)
		fdbudget_return(lease->budget, 1);
}
