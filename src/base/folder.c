/*
 * Whether a file could be made is asked of the folder: trying it would leave one, or take away what
 * another process has begun to use meanwhile. The kernel answers as it would then, with a file
 * system that is mounted for reading only and a folder that is not to be changed counted in.
 */
#include "base/folder.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

const char *folder_of(const char *path, char copy[PATH_MAX])
{
	snprintf(copy, PATH_MAX, "%s", path);
	return dirname(copy);
}

bool folder_takes_file(const char *path)
{
	char copy[PATH_MAX], inside[PATH_MAX + 2];

	/* The dot is in a folder only. */
	snprintf(inside, sizeof(inside), "%s/.", folder_of(path, copy));
	return faccessat(AT_FDCWD, inside, W_OK | X_OK, AT_EACCESS) == 0;
}
