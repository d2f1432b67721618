/*
 * One thread and one poll(2): helpers are slow and the work between two waits is small. Signals
 * come by a descriptor of that poll, so nothing is interrupted, and a helper's end is one of them.
 *
 * The helpers are started before the socket is there, so that a command that cannot be executed is
 * told to whoever starts us. The end is bounded: they are told to, and killed a moment later.
 */
#include "helper/service.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "helper/callers.h"
#include "helper/crew.h"
#include "helper/polls.h"
#include "net/local.h"
#include "net/notify.h"
#include "net/socket.h"

#define CALLERS_MOST 512
#define CALLERS_LEAST 8 /* what is worth to begin with */
#define OWN_FILES 16 /* standard ones, listener, signals, log, manager and some to spare */
#define BACKLOG 512
#define STOP_MS 3000 /* two of them for helpers that are told to end */
#define CREWS 2

struct service {
	const struct arguments *arguments;
	char groups_name[64], *groups_argv[4]; /* of the second command */
	int signals, listener;
	struct local_file file;
	struct notify notify;
	struct polls polls;
	struct crew *crews[CREWS]; /* of logins, and of groups or NULL */
	size_t most_callers;
	struct callers *callers;
	bool is_to_end;
};

static sigset_t taken_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	return set;
}

void service_block_signals(void)
{
	sigset_t set = taken_signals();

	sigaddset(&set, SIGPIPE); /* of a helper that has ended */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* ---- the start: each -1 with the reason ---- */

static int fail_start(char *error, const char *what, const char *why)
{
	snprintf(error, ARGUMENTS_ERROR_MAX, "%.200s: %s", what, why);
	return -1;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int make_crew(struct service *s, int i, const struct crew_plan *plan, char *error)
{
	s->crews[i] = crew_new(plan);
	return s->crews[i] == NULL ? fail_start(error, "helpers", strerror(ENOMEM)) : 0;
}

static int make_logins(struct service *s, char *error)
{
	const struct arguments *a = s->arguments;
	const struct crew_plan plan = {.argv = a->command,
		.name = name_of(a->command[0]),
		.children = a->children,
		.concurrency = a->concurrency,
		.timeout_ms = a->timeout_ms};

	return make_crew(s, 0, &plan, error);
}

/* What it is called in the log: the first word, without folders. */
static void name_groups(struct service *s)
{
	char word[sizeof(s->groups_name)];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(s->arguments->groups, " \t"),
		s->arguments->groups);
	strcpy(s->groups_name, name_of(word));
}

/* The shell becomes the program, where it is one. */
static int make_groups(struct service *s, char *error)
{
	static char shell[] = "/bin/sh", takes_command[] = "-c";
	const struct arguments *a = s->arguments;
	const struct crew_plan plan = {.argv = s->groups_argv,
		.name = s->groups_name,
		.children = a->children,
		.concurrency = a->groups_concurrency,
		.timeout_ms = a->timeout_ms};

	if (a->groups == NULL)
		return 0;
	if (asprintf(&s->groups_argv[2], "exec %s", a->groups) < 0) {
		s->groups_argv[2] = NULL;
		return fail_start(error, "--groups", strerror(ENOMEM));
	}
	s->groups_argv[0] = shell;
	s->groups_argv[1] = takes_command;
	name_groups(s);
	return make_crew(s, 1, &plan, error);
}

static int start_crews(struct service *s, bool *hopeless, char *error)
{
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] != NULL && crew_start(s->crews[i]) < 0) {
			*hopeless = errno == ENOENT || errno == EACCES || errno == ENOEXEC;
			return fail_start(error,
				i == 0 ? s->arguments->command[0] : s->groups_argv[0],
				strerror(errno));
		}
	}
	return 0;
}

static int open_socket(struct service *s, char *error)
{
	s->listener = local_listen(s->arguments->socket, BACKLOG, &s->file);
	if (s->listener < 0)
		return fail_start(error, s->arguments->socket, local_explain(errno));
	log_message(LOG_INFO, "listening at %s", s->arguments->socket);
	return 0;
}

/* How many callers there is room for beside the helpers' pipes. */
static size_t callers_that_fit(size_t pipes)
{
	struct rlimit files;
	size_t limit = CALLERS_MOST + pipes + OWN_FILES;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < limit)
		limit = (size_t)files.rlim_cur;
	return limit > pipes + OWN_FILES ? limit - pipes - OWN_FILES : 0;
}

/* All that there can be to wait for. */
static int make_room(struct service *s, char *error)
{
	const struct arguments *a = s->arguments;
	size_t pipes = CREW_POLLS(a->children) * (a->groups != NULL ? 2 : 1);

	s->most_callers = callers_that_fit(pipes);
	if (s->most_callers < CALLERS_LEAST)
		return fail_start(error, "--children", "too many for the limit of open files");
	if (polls_open(&s->polls, pipes + CALLERS_POLLS(s->most_callers) + 1) < 0)
		return fail_start(error, "connections", strerror(ENOMEM));
	return 0;
}

static int make_callers(struct service *s, char *error)
{
	s->callers = callers_new(s->listener, s->most_callers, s->crews[0], s->crews[1]);
	return s->callers == NULL ? fail_start(error, "connections", strerror(ENOMEM)) : 0;
}

static int open_service(struct service *s, bool *hopeless, char *error)
{
	sigset_t set = taken_signals();

	if (notify_open(&s->notify) < 0)
		log_message(LOG_WARN, "the service manager cannot be told anything: %s",
			strerror(errno));
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return fail_start(error, "signals", strerror(errno));
	if (make_room(s, error) < 0 || make_logins(s, error) < 0 || make_groups(s, error) < 0 ||
		start_crews(s, hopeless, error) < 0 || open_socket(s, error) < 0)
		return -1;
	return make_callers(s, error);
}

/* ---- a round ---- */

/* Each by its number, so that what it has started can be ended before that is free. */
static void bury_dead(struct service *s)
{
	siginfo_t dead = {.si_pid = 0};

	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
		pid_t pid = dead.si_pid;
		bool is_known = false;

		for (int i = 0; i < CREWS && !is_known; i++)
			is_known = s->crews[i] != NULL && crew_bury(s->crews[i], pid);
		if (!is_known) /* from before we were this program */
			(void)waitpid(pid, NULL, WNOHANG);
		dead.si_pid = 0;
	}
}

static void renew_crews(struct service *s)
{
	log_message(LOG_INFO, "helpers are replaced");
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] != NULL)
			crew_renew(s->crews[i]);
	}
}

static void take_signals(struct service *s)
{
	struct signalfd_siginfo signal;

	while (read(s->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP)
			renew_crews(s);
		else if (signal.ssi_signo != SIGCHLD)
			s->is_to_end = true;
	}
	bury_dead(s);
}

/* Waits, and does what the helpers have to do. */
static void go_on(struct service *s, int64_t deadline)
{
	size_t signals;

	polls_clear(&s->polls);
	signals = polls_add(&s->polls, s->signals, POLLIN);
	if (s->callers != NULL)
		callers_add_polls(s->callers, &s->polls);
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] == NULL)
			continue;
		crew_add_polls(s->crews[i], &s->polls);
		deadline = clock_earlier(deadline, crew_deadline(s->crews[i]));
	}
	if (socket_wait(s->polls.fds, (nfds_t)s->polls.count, deadline) < 0)
		return;
	if (polls_said(&s->polls, signals) != 0)
		take_signals(s);
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] != NULL)
			crew_go_on(s->crews[i], &s->polls);
	}
	if (s->callers != NULL)
		callers_go_on(s->callers, &s->polls);
}

/* ---- the end ---- */

static bool have_ended(const struct service *s)
{
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] != NULL && !crew_has_ended(s->crews[i]))
			return false;
	}
	return true;
}

static void stop_crews(struct service *s, bool at_once)
{
	for (int i = 0; i < CREWS; i++) {
		if (s->crews[i] != NULL)
			crew_stop(s->crews[i], at_once);
	}
}

/* Nobody is let in any more, and who waits for an answer gets none. */
static void stop_service(struct service *s)
{
	int64_t deadline = clock_deadline(STOP_MS);

	if (s->listener >= 0)
		local_remove(&s->file);
	socket_close(s->listener);
	callers_free(s->callers);
	s->callers = NULL;
	stop_crews(s, false);
	bury_dead(s);
	while (!have_ended(s) && clock_ms() < deadline)
		go_on(s, deadline);
	if (!have_ended(s))
		stop_crews(s, true);
}

static void close_service(struct service *s)
{
	for (int i = 0; i < CREWS; i++)
		crew_free(s->crews[i]);
	free(s->groups_argv[2]);
	polls_close(&s->polls);
	socket_close(s->signals);
	notify_close(&s->notify);
}

int service_run(const struct arguments *a, bool *hopeless, char error[ARGUMENTS_ERROR_MAX])
{
	struct service s = {.arguments = a, .signals = -1, .listener = -1, .notify = {.fd = -1}};
	int result = open_service(&s, hopeless, error);

	if (result == 0) {
		notify_tell(&s.notify, "READY=1");
		while (!s.is_to_end)
			go_on(&s, callers_deadline(s.callers));
		notify_tell(&s.notify, "STOPPING=1");
	}
	stop_service(&s);
	if (result == 0)
		log_message(LOG_INFO, "stopped");
	close_service(&s);
	return result;
}
