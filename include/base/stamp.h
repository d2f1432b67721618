/* stamp: what tells one version of a file from another without reading it. A value; no lock. */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed; /* the content; that, or owner, rights, name */
};

/* Of the file at `path` as it is now; all zeros when there is none. */
struct stamp stamp_of(const char *path);

/* Of the one that is open, wherever its name has gone; all zeros when that cannot be told. */
struct stamp stamp_of_open(int fd);

bool stamp_equal(const struct stamp *a, const struct stamp *b);

#endif
