/* users_file: the file of users, NAME:HASH:ROLE a line, read and rewritten. No state, no lock: one
 * thread at a time may write. */
#ifndef STATE_USERS_FILE_H
#define STATE_USERS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "state/users.h"

struct users_file_entry {
	const char *name;
	size_t name_len;
	const char *hash; /* NULL, when writing: the user's line is taken out */
	enum user_role role;
};

/* Calls `take` with each user; the strings are valid during the call only. `take` returns NULL, or
 * why it does not want the entry. -1 with "file:line: why" in `error`, at the first problem. */
int users_file_read(const char *path,
	const char *(*take)(void *context, const struct users_file_entry *entry), void *context,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Has the file at `path` a line of this name, whatever else is in it? */
bool users_file_has(const char *path, const char *name);

/* Writes the file anew with `entries` in the place of the lines of the same names, or behind the
 * last line; every other line, comments too, stays as it is. Atomic: at any time, even after a
 * crash, the file is the old or the new one as a whole. Mode 0600; a symbolic link is followed. -1
 * with the reason in `error`, and the old file is untouched. */
int users_file_write(const char *path, const struct users_file_entry *entries, size_t count,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
