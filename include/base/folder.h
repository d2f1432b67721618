/* folder: the folder that a path is in. No state, no lock. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <limits.h>
#include <stdbool.h>

/* Its path, which is in `copy` or a constant. */
const char *folder_of(const char *path, char copy[PATH_MAX]);

/* May we make, replace and remove a file at `path`, as far as can be told without doing so? False
 * with errno. */
bool folder_takes_file(const char *path);

#endif
