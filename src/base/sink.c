#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
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
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	int result, saved;

	if (fd < 0)
		return -1;
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
	ssize_t n;

	do
		n = write(atomic_load(&s->fd), line, len);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
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
