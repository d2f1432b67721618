/*
 * The pager is the shell's child and has the terminal until it ends. Ctrl-C is for it meanwhile,
 * and Ctrl-Z stops both. One that cannot be run, or does not take all of the text, has a reason of
 * its own: then the text is printed, or was enough.
 */
#include "client/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/signals.h"
#include "client/terminal.h"

#define NOT_FOUND 127 /* what shells say of a command that is not there */

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* The command; NULL: none is wanted, or there is none. */
static const char *pager_command(void)
{
	const char *pager = getenv("PAGER"), *type = getenv("TERM");

	if (pager != NULL)
		return *pager == '\0' ? NULL : pager;
	if (type == NULL || strcmp(type, "dumb") == 0 || !is_in_path("less"))
		return NULL;
	return "less";
}

static bool is_longer_than_terminal(const char *text, size_t len)
{
	int lines, columns, count = 0;

	if (!terminal_size(&lines, &columns))
		return false;
	for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))) != NULL; p++)
		count++;
	return count >= lines; /* the prompt takes one */
}

__attribute__((noreturn)) static void become_pager(const char *command, int in)
{
	signals_restore();
	setenv("LESS", "FRX", 0);
	unsetenv("MONITOR_PASSWORD");
	if (dup2(in, STDIN_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(NOT_FOUND);
}

/* As much as it wants to read. */
static void write_to_pager(int fd, const char *text, size_t len)
{
	struct sigaction ignored = {.sa_handler = SIG_IGN}, before;

	sigaction(SIGPIPE, &ignored, &before);
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	close(fd);
	sigaction(SIGPIPE, &before, NULL);
}

/* Its exit status; -1 when a signal ended it. Stops with it, and goes on with it. */
static int await_pager(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, WUNTRACED) < 0) {
			if (errno != EINTR)
				return -1;
		} else if (WIFSTOPPED(status)) {
			signals_stop_here();
			kill(pid, SIGCONT);
		} else {
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
	}
}

/* Returns its exit status, as await_pager() does. */
static int talk_to_pager(const char *command, const char *text, size_t len)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NOT_FOUND;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become_pager(command, ends[0]);
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return NOT_FOUND;
	}
	write_to_pager(ends[1], text, len);
	return await_pager(pid);
}

/* False when there is no such command. Ctrl-Z is the pager's: stopped by that and by the pager's
 * stop, we would stop twice. */
static bool run_pager(const char *command, const char *text, size_t len)
{
	sigset_t stopping, before;
	int status;

	sigemptyset(&stopping);
	sigaddset(&stopping, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stopping, &before);
	status = talk_to_pager(command, text, len);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signals_forget_interrupt();
	return status != NOT_FOUND;
}

void pager_show(const char *text, size_t len)
{
	const char *command = is_longer_than_terminal(text, len) ? pager_command() : NULL;

	if (command == NULL || !run_pager(command, text, len))
		fwrite(text, 1, len, stdout);
}
