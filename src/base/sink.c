/*
 * Logs are opened again while other threads write to them. Instead of a lock around every line,
 * the new file takes the old one's number: a writer that is about to write writes to the one or to
 * the other.
 *
 * Nobody waits for a log. Of what may have no room poll(2) is asked first, and only the first line
 * of a stall waits. Since many ask and then write at the same moment, the write itself does not
 * block either. What we were given is shared with whoever gave it, a shell
 * say, which O_NONBLOCK would hit too: a socket is told with each line, and the others are opened
 * anew. Where that is refused, poll(2) is all there is.
 *
 * A regular file always has room, by poll(2), and blocks when its disk hangs, which nothing can be
 * told in advance. So it is never more than a few who write to it at once: they may be stuck, and
 * all others give up after a while, and then at once.
 *
 * A line that could only be written in part is ended before the next one, and so is one that is
 * found at the end of a file: the kernel ends the write(2) of a process that is killed where a page
 * does.
 */
#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How long the first line waits that the sink does not take. */
#define STALL_MS 500
#define LOOK_NS 1000000L /* how often, meanwhile, at a disk */

#define PATH_OF_FD 32

enum kind {
	KIND_OTHER, /* may have no room: a pipe, a terminal */
	KIND_SOCKET,
	KIND_REGULAR, /* waits for nobody but its disk */
};

static enum kind kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return KIND_OTHER;
	if (S_ISREG(st.st_mode))
		return KIND_REGULAR;
	return S_ISSOCK(st.st_mode) ? KIND_SOCKET : KIND_OTHER;
}

/* By which it can be opened once more. */
static const char *path_of(int fd, char path[PATH_OF_FD])
{
	snprintf(path, PATH_OF_FD, "/proc/self/fd/%d", fd);
	return path;
}

static bool is_same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
		st_a.st_ino == st_b.st_ino;
}

/* Does it end within a line, since whoever wrote that was killed, say? What may not be read is
 * taken to be whole. */
static bool ends_within_line(int fd)
{
	struct stat st;
	char path[PATH_OF_FD], last = '\n';
	int own;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	own = open(path_of(fd, path), O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return false;
	if (pread(own, &last, 1, st.st_size - 1) < 1)
		last = '\n';
	close(own);
	return last != '\n';
}

int sink_adopt(struct sink *s, int fd)
{
	int own = atomic_load(&s->fd), result = 0, saved;
	enum kind kind = kind_of(fd);

	/* Of what is written to by now the last line may just be on its way. */
	if (own < 0 || !is_same_file(own, fd))
		atomic_store(&s->torn, ends_within_line(fd));
	if (own < 0) {
		atomic_store(&s->kind, kind);
		atomic_store(&s->fd, fd);
		return 0;
	}
	/* What serves for any, as long as it may be the one or the other. */
	atomic_store(&s->kind, KIND_OTHER);
	if (dup3(fd, own, O_CLOEXEC) < 0) {
		kind = kind_of(own);
		result = -1;
	}
	atomic_store(&s->kind, kind);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* A description of our own of what `fd` is; -1 where there can be none. */
static int open_anew(int fd)
{
	char path[PATH_OF_FD];

	if (kind_of(fd) != KIND_OTHER)
		return -1;
	return open(path_of(fd, path), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int sink_open_same(int fd)
{
	int own = open_anew(fd);

	return own < 0 ? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : own;
}

int sink_open_file(const char *path)
{
	/* A FIFO that nobody reads is refused (ENXIO) instead of waited for. */
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

int sink_open(struct sink *s, const char *path)
{
	int fd = sink_open_file(path);

	return fd < 0 ? -1 : sink_adopt(s, fd);
}

void sink_lose(struct sink *s, uint64_t lines)
{
	atomic_fetch_add(&s->lost, lines);
	atomic_store(&s->stalled, true);
}

/* Has it room for a line, or has some in a moment? A regular file is judged by those who write. */
static bool has_room(const struct sink *s)
{
	bool stalled = atomic_load_explicit(&s->stalled, memory_order_relaxed);
	struct pollfd p = {.fd = atomic_load(&s->fd), .events = POLLOUT};

	if (atomic_load_explicit(&s->kind, memory_order_relaxed) == KIND_REGULAR)
		return !stalled || atomic_load(&s->writers) < SINK_WRITERS_MAX;
	return poll(&p, 1, stalled ? 0 : STALL_MS) != 0;
}

bool sink_takes_line(struct sink *s)
{
	if (has_room(s))
		return true;
	sink_lose(s, 1);
	errno = EAGAIN;
	return false;
}

static ssize_t write_parts(struct sink *s, struct iovec parts[2])
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	int fd = atomic_load(&s->fd);
	ssize_t n = -1;

	errno = ENOTSOCK;
	if (atomic_load_explicit(&s->kind, memory_order_relaxed) == KIND_SOCKET)
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* Another thread may have gone over to something else meanwhile. */
	return n < 0 && errno == ENOTSOCK ? writev(fd, parts, 2) : n;
}

/* ---- few at a time ---- */

static bool try_to_enter(struct sink *s)
{
	if (atomic_fetch_add(&s->writers, 1) < SINK_WRITERS_MAX)
		return true;
	atomic_fetch_sub(&s->writers, 1);
	return false;
}

/* Is it a disk that gets on? */
static bool enter(struct sink *s)
{
	static const struct timespec pause = {.tv_nsec = LOOK_NS};
	int64_t deadline;

	if (try_to_enter(s))
		return true;
	deadline = clock_deadline(atomic_load(&s->stalled) ? 0 : STALL_MS);
	while (clock_ms() < deadline) {
		nanosleep(&pause, NULL);
		if (try_to_enter(s))
			return true;
	}
	errno = EAGAIN;
	return false;
}

/* As writev(2). */
static ssize_t write_in_turn(struct sink *s, struct iovec parts[2])
{
	ssize_t n;

	if (!enter(s))
		return -1;
	do
		n = write_parts(s, parts);
	while (n < 0 && errno == EINTR);
	atomic_fetch_sub(&s->writers, 1);
	return n;
}

bool sink_write(struct sink *s, const void *line, size_t len)
{
	/* Of the last line only a part went, on a full disk say: this one is not to run into it. */
	bool was_torn = atomic_load_explicit(&s->torn, memory_order_relaxed) &&
		atomic_exchange(&s->torn, false);
	struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t) "\n", .iov_len = was_torn},
		{.iov_base = (void *)(uintptr_t)line, .iov_len = len}};
	ssize_t n = write_in_turn(s, parts);

	if (n == (ssize_t)(was_torn + len))
		return true;
	sink_lose(s, 1);
	if (n > 0 || was_torn)
		atomic_store(&s->torn, true);
	if (n >= 0)
		errno = ENOSPC; /* as the rest of it would be told */
	return false;
}

const char *sink_problem(int error, char *words, size_t size)
{
	return error == EAGAIN ? "it is too slow" : strerror_r(error, words, size);
}

bool sink_recovered(struct sink *s, uint64_t *lost)
{
	if (!atomic_load_explicit(&s->stalled, memory_order_relaxed) ||
		!atomic_exchange(&s->stalled, false))
		return false;
	*lost = atomic_exchange(&s->lost, 0);
	return *lost > 0;
}

void sink_close(struct sink *s)
{
	int fd = atomic_exchange(&s->fd, -1);

	if (fd >= 0)
		close(fd);
	atomic_store(&s->stalled, false);
	atomic_store(&s->torn, false);
	atomic_store(&s->lost, 0);
}
