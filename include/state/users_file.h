/* users_file: users in a file, NAME:HASH:ROLE:ATTRIBUTES a line, as the backend of `users`. No
 * lock: one thread at a time. */
#ifndef STATE_USERS_FILE_H
#define STATE_USERS_FILE_H

#include "state/users.h"

/* The users of the file at `path`. Whoever does not give it to users_new() frees its context.
 *
 * Loading says "file:line: why" of the first line that is wrong. A file that is missing has no
 * users, if its folder is there. Saving and removing write the file anew: of the line of that user
 * only hash and role change, and all others, comments too, stay as they are; a new user comes last,
 * and a missing file is made, mode 0600. They refuse a file that is not the one that was read, and
 * settled, or written last. The file is replaced at once: at any time, even after a crash, it is
 * the old or the new one as a whole. Owner, group and their rights stay; rights of others are
 * dropped, which is logged. A symbolic link is followed. A file beside it, PATH.lock, keeps other
 * servers out meanwhile, which are waited for up to a second. When it fails the old file is
 * untouched. */
struct users_backend users_file_backend(const char *path);

/* Could users be saved there, as far as can be told without a trace? -1 with the reason in `error`.
 */
int users_file_can_be_written(const char *path, char error[USERS_ERROR_MAX]);

#endif
