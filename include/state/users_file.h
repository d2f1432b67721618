/* users_file: users in a file, NAME:HASH:ROLE:ATTRIBUTES a line, as the backend of `users`. No
 * lock: one thread at a time. */
#ifndef STATE_USERS_FILE_H
#define STATE_USERS_FILE_H

#include "state/users.h"

/* The users of the file at `path`, which lives as long as the backend is used.
 *
 * Loading says "file:line: why" of the first line that is wrong. Saving and removing write the file
 * anew: of the line of that user only hash and role change, and all others, comments too, stay as
 * they are; a new user comes last, and a missing file is made. A user who is to be new and has a
 * line already is refused. The file is replaced at once: at any time, even after a crash, it is the
 * old or the new one as a whole. Mode 0600; a symbolic link is followed. When that fails the old
 * file is untouched. */
struct users_backend users_file_backend(const char *path);

#endif
