/* copies: of files that others keep, as they were when they were read last, in state_dir. No
 * state, no lock; what is written is one thread's. */
#ifndef STATE_COPIES_H
#define STATE_COPIES_H

#include <limits.h>

/* Where the copy of the file at `path` is, if there is one. Returns `out`. */
const char *copies_path(const char *state_dir, const char *path, char out[PATH_MAX]);

/* Makes a copy of the file, unless there is one that is as old as it and as long. -1 with errno,
 * and a copy from before stays. */
int copies_save(const char *state_dir, const char *path) __attribute__((warn_unused_result));

#endif
