/*
 * A password is read without stdio's buffer, which would keep a second copy, and a byte at a time,
 * since more may follow it that is somebody else's. On a terminal the echo is restored on every way
 * out. Signals are watched for with poll(2), since they are held, and while it is typed the
 * server's leaving, too: a prompt that nobody needs any more ends.
 */
#include "client/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socket.h"

static void cut_secret(char *text, size_t len)
{
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
}

/* The byte that comes next: 1, or 0 at the end; -1 with errno. */
static ssize_t read_byte(int fd, int interrupt, char *out)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = interrupt, .events = POLLIN}};
	ssize_t n;

	do {
		socket_wait(fds, 2, CLOCK_NEVER);
		if (fds[1].revents != 0) {
			errno = EINTR;
			return -1;
		}
		n = read(fd, out, 1);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n;
}

int secret_from_descriptor(int fd, int interrupt, char out[SECRET_MAX])
{
	size_t len = 0;
	ssize_t n = 0;

	while (len < SECRET_MAX - 1 && (n = read_byte(fd, interrupt, &out[len])) > 0 &&
		out[len] != '\n')
		len++;
	if (n == 0 && len == 0)
		errno = ENODATA;
	if (len == SECRET_MAX - 1)
		errno = EMSGSIZE;
	if (n < 0 || (n == 0 && len == 0) || len == SECRET_MAX - 1)
		return -1;
	cut_secret(out, len);
	return 0;
}

/* A FIFO is opened without waiting for whoever writes to it: that is waited for with the bytes. */
int secret_from_file(const char *path, int interrupt, char out[SECRET_MAX], bool *exposed)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result, saved;
	struct stat st;

	if (fd < 0)
		return -1;
	*exposed = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0;
	result = secret_from_descriptor(fd, interrupt, out);
	saved = errno;
	close(fd);
	if (result < 0 && saved == ENODATA) {
		*out = '\0';
		return 0;
	}
	errno = saved;
	return result;
}

int secret_open_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && isatty(STDIN_FILENO))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return fd;
}

/* The line that is typed, as the terminal hands it over: whole. */
static enum secret_result read_typed_line(
	int terminal, int interrupt, int other, char out[SECRET_MAX])
{
	struct pollfd fds[3] = {{.fd = terminal, .events = POLLIN},
		{.fd = interrupt, .events = POLLIN}, {.fd = other, .events = POLLIN}};
	ssize_t n;

	socket_wait(fds, 3, CLOCK_NEVER);
	if (fds[1].revents != 0)
		return SECRET_INTERRUPTED;
	if (fds[2].revents != 0)
		return SECRET_DISTURBED;
	n = read(terminal, out, SECRET_MAX - 1);
	if (n <= 0)
		return SECRET_NOTHING;
	cut_secret(out, (size_t)n);
	return SECRET_READ;
}

enum secret_result secret_ask(
	int terminal, const char *prompt, int interrupt, int other, char out[SECRET_MAX])
{
	struct termios before, blind;
	enum secret_result result;
	bool is_terminal = tcgetattr(terminal, &before) == 0;

	blind = before;
	blind.c_lflag = (blind.c_lflag & ~(tcflag_t)ECHO) | ICANON | ECHONL;
	/* Stopped here, the shell would be left without an echo. */
	blind.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (is_terminal)
		tcsetattr(terminal, TCSAFLUSH, &blind);
	dprintf(terminal, "%s", prompt);
	result = read_typed_line(terminal, interrupt, other, out);
	if (result != SECRET_READ)
		dprintf(terminal, "\n");
	if (is_terminal)
		tcsetattr(terminal, TCSAFLUSH, &before);
	return result;
}
