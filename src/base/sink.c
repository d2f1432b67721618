/*
 * Logs are opened again while other threads write to them. Instead of a lock around every line,
 * the new file takes the old one's number: a writer that is about to write writes to the one or to
 * the other. Regular files never block; anything else is asked with poll(2) first, and only the
 * first line of a stall waits.
 */
#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* How long the first line waits that the sink does not take. */
#define STALL_MS 500

static void note_kind(struct sink *s)
{
	struct stat st;

	atomic_store(&s->never_blocks, fstat(atomic_load(&s->fd), &st) == 0 && S_ISREG(st.st_mode));
}

int sink_redirect(struct sink *s, int fd)
{
	int own = atomic_load(&s->fd);

	if (own < 0)
		atomic_store(&s->fd, fd);
	else if (own != fd && dup3(fd, own, O_CLOEXEC) < 0)
		return -1;
	note_kind(s);
	return 0;
}

int sink_open(struct sink *s, const char *path)
{
	/* A FIFO that nobody reads is refused (ENXIO) instead of waited for. */
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	int result, saved;

	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFL, O_APPEND);
	result = sink_redirect(s, fd);
	saved = errno;
	if (atomic_load(&s->fd) != fd)
		close(fd);
	errno = saved;
	return result;
}

bool sink_takes_line(struct sink *s)
{
	struct pollfd p = {.fd = atomic_load(&s->fd), .events = POLLOUT};

	if (atomic_load_explicit(&s->never_blocks, memory_order_relaxed))
		return true;
	if (poll(&p, 1, atomic_load(&s->stalled) ? 0 : STALL_MS) != 0)
		return true;
	atomic_store(&s->stalled, true);
	atomic_fetch_add(&s->lost, 1);
	return false;
}

bool sink_write(struct sink *s, const void *line, size_t len)
{
	/* Of the last line only a part went, on a full disk say: this one is not to run into it. */
	bool was_torn = atomic_load_explicit(&s->torn, memory_order_relaxed) &&
		atomic_exchange(&s->torn, false);
	struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t) "\n", .iov_len = was_torn},
		{.iov_base = (void *)(uintptr_t)line, .iov_len = len}};
	ssize_t n;

	do
		n = writev(atomic_load(&s->fd), parts, 2);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)(was_torn + len))
		return true;
	if (n > 0 || was_torn)
		atomic_store(&s->torn, true);
	return false;
}

bool sink_recovered(struct sink *s, uint64_t *lost)
{
	if (!atomic_load_explicit(&s->stalled, memory_order_relaxed) ||
		!atomic_exchange(&s->stalled, false))
		return false;
	*lost = atomic_exchange(&s->lost, 0);
	return true;
}

void sink_close(struct sink *s)
{
	int fd = atomic_exchange(&s->fd, -1);

	if (fd >= 0)
		close(fd);
}
