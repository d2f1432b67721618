/*
 * The main thread: it opens, confines and starts what the command line asks for, then takes signals
 * one by one until the process is told to end, and stops everything in the reverse order. A start
 * that fails midway stops the same way. Exit status 2 says that trying again does not help.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/standard_files.h"
#include "base/version.h"
#include "monitor/admin.h"
#include "proxy/pool.h"
#include "server/inspection.h"
#include "server/server.h"
#include "server/statistics.h"
#include "server/stopping.h"
#include "web/web.h"

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_BAD_INPUT 2

#define DRAIN_LOOK_MS 1000 /* how often it is told how many sessions are left */

static sigset_t make_set(const int *numbers, size_t count)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, numbers[i]);
	return set;
}

/* Blocks what no thread is to get by surprise. Returns what the main thread takes one by one.
 * `*before` becomes what was blocked until now. TERM and INT do as always until there is a thread
 * that takes them: opening may hang with a disk, or at a pipe that nobody writes into. */
static sigset_t block_signals(sigset_t *before)
{
	/* PIPE: splice(2) to a client that left. XFSZ: a log file at its limit (ulimit -f) is to be
	 * an error of write(2), not the end. */
	static const int others[] = {SIGPIPE, SIGXFSZ};
	static const int taken[] = {SIGHUP, SIGUSR1, POOL_GONE_SIGNAL, SERVER_ERRAND_SIGNAL};
	sigset_t set = make_set(others, sizeof(others) / sizeof(others[0]));

	pthread_sigmask(SIG_BLOCK, &set, before);
	set = make_set(taken, sizeof(taken) / sizeof(taken[0]));
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int fail_with(const char *error, int status)
{
	fprintf(stderr, "socks5d: %s\n", error);
	return status;
}

static int check(const struct options *options)
{
	char error[CONFIG_ERROR_MAX];

	if (inspection_check(options, error) < 0)
		return fail_with(error, EXIT_BAD_INPUT);
	puts("the configuration is good");
	return EXIT_OK;
}

static int explain_question(const struct options *options)
{
	static const int statuses[] = {[EXPLAIN_ALLOW] = EXIT_OK,
		[EXPLAIN_DENY] = EXIT_FAILED,
		[EXPLAIN_UNKNOWN] = EXIT_BAD_INPUT};
	enum explain_verdict verdict;
	char error[CONFIG_ERROR_MAX];

	if (inspection_explain(options, stdout, &verdict, error) < 0)
		return fail_with(error, EXIT_BAD_INPUT);
	return statuses[verdict];
}

static int examine(const struct options *options)
{
	char error[CONFIG_ERROR_MAX];
	int wrong = inspection_examine(options, stdout, error);

	if (wrong < 0)
		return fail_with(error, EXIT_BAD_INPUT);
	return wrong == 0 ? EXIT_OK : EXIT_FAILED;
}

/* ---- what the libraries need of the system ---- */

/* c-ares takes its query ids from /dev/urandom each time it makes a channel, and where it cannot
 * read that, without a word, from rand(3): whoever guesses them forges answers. The seed is for a
 * channel that finds no descriptor free at that moment. -1 when there is no such device. */
static int check_randomness(void)
{
	char bytes[31]; /* as many as it wants for a key */
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
		read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes);

	if (fd >= 0)
		close(fd);
	srand(randombytes_random());
	return good ? 0 : -1;
}

/* Sessions, stacks and the heap are large mappings of which little is touched: a page where a
 * worker waits. Where the kernel backs them with huge pages of its own accord
 * (transparent_hugepage/enabled = always), each of these costs 2 MiB. A kernel that cannot is none
 * that does. Workers hardly allocate, so two arenas do instead of eight a core. What is large goes
 * back to the system at once: the resolver's channels (75 kB) come and go by the hundred when a
 * name server keeps silent. */
static void save_memory(void)
{
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
}

/* ---- the daemon ---- */

struct program {
	struct options *options;
	struct notify notify;
	struct handover handover;
	sigset_t signals; /* that the main thread takes */
	struct stopping stopping;
	struct server *server;
	struct admin *admin;
	struct web *web;
};

/* Each of these: what the process ends with, EXIT_OK to go on. */

static int open_program(struct program *p)
{
	char error[CONFIG_ERROR_MAX];
	bool bad_input;

	if (notify_open(&p->notify) < 0)
		log_message(LOG_WARN, "the service manager cannot be told anything: %s",
			strerror(errno));
	if (handover_take(&p->handover, &p->notify, error) < 0)
		return fail_with(error, EXIT_BAD_INPUT);
	p->server = server_open(p->options, &p->handover, &bad_input, error);
	if (p->server == NULL)
		return fail_with(error, bad_input ? EXIT_BAD_INPUT : EXIT_FAILED);
	p->admin = admin_new(p->server, error);
	if (p->admin != NULL)
		p->web = web_new(p->server, error);
	return p->web == NULL ? fail_with(error, EXIT_FAILED) : EXIT_OK;
}

static int confine_program(struct program *p)
{
	char error[CONFIG_ERROR_MAX];

	return server_confine(p->server, error) < 0 ? fail_with(error, EXIT_FAILED) : EXIT_OK;
}

/* The workers last: they take what the limits leave. */
static int start_program(struct program *p)
{
	char error[CONFIG_ERROR_MAX];

	if (stopping_start(&p->stopping) < 0) {
		snprintf(error, sizeof(error), "cannot start the thread that takes signals: %s",
			strerror(errno));
		return fail_with(error, EXIT_FAILED);
	}
	if (server_start(p->server, error) < 0 || admin_start(p->admin, error) < 0 ||
		web_start(p->web, error) < 0 || server_start_workers(p->server, error) < 0)
		return fail_with(error, EXIT_FAILED);
	return EXIT_OK;
}

/* Until the first TERM or INT. */
static void serve_clients(struct program *p)
{
	char what[CHANGE_REPLY_MAX];

	while (stopping_asked(&p->stopping) == 0) {
		int number = sigwaitinfo(&p->signals, NULL);

		if (number == SIGHUP)
			(void)server_reload(p->server, false, what); /* which logs it */
		else if (number == SIGUSR1)
			statistics_log(server_services(p->server));
		else if (number == SERVER_ERRAND_SIGNAL)
			errands_run(server_errands(p->server));
	}
}

/* Lets sessions finish until the drain timeout or a second TERM or INT. */
static void drain_sessions(struct program *p)
{
	int64_t deadline = server_drain(p->server);

	while (!server_is_drained(p->server) && stopping_asked(&p->stopping) == 1) {
		int64_t left = deadline - clock_ms();
		struct timespec timeout =
			clock_timespec(left < 0 ? 0 : clock_earlier(left, DRAIN_LOOK_MS));
		int number = sigtimedwait(&p->signals, NULL, &timeout);

		if (left <= 0)
			return;
		if (number == SERVER_ERRAND_SIGNAL)
			errands_run(server_errands(p->server));
		server_tell_drain(p->server);
	}
}

/* In the reverse order of the start, however far that came. */
static void stop_program(struct program *p)
{
	server_stop_workers(p->server);
	web_stop(p->web);
	admin_stop(p->admin);
	server_stop(p->server);
}

static void close_program(struct program *p)
{
	web_free(p->web);
	admin_free(p->admin);
	server_close(p->server);
	handover_free(&p->handover);
	notify_close(&p->notify);
}

static int run_daemon(struct options *options, const sigset_t *signals)
{
	struct program p = {.options = options, .signals = *signals, .notify = {.fd = -1}};
	int status;

	save_memory();
	status = open_program(&p);
	if (status == EXIT_OK)
		status = confine_program(&p);
	if (status == EXIT_OK)
		status = start_program(&p);
	if (status == EXIT_OK) {
		serve_clients(&p);
		drain_sessions(&p);
	}
	stop_program(&p);
	if (status == EXIT_OK)
		log_message(LOG_INFO, "stopped");
	close_program(&p);
	stopping_end(&p.stopping);
	return status;
}

/* What is only printed can be broken off as anything else. */
static int print_answer(const struct options *options, const sigset_t *mask)
{
	pthread_sigmask(SIG_SETMASK, mask, NULL);
	if (options->action == OPTIONS_CHECK)
		return check(options);
	if (options->action == OPTIONS_EXPLAIN)
		return explain_question(options);
	if (options->action == OPTIONS_DOCTOR)
		return examine(options);
	if (options->action == OPTIONS_HELP)
		options_print_help(stdout);
	else
		puts("socks5d " SOCKS5D_VERSION);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	/* First of all: a SIGHUP that comes meanwhile is taken when there is something to reload.
	 */
	sigset_t mask, signals = block_signals(&mask);
	char error[CONFIG_ERROR_MAX];
	struct options options;
	int status;

	/* Whatever the link is called that it was started by, pkill(1) and top(1) find it. Workers
	 * inherit it; the other threads have names of their own. */
	(void)prctl(PR_SET_NAME, "socks5d", 0, 0, 0);
	if (standard_files_fill() < 0)
		return fail_with("/dev/null cannot be opened", EXIT_FAILED);
	if (sodium_init() < 0)
		return fail_with("no source of random numbers", EXIT_FAILED);
	if (options_parse(&options, argc, argv, error) < 0)
		status = fail_with(error, EXIT_BAD_INPUT);
	else if (options.action != OPTIONS_SERVE)
		status = print_answer(&options, &mask);
	else if (check_randomness() < 0)
		status = fail_with("/dev/urandom cannot be read, and answers of name servers could "
				   "be forged without it",
			EXIT_FAILED);
	else
		status = run_daemon(&options, &signals);
	options_free(&options);
	return status;
}
