/* secret: passwords from a file or typed blindly. No state, no lock. */
#ifndef CLIENT_SECRET_H
#define CLIENT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_MAX 1024 /* a typed line or a password, with its NUL */

/* The first line of the file, empty when it has none. `*exposed` when others than its owner can
 * read it. -1 with errno; EMSGSIZE for a line that is too long, EINTR when the descriptor
 * `interrupt` became readable first. */
int secret_from_file(const char *path, int interrupt, char out[SECRET_MAX], bool *exposed)
	__attribute__((warn_unused_result));

/* The next line of what is read with read(2), and not a byte of what is behind it. -1 with errno:
 * ENODATA when there is none, else as above. */
int secret_from_descriptor(int fd, int interrupt, char out[SECRET_MAX])
	__attribute__((warn_unused_result));

/* The process's terminal, to ask on: a descriptor to be closed, -1 when there is none. */
int secret_open_terminal(void);

enum secret_result {
	SECRET_READ,
	SECRET_NOTHING, /* Ctrl-D instead of a line, or no more terminal */
	SECRET_INTERRUPTED, /* the descriptor `interrupt` became readable first */
	SECRET_DISTURBED, /* the descriptor `other` did */
};

/* Prints `prompt` and reads a line without showing it. The terminal is as before in any case. */
enum secret_result secret_ask(
	int terminal, const char *prompt, int interrupt, int other, char out[SECRET_MAX]);

#endif
