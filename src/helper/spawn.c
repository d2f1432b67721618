/*
 * posix_spawn(3) makes the process without a copy of ours, and waits until it is the other program:
 * so a command that cannot be executed is known here, and its group of processes is there when this
 * returns.
 */
#include "helper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

extern char **environ;

enum { CHILD_READS, CHILD_WRITES };

struct ends {
	int ours, theirs;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* -1 with errno. Only our end is not to block: programs take theirs for a file. */
static int open_pipe(struct ends *e, int direction)
{
	int fds[2];

	*e = (struct ends){-1, -1};
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*e = direction == CHILD_READS ? (struct ends){.ours = fds[1], .theirs = fds[0]}
				      : (struct ends){.ours = fds[0], .theirs = fds[1]};
	return fcntl(e->ours, F_SETFL, O_NONBLOCK);
}

/* An errno value, or 0. */
static int spawn_with(char *const argv[], const struct ends pipes[3], pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t all, none;
	int error = 0;

	sigfillset(&all);
	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setflags(
		&how, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	for (int fd = 0; fd < 3 && error == 0; fd++)
		error = posix_spawn_file_actions_adddup2(&files, pipes[fd].theirs, fd);
	if (error == 0)
		error = posix_spawnp(pid, argv[0], &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

int spawn_command(char *const argv[], struct spawned *out)
{
	struct ends pipes[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int error = 0;

	*out = (struct spawned){.in = -1, .out = -1, .err = -1};
	for (int fd = 0; fd < 3 && error == 0; fd++)
		error = open_pipe(&pipes[fd], fd == 0 ? CHILD_READS : CHILD_WRITES) < 0 ? errno : 0;
	if (error == 0)
		error = spawn_with(argv, pipes, &out->pid);
	for (int fd = 0; fd < 3; fd++) {
		close_end(&pipes[fd].theirs);
		if (error != 0)
			close_end(&pipes[fd].ours);
	}
	out->in = pipes[0].ours;
	out->out = pipes[1].ours;
	out->err = pipes[2].ours;
	errno = error;
	return error == 0 ? 0 : -1;
}

void spawn_close(struct spawned *s)
{
	close_end(&s->in);
	close_end(&s->out);
	close_end(&s->err);
}

void spawn_signal(const struct spawned *s, int number)
{
	(void)kill(-s->pid, number);
}
