/*
 * Each limit is asked for at the start, so that one which cannot be met shows then and not at the
 * busiest hour. The plan is made in two steps, each of which only lowers what the one before has
 * left. When everything is opened: memory, the host's or that of the control groups it is in, and
 * files. When everything runs but the workers, so that what they need is seen: threads, and the
 * process's own limits on memory. What no limit tells (ulimit -u, which counts all processes of the
 * user) shows when the workers are made.
 *
 * Workers never take everything: hashes, buffers and associations need memory, the administrator a
 * shell, and there may be a second instance.
 */
#include "server/capacity.h"

#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/log.h"
#include "net/resolver.h"
#include "proxy/pool.h"

/* Descriptors for the two logs, the files read and written meanwhile, the pool's epoll set
 * and eventfd, the monitor's eventfd, the socket that tells this host's addresses, and the
 * resolver's. */
#define PROCESS_DESCRIPTORS (9 + RESOLVER_DESCRIPTORS)

/* What the web's front asks a helper of logins by; a session's question has the place of its
 * target.
 */
#define HELPER_DESCRIPTORS 1

/* What the keeper opens for a moment, beside what it has open: a file and its copy. */
#define KEEPER_DESCRIPTORS 2

/* Of who shares with other nodes: the connection, and a lookup of the engine's name. */
#define SHARING_DESCRIPTORS 2

/* What a waiting worker costs of the memory, the kernel's part included, which a process does not
 * see among its resident pages. Measured as the usage of a control group: 32,026 bytes, of which 23
 * kB are the kernel's (16 are the thread's stack there) and 9 kB resident. */
#define WORKER_BYTES (32 * 1024)

/* max_sessions = auto: a share of the memory, within these, but never more than the second. */
#define AUTO_SHARE 64
#define AUTO_LARGEST_SHARE 8
#define AUTO_LEAST 512
#define AUTO_MOST 10000

/* A max_sessions that is given: what this part of the memory carries at most. */
#define GIVEN_SHARE 2

/* What full buffers of relays may take of the memory, and what one is. With half of it for workers
 * and what these need beside while they have clients, both measured as above with all of them busy
 * and all that can be full at a standstill, a 16th is left over: a control group of 32 MiB keeps
 * 500 such sessions. As many workers as auto makes may have both of their buffers full. */
#define BUFFERS_SHARE 16
#define BUFFER_BYTES (64 * 1024)

/* Of the threads that a control group leaves: one of so many, and so many at least, is left to
 * others. */
#define THREADS_SHARE 8
#define THREADS_LEAST 16

/* One slow hash: yescrypt's in its usual strength. */
#define HASH_BYTES (16 * 1024 * 1024)

/* Where the system does not tell how much there is. */
#define UNKNOWN_MEMORY (1024 * 1024 * 1024)

/* ---- what decides ---- */

static void lower(struct capacity *c, uint64_t most, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* There are no more than `most`, if that is less than before. */
static void lower(struct capacity *c, uint64_t most, const char *format, ...)
{
	va_list ap;

	if (most >= c->sessions)
		return;
	c->sessions = (size_t)most;
	va_start(ap, format);
	vsnprintf(c->why, sizeof(c->why), format, ap);
	va_end(ap);
}

static int fail_if_none(const struct capacity *c, char error[CONFIG_ERROR_MAX])
{
	if (c->sessions > 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "there is room for no session: %s", c->why);
	return -1;
}

/* ---- when everything is opened ---- */

static uint64_t host_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UNKNOWN_MEMORY;
}

static struct cgroup_limit find_memory(void)
{
	struct cgroup_limit memory = cgroup_memory("");
	uint64_t host = host_memory();

	if (memory.value < host)
		return memory;
	return (struct cgroup_limit){.value = host, .file = "the memory"};
}

/* How many workers `share` of the memory carries, as in a 64th. */
static uint64_t carried(uint64_t memory, unsigned share)
{
	return memory / share / WORKER_BYTES;
}

static void plan_automatic(struct capacity *c, const struct cgroup_limit *memory)
{
	uint64_t fit = carried(memory->value, AUTO_SHARE);

	lower(c, AUTO_MOST, "max_sessions = auto, at most %d", AUTO_MOST);
	if (fit >= AUTO_LEAST)
		lower(c, fit, "max_sessions = auto, a 64th of %s", memory->file);
	else
		lower(c, AUTO_LEAST, "max_sessions = auto, at least %d", AUTO_LEAST);
	lower(c, carried(memory->value, AUTO_LARGEST_SHARE), "max_sessions = auto, an eighth of %s",
		memory->file);
}

static void plan_given(struct capacity *c, const struct cgroup_limit *memory, uint64_t sessions)
{
	lower(c, sessions, "max_sessions");
	lower(c, carried(memory->value, GIVEN_SHARE), "half of %s", memory->file);
}

/* Two a session is all that there are. */
static size_t plan_buffers(const struct capacity *c)
{
	uint64_t fit = c->memory / BUFFERS_SHARE / BUFFER_BYTES;

	if (fit >= 2 * (uint64_t)c->sessions)
		return 0;
	return fit > 0 ? (size_t)fit : 1;
}

int capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX])
{
	size_t limit = fdbudget_raise_limit();
	size_t monitor_clients = (size_t)s->max_monitor_clients + 1; /* turned away */
	size_t reserved = fdbudget_count_open() + PROCESS_DESCRIPTORS + monitor_clients + listeners;
	struct cgroup_limit memory = find_memory();

	if (*s->auth_socket != '\0')
		reserved += HELPER_DESCRIPTORS;
	if (*s->state_dir != '\0')
		reserved += KEEPER_DESCRIPTORS;
	if (shared_place_is_set(&s->shared))
		reserved += SHARING_DESCRIPTORS;
	*c = (struct capacity){.sessions = SIZE_MAX, .memory = memory.value};
	if (s->max_sessions == 0)
		plan_automatic(c, &memory);
	else
		plan_given(c, &memory, (uint64_t)s->max_sessions);
	fdbudget_plan(budget, limit, reserved, c->sessions);
	lower(c, budget->sessions, "the limit of %zu open files (ulimit -n)", limit);
	c->full_buffers = plan_buffers(c);
	return fail_if_none(c, error);
}

/* ---- when everything runs but the workers ---- */

static void fit_threads(struct capacity *c)
{
	struct cgroup_limit left = cgroup_threads_left("");
	uint64_t others = left.value / THREADS_SHARE;

	if (left.value == CGROUP_NO_LIMIT)
		return;
	if (others < THREADS_LEAST)
		others = THREADS_LEAST;
	lower(c, left.value > others ? left.value - others : 0, "%s", left.file);
}

/* A limit of the process on its own memory, mapped and not touched alike. */
static const struct own_limit {
	__rlimit_resource_t resource;
	size_t field; /* of /proc/self/statm: pages that count */
	const char *name;
} own_limits[] = {
	{RLIMIT_AS, 0, "the limit on address space (ulimit -v)"},
	{RLIMIT_DATA, 5, "the limit on data (ulimit -d)"},
};

/* The field of /proc/self/statm, in bytes; 0 when it cannot be read. */
static uint64_t bytes_in_use(size_t field)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char text[256], *at = text;

	if (file == NULL)
		return 0;
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	for (size_t i = 0; i < field; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Hashes come first; of what is left then, workers take half. */
static void fit_own_limit(struct capacity *c, const struct own_limit *l, uint64_t hashes)
{
	struct rlimit limit;
	uint64_t used;

	if (getrlimit(l->resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	used = bytes_in_use(l->field) + hashes * HASH_BYTES;
	lower(c, limit.rlim_cur > used ? (limit.rlim_cur - used) / 2 / pool_bytes_each() : 0, "%s",
		l->name);
}

int capacity_plan_workers(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	char error[CONFIG_ERROR_MAX])
{
	fit_threads(c);
	for (size_t i = 0; i < sizeof(own_limits) / sizeof(own_limits[0]); i++)
		fit_own_limit(c, &own_limits[i], capacity_password_checks(s));
	budget->sessions = c->sessions;
	return fail_if_none(c, error);
}

/* ---- slow hashes ---- */

/* What of these the memory holds. */
#define HASHES_SHARE 16

static uint64_t usable_processors(void)
{
	uint64_t granted = cgroup_processors("").value, online = 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		online = (uint64_t)CPU_COUNT(&set);
	else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
		online = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	return granted < online ? granted : online;
}

unsigned capacity_password_checks(const struct settings *s)
{
	uint64_t most = usable_processors(), fit = find_memory().value / HASHES_SHARE / HASH_BYTES;

	if (s->max_password_checks != 0)
		return (unsigned)s->max_password_checks;
	if (most > fit)
		most = fit;
	if (most > SETTINGS_MOST_PASSWORD_CHECKS)
		most = SETTINGS_MOST_PASSWORD_CHECKS;
	return most == 0 ? 1 : (unsigned)most;
}

/* ---- when they are made ---- */

void capacity_log(struct capacity *c, const struct fdbudget *budget, const struct settings *s)
{
	struct log_line line;
	char msg[64];

	lower(c, budget->sessions, "the system's limit on threads or memory");
	snprintf(msg, sizeof(msg), "%zu sessions fit", budget->sessions);
	log_begin(&line, LOG_INFO, msg);
	log_text(&line, "limited_by", c->why);
	log_number(&line, "memory_mib", (int64_t)(c->memory / (1024 * 1024)));
	log_number(&line, "open_files", (int64_t)budget->limit);
	log_number(&line, "reserved", (int64_t)budget->reserved);
	log_number(&line, "each", FDBUDGET_PER_SESSION);
	log_number(&line, "spare", (int64_t)budget->spare);
	log_end(&line);
	if ((int64_t)budget->sessions < s->max_sessions)
		log_message(LOG_WARN,
			"max_sessions = %" PRId64 " does not fit: lowered to %zu (%s)",
			s->max_sessions, budget->sessions, c->why);
}
