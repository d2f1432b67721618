/*
 * A password is read without stdio's buffer, which would keep a second copy, and the terminal's
 * echo is restored on every way out. While it is typed, signals and the server's leaving are
 * watched for with poll(2): a prompt that nobody needs any more ends.
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

/* Cuts at the end of the line; false when there was none in a full buffer. */
static bool cut_secret(char *text, size_t len)
{
	size_t end = strcspn(text, "\n");

	if (end == len && len == SECRET_MAX - 1)
		return false;
	if (end > 0 && text[end - 1] == '\r')
		end--;
	text[end] = '\0';
	return true;
}

static int read_secret_line(FILE *file, char out[SECRET_MAX])
{
	size_t len = fread(out, 1, SECRET_MAX - 1, file);

	out[len] = '\0';
	if (ferror(file))
		return -1;
	if (!cut_secret(out, len)) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int secret_from_file(const char *path, char out[SECRET_MAX], bool *exposed)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	int result;

	if (file == NULL)
		return -1;
	setvbuf(file, NULL, _IONBF, 0); /* no second copy of the password */
	*exposed = fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0;
	result = read_secret_line(file, out);
	fclose(file);
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
	out[n] = '\0';
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
