/* local: unix stream sockets with a name in the file system: listening at one, connecting to one,
 * and who is at the other end. As in socket.h descriptors are born non-blocking and close-on-exec.
 * No state. */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOCAL_PATH_MAX 108 /* bytes of a path, its NUL included: unix(7) */
#define LOCAL_MODE 0660 /* of the file */

/* The file of a listener, to be recognized. */
struct local_file {
	char path[LOCAL_PATH_MAX]; /* "": none */
	dev_t device;
	ino_t inode;
};

/* Is it short enough? */
bool local_path_fits(const char *path);

/* Could somebody listen at `path`, as far as the file system tells? A socket that is there already
 * is no reason against it. 0 or an errno value as of local_listen(). */
int local_check(const char *path);

/* A listener with a new file `path`, which its owner and group may connect to. The file of one that
 * is dead is replaced. -1 with errno: EADDRINUSE when somebody listens there, ENOTSOCK when there
 * is something else. */
int local_listen(const char *path, int backlog, struct local_file *file)
	__attribute__((warn_unused_result));

/* What such an errno value means there, in words. */
const char *local_explain(int error);

/* Is the file the one that the listener made? */
bool local_is_there(const struct local_file *file);

/* Takes the file away, if it is. To be called while the listener is open. */
void local_remove(const struct local_file *file);

/* A connection to whoever listens at `path`, for whom it waits so long. -1 with errno. */
int local_connect(const char *path, int64_t patience_ms) __attribute__((warn_unused_result));

/* As which user the other end of `fd` has connected (SO_PEERCRED). False when the kernel does not
 * say. */
bool local_peer(int fd, uid_t *uid);

#endif
