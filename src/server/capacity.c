/*
 * Each limit is asked for at the start, so that one which cannot be met shows then and not at the
 * busiest hour: files here, threads and address space by making the workers.
 */
#include "server/capacity.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

/* Descriptors for the two logs, the files read and written meanwhile, the pool's epoll set
 * and eventfd, the monitor's eventfd, and the socket that tells this host's addresses. */
#define PROCESS_DESCRIPTORS 9

/* max_sessions = auto: a 64th of the memory at what a waiting worker costs, within these. */
#define AUTO_MEMORY_SHARE 64
#define AUTO_WORKER_BYTES (32 * 1024) /* measured: 9 resident, 16 of kernel stack, 7 around it */
#define AUTO_LEAST 512
#define AUTO_MOST 10000

static size_t automatic_sessions(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t fit = AUTO_LEAST;

	if (pages > 0 && page > 0)
		fit = (size_t)pages / AUTO_MEMORY_SHARE * (size_t)page / AUTO_WORKER_BYTES;
	if (fit < AUTO_LEAST)
		return AUTO_LEAST;
	return fit < AUTO_MOST ? fit : AUTO_MOST;
}

int capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX])
{
	size_t limit = fdbudget_raise_limit();
	size_t monitor_clients = (size_t)s->max_monitor_clients + 1; /* turned away */
	size_t reserved = fdbudget_count_open() + PROCESS_DESCRIPTORS + monitor_clients + listeners;

	c->wanted = s->max_sessions == 0 ? automatic_sessions() : (size_t)s->max_sessions;
	fdbudget_plan(budget, limit, reserved, c->wanted);
	c->planned = budget->sessions;
	if (c->planned > 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"the limit of %zu open files (ulimit -n) leaves room for no session", limit);
	return -1;
}

static const char *what_limits(
	const struct capacity *c, const struct fdbudget *budget, const struct settings *s)
{
	if (budget->sessions < c->planned)
		return "the system's limit on threads";
	if (budget->sessions < c->wanted)
		return "the limit on open files";
	if (s->max_sessions != 0)
		return "max_sessions";
	return c->wanted == AUTO_MOST ? "max_sessions = auto"
				      : "max_sessions = auto, a 64th of the memory";
}

void capacity_log(const struct capacity *c, const struct fdbudget *budget, const struct settings *s)
{
	const char *why = what_limits(c, budget, s);
	struct log_line line;
	char msg[64];

	snprintf(msg, sizeof(msg), "%zu sessions fit", budget->sessions);
	log_begin(&line, LOG_INFO, msg);
	log_text(&line, "limited_by", why);
	log_number(&line, "open_files", (int64_t)budget->limit);
	log_number(&line, "reserved", (int64_t)budget->reserved);
	log_number(&line, "each", FDBUDGET_PER_SESSION);
	log_number(&line, "spare", (int64_t)budget->spare);
	log_end(&line);
	if (s->max_sessions != 0 && budget->sessions < c->wanted)
		log_message(LOG_WARN, "max_sessions = %zu does not fit: lowered to %zu by %s",
			c->wanted, budget->sessions, why);
}
