/* stamp: what tells one version of a file from another without reading it. A value; no lock. */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/* Of the file at `path` as it is now; all zeros when there is none. */
struct stamp stamp_of(const char *path);

bool stamp_equal(const struct stamp *a, const struct stamp *b);

#endif
