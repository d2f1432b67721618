/*
 * Signals are blocked and read from descriptors, so that they are handled between two steps of the
 * program and never inside one. At most two sets exist, because what a full screen must see (size,
 * Ctrl-Z) should do its usual work otherwise.
 */
#include "client/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ending_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

static sigset_t screen_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	return set;
}

static int open_signalfd(const sigset_t *set)
{
	sigprocmask(SIG_BLOCK, set, NULL);
	return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_open(struct signals *s, bool screen)
{
	sigset_t ending = ending_set(), others = screen_set();

	*s = (struct signals){.ending = open_signalfd(&ending), .screen = -1};
	if (screen)
		s->screen = open_signalfd(&others);
	return s->ending < 0 || (screen && s->screen < 0) ? -1 : 0;
}

static void close_one(int *fd, const sigset_t *set)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	sigprocmask(SIG_UNBLOCK, set, NULL);
}

void signals_close(struct signals *s)
{
	sigset_t ending = ending_set(), others = screen_set();

	close_one(&s->screen, &others);
	close_one(&s->ending, &ending);
}

static int next_of(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

int signals_next(const struct signals *s)
{
	return next_of(s->screen);
}

int signals_next_ending(const struct signals *s)
{
	return next_of(s->ending);
}

void signals_forget_interrupt(void)
{
	const struct timespec at_once = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	while (sigtimedwait(&set, NULL, &at_once) == SIGINT)
		;
}

void signals_restore(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_stop_here(void)
{
	raise(SIGSTOP);
}
