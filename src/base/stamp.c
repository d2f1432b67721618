/*
 * The inode tells a file that was replaced by rename(2), size and time one that was written in
 * place. A missing file has the stamp of no file, so that coming and going are changes too.
 */
#include "base/stamp.h"

struct stamp stamp_of(const char *path)
{
	struct stat st;
	struct stamp stamp = {0};

	if (stat(path, &st) == 0) {
		stamp.device = st.st_dev;
		stamp.inode = st.st_ino;
		stamp.size = st.st_size;
		stamp.modified = st.st_mtim;
	}
	return stamp;
}

bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
		a->modified.tv_sec == b->modified.tv_sec &&
		a->modified.tv_nsec == b->modified.tv_nsec;
}
