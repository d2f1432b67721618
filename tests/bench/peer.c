/*
 * DESIGN
 * A peer is whatever its script execs: the leader of a new session, killed with us (PDEATHSIG), in
 * a folder of its own that is removed afterwards. A pidfd tells that it ended, so stopping waits
 * for the event. It is reaped last: until then its process group's number cannot become anybody
 * else's, and children that it left behind can be killed by it. They become ours (SUBREAPER) and
 * are waited for, so that nothing of a peer runs into the next one's time.
 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "procs.h"
#include "wire.h"

#define START_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS 5000
#define VERSION_TIMEOUT_MS 3000
#define SETTLE_TIMEOUT_MS 2000
#define SETTLE_STEP_MS 20
/* At rest: less CPU than this in one step. */
#define SETTLE_CPU_S 0.0005
#define CONNECT_STEP_MS 1
#define EXIT_NOT_HERE 77

struct peer {
	pid_t pid;
	int pidfd;
	uint16_t port;
	bool speaks_http;
	uint64_t started_ns;
	uint64_t answered_ns;
	char dir[PATH_MAX];
	char output[PATH_MAX + 16];
};

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_dir(struct peer *peer)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(peer->dir, sizeof(peer->dir), "%s/socks5d-bench.XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(peer->dir) == NULL)
		return -1;
	snprintf(peer->output, sizeof(peer->output), "%s/output", peer->dir);
	return 0;
}

/* A port that was free a moment ago. */
static int choose_port(struct peer *peer)
{
	int fd = wire_listen(&peer->port);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void exec_script(const char *script, char *const argv[], const char *output, pid_t parent)
{
	int in = open("/dev/null", O_RDONLY);
	int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in < 0 || out < 0 || getppid() != parent)
		_exit(126);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(script, argv);
	_exit(127);
}

static int spawn(struct peer *peer, const char *script, char *const argv[])
{
	pid_t parent = getpid();

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	peer->started_ns = clock_now_ns();
	peer->pid = fork();
	if (peer->pid < 0)
		return -1;
	if (peer->pid == 0)
		exec_script(script, argv, peer->output, parent);
	peer->pidfd = pidfd_open(peer->pid, 0);
	return peer->pidfd < 0 ? -1 : 0;
}

static int spawn_server(struct peer *peer, const char *script, const struct peer_setup *setup)
{
	const struct socks_login *login = setup->login;
	char capacity[16];
	char port[8];
	char *const argv[] = {
		(char *)script,
		"127.0.0.1",
		port,
		peer->dir,
		login != NULL ? (char *)login->user : NULL,
		login != NULL ? (char *)login->pass : NULL,
		NULL,
	};

	snprintf(port, sizeof(port), "%u", (unsigned)peer->port);
	snprintf(capacity, sizeof(capacity), "%u", setup->sessions);
	if (setenv("SESSIONS", capacity, 1) < 0 || setenv("DOOR", setup->door, 1) < 0 ||
		setenv("VARIANT", setup->variant, 1) < 0)
		return -1;
	return spawn(peer, script, argv);
}

/* Waits up to `ms` milliseconds for its end. */
static bool has_ended(const struct peer *peer, int ms)
{
	struct pollfd pfd = {.fd = peer->pidfd, .events = POLLIN};

	return poll(&pfd, 1, ms) == 1;
}

/*
 * From 127.0.0.2, for a reason: connecting to a loopback port nobody listens on may, once in a long
 * while, choose that very port as its source, and a TCP socket can connect to itself.
 */
static int connect_to(const struct peer *peer)
{
	const struct timeval patience = {.tv_sec = START_TIMEOUT_MS / 1000};
	const struct sockaddr_in to = wire_loopback(peer->port);
	struct sockaddr_in from = wire_loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
		connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A connection proves little: the kernel takes it as soon as the peer listens. */
static bool answers(const struct peer *peer)
{
	static const char greeting[] = {5, 2, 0, 2}; /* RFC 1928: no login, or RFC 1929's */
	static const char request[] = "GET / HTTP/1.0\r\n\r\n"; /* for which any page will do */
	const char *words = peer->speaks_http ? request : greeting;
	const size_t len = peer->speaks_http ? strlen(request) : sizeof(greeting);
	int fd = connect_to(peer);
	char first = 0;
	bool answered;

	if (fd < 0)
		return false;
	answered = send(fd, words, len, MSG_NOSIGNAL) == (ssize_t)len &&
		recv(fd, &first, sizeof(first), 0) == sizeof(first) &&
		first == (peer->speaks_http ? 'H' : 5);
	close(fd);
	return answered;
}

static void last_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	char next[256];

	line[0] = '\0';
	if (file == NULL)
		return;
	while (fgets(next, sizeof(next), file) != NULL) {
		next[strcspn(next, "\n")] = '\0';
		if (next[0] != '\0')
			snprintf(line, size, "%s", next);
	}
	fclose(file);
}

static siginfo_t end_info(const struct peer *peer)
{
	siginfo_t info = {0};

	waitid(P_PIDFD, (id_t)peer->pidfd, &info, WEXITED | WNOWAIT);
	return info;
}

static bool exited_with(const siginfo_t *info, int status)
{
	return info->si_code == CLD_EXITED && info->si_status == status;
}

static enum peer_outcome explain_end(const struct peer *peer, char *why, size_t why_size)
{
	const siginfo_t info = end_info(peer);
	char said[256];

	if (exited_with(&info, EXIT_NOT_HERE))
		return PEER_NOT_HERE;
	last_line(peer->output, said, sizeof(said));
	snprintf(why, why_size, "did not start: %s %d%s%s",
		info.si_code == CLD_EXITED ? "exit status" : "signal", info.si_status,
		said[0] != '\0' ? ": " : "", said);
	return PEER_FAILED;
}

static enum peer_outcome await_ready(struct peer *peer, char *why, size_t why_size)
{
	uint64_t deadline = peer->started_ns + START_TIMEOUT_MS * CLOCK_NS_PER_MS;

	while (!answers(peer)) {
		if (has_ended(peer, CONNECT_STEP_MS))
			return explain_end(peer, why, why_size);
		if (clock_now_ns() >= deadline || wire_interrupted()) {
			snprintf(why, why_size, "did not start: no answer from port %u",
				(unsigned)peer->port);
			return PEER_FAILED;
		}
	}
	peer->answered_ns = clock_now_ns();
	peer_settle(peer);
	return PEER_READY;
}

static struct peer *new_peer(void)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->pidfd = -1;
	if (make_dir(peer) < 0) {
		free(peer);
		return NULL;
	}
	return peer;
}

enum peer_outcome peer_start(const char *script, const struct peer_setup *setup,
	struct peer **started, char *why, size_t why_size)
{
	enum peer_outcome outcome = PEER_FAILED;
	struct peer *peer = new_peer();

	*started = NULL;
	if (peer != NULL)
		peer->speaks_http = strcmp(setup->door, "http") == 0;
	if (peer == NULL || choose_port(peer) < 0 || spawn_server(peer, script, setup) < 0)
		snprintf(why, why_size, "did not start: %s", strerror(errno));
	else
		outcome = await_ready(peer, why, why_size);
	if (outcome == PEER_READY)
		*started = peer;
	else
		peer_stop(peer);
	return outcome;
}

/* Those in sessions of their own, too, which end with it. */
static void reap_children(void)
{
	const struct timespec step = {.tv_nsec = CLOCK_NS_PER_MS};

	for (int ms = 0; ms < STOP_TIMEOUT_MS; ms++) {
		pid_t ended = waitpid(-1, NULL, WNOHANG);

		if (ended < 0)
			return;
		if (ended == 0)
			nanosleep(&step, NULL);
	}
}

static void end_process(const struct peer *peer)
{
	kill(peer->pid, SIGTERM);
	if (peer->pidfd >= 0)
		has_ended(peer, STOP_TIMEOUT_MS);
	kill(-peer->pid, SIGKILL);
	while (waitpid(-peer->pid, NULL, 0) > 0 || errno == EINTR)
		continue;
	reap_children();
}

void peer_stop(struct peer *peer)
{
	if (peer == NULL)
		return;
	if (peer->pid > 0)
		end_process(peer);
	if (peer->pidfd >= 0)
		close(peer->pidfd);
	nftw(peer->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(peer);
}

uint16_t peer_port(const struct peer *peer)
{
	return peer->port;
}

uint16_t peer_logged_port(const struct peer *peer, const char *message)
{
	char path[PATH_MAX + 16], line[1024];
	uint16_t port = 0;
	FILE *log;

	snprintf(path, sizeof(path), "%s/socks5d.log", peer->dir);
	log = fopen(path, "re");
	while (log != NULL && port == 0 && fgets(line, sizeof(line), log) != NULL) {
		if (strstr(line, message) != NULL)
			port = (uint16_t)atoi(strrchr(line, ':') + 1);
	}
	if (log != NULL)
		fclose(log);
	return port;
}

double peer_start_ms(const struct peer *peer)
{
	return (double)(peer->answered_ns - peer->started_ns) / (double)CLOCK_NS_PER_MS;
}

void peer_settle(const struct peer *peer)
{
	double before = peer_cpu_s(peer);

	for (int ms = 0; ms < SETTLE_TIMEOUT_MS; ms += SETTLE_STEP_MS) {
		double now;

		if (has_ended(peer, SETTLE_STEP_MS))
			return;
		now = peer_cpu_s(peer);
		if (now - before < SETTLE_CPU_S)
			return;
		before = now;
	}
}

double peer_cpu_s(const struct peer *peer)
{
	return procs_cpu_s(peer->pid);
}

double peer_threads_cpu_s(const struct peer *peer, const char *name)
{
	return procs_threads_cpu_s(peer->pid, name);
}

double peer_memory_kb(const struct peer *peer)
{
	return procs_memory_kb(peer->pid);
}

static bool print_version(struct peer *peer, const char *script)
{
	char *const argv[] = {(char *)script, "--version", NULL};
	siginfo_t info;

	if (spawn(peer, script, argv) < 0 || !has_ended(peer, VERSION_TIMEOUT_MS))
		return false;
	info = end_info(peer);
	return exited_with(&info, 0);
}

void peer_version(const char *script, char *line, size_t size)
{
	struct peer *peer = new_peer();

	line[0] = '\0';
	if (peer != NULL && print_version(peer, script))
		last_line(peer->output, line, size);
	if (line[0] == '\0')
		snprintf(line, size, "unknown");
	peer_stop(peer);
}
