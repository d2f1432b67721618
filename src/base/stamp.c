/*
 * The inode tells a file that was replaced by rename(2), size and time one that was written in
 * place. Of the two times the later cannot be set back, and it also tells that who may read the
 * file has changed. A missing file has the stamp of no file, so that coming and going are changes
 * too.
 */
#include "base/stamp.h"

static struct stamp stamp_from(const struct stat *st)
{
	return (struct stamp){.device = st->st_dev,
		.inode = st->st_ino,
		.size = st->st_size,
		.modified = st->st_mtim,
		.changed = st->st_ctim};
}

struct stamp stamp_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? stamp_from(&st) : (struct stamp){0};
}

struct stamp stamp_of_open(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? stamp_from(&st) : (struct stamp){0};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
		is_same_time(&a->modified, &b->modified) && is_same_time(&a->changed, &b->changed);
}
