/*
 * The file of a socket stays behind when a server dies, and then stands in the way of the next one.
 * Whether somebody still listens there only connecting tells: a file that refuses is dead, and
 * replaced. A file is known by its inode, which is not used again while the socket is open, so that
 * nobody takes away what somebody else has made under the same name since.
 *
 * A file is made with the mode that the umask leaves it and gets its own before anybody can
 * connect, which takes listen(2).
 */
#include "net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/folder.h"

_Static_assert(LOCAL_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path),
	"LOCAL_PATH_MAX is what fits into an address");

bool local_path_fits(const char *path)
{
	return strlen(path) < LOCAL_PATH_MAX;
}

/* -1 with ENAMETOOLONG. */
static int make_address(const char *path, struct sockaddr_un *out)
{
	if (!local_path_fits(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(out->sun_path, path, strlen(path));
	return 0;
}

static int close_with_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* A socket that is connected to `path`. -1 with errno. */
static int connect_with(int flags, const char *path, int64_t patience_ms)
{
	struct timeval patience = {
		.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
	struct sockaddr_un a;
	int fd, result;

	if (make_address(path, &a) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	do
		result = connect(fd, (const struct sockaddr *)&a, sizeof(a));
	while (result < 0 && errno == EINTR);
	return result < 0 ? close_with_errno(fd) : fd;
}

/* It is a full backlog that is waited for, and the kernel then says EAGAIN at the end. */
int local_connect(const char *path, int64_t patience_ms)
{
	int fd = connect_with(0, path, patience_ms);

	if (fd < 0 && errno == EAGAIN)
		errno = ETIMEDOUT;
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return close_with_errno(fd);
	return fd;
}

/* ---- the file ---- */

/* 0 when nothing stands in the way of a new file but, `*is_socket`, another socket's. */
static int look_at(const char *path, bool *is_socket)
{
	struct stat st;

	*is_socket = false;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	*is_socket = S_ISSOCK(st.st_mode);
	errno = ENOTSOCK;
	return *is_socket ? 0 : -1;
}

/* Takes away the file of a socket that nobody listens at any more. */
static int remove_dead(const char *path)
{
	int fd = connect_with(SOCK_NONBLOCK, path, 0);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EAGAIN) /* which is a full backlog */
		errno = EADDRINUSE;
	else if (errno == ECONNREFUSED)
		return unlink(path);
	else if (errno == ENOENT)
		return 0;
	return -1;
}

int local_check(const char *path)
{
	bool is_socket;

	if (!local_path_fits(path))
		return ENAMETOOLONG;
	if (look_at(path, &is_socket) < 0)
		return errno;
	return folder_takes_file(path) ? 0 : errno;
}

const char *local_explain(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another server is listening there";
	case ENOTSOCK:
		return "there is something else of that name";
	case ENOENT:
		return "the folder is missing";
	default:
		return strerror(error);
	}
}

static bool find_file(const char *path, struct stat *st)
{
	return path[0] != '\0' && lstat(path, st) == 0;
}

bool local_is_there(const struct local_file *file)
{
	struct stat st;

	return find_file(file->path, &st) && st.st_dev == file->device && st.st_ino == file->inode;
}

void local_remove(const struct local_file *file)
{
	if (local_is_there(file))
		(void)unlink(file->path); /* else the next start does it */
}

/* ---- listening ---- */

/* Binds and begins to listen. */
static int open_at(int fd, const struct sockaddr_un *a, int backlog, struct local_file *file)
{
	struct stat st;

	if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) < 0)
		return -1;
	if (!find_file(a->sun_path, &st))
		return -1;
	strcpy(file->path, a->sun_path);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	if (chmod(file->path, LOCAL_MODE) == 0 && listen(fd, backlog) == 0)
		return 0;
	local_remove(file);
	return -1;
}

int local_listen(const char *path, int backlog, struct local_file *file)
{
	struct sockaddr_un a;
	bool is_socket;
	int fd;

	if (make_address(path, &a) < 0 || look_at(path, &is_socket) < 0)
		return -1;
	if (is_socket && remove_dead(path) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	return open_at(fd, &a, backlog, file) < 0 ? close_with_errno(fd) : fd;
}

bool local_peer(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	*uid = peer.uid;
	return true;
}
