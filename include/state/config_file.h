/* config_file: a file of lines "name = value", read into the values of a table of settings. No
 * state, no lock. */
#ifndef STATE_CONFIG_FILE_H
#define STATE_CONFIG_FILE_H

#include "state/setting_types.h"

#define CONFIG_FILE_ERROR_MAX 1024

/* A line is "name = value"; # or ; begins a comment, at the beginning of a line or behind a blank.
 * A value in double quotes may hold these too, with \" for a quote and \\ for a backslash. */

/* Sets what the file at `path` says of the `count` settings of `table`, whose values are in
 * `values`; those that keep their place refer to `path`. `lines` has a place for each of them, and
 * gets the number of the first line that sets it, 0 for those that the file says nothing of. A
 * setting stands there once, a list as often as it likes. -1 with "file:line: name: why" in
 * `error`, for the first line that is wrong; some of the values are set then. A pipe is read only
 * where `may_be_pipe`. */
int config_file_read(const char *path, bool may_be_pipe, const struct setting *table, size_t count,
	void *values, unsigned *lines, char error[CONFIG_FILE_ERROR_MAX])
	__attribute__((warn_unused_result));

/* The line that config_file_read() takes for the value, in quotes where it needs them: without its
 * LF, to be freed. NULL without memory. */
char *config_file_line(const struct setting *setting, const void *values);

#endif
