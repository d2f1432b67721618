/*
 * DESIGN
 * A peer is started as the leader of its own session, and forked servers stay in it, even those
 * whose parent has left; so the session id finds them all in one pass over /proc.
 *
 * A process' CPU clock has nanoseconds and covers its ended threads. Children that were already
 * reaped are in their parent's cutime and cstime only, in ticks of 10 ms. Peers that do not fork
 * have none.
 */
#include "procs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

struct proc_stat {
	pid_t session;
	double reaped_s;
};

static int parse_stat(const char *line, struct proc_stat *stat)
{
	/* the command's name may hold anything, also ") " */
	const char *fields = strrchr(line, ')');
	unsigned long cutime, cstime;
	int session;

	/* state ppid pgrp SESSION tty tpgid flags 4x faults utime stime CUTIME CSTIME */
	if (fields == NULL ||
		sscanf(fields + 1, " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lu %lu",
			&session, &cutime, &cstime) != 3)
		return -1;
	stat->session = session;
	stat->reaped_s = (double)(cutime + cstime) / (double)sysconf(_SC_CLK_TCK);
	return 0;
}

static int read_stat(pid_t pid, struct proc_stat *stat)
{
	char path[64];
	char line[1024];
	FILE *file;
	int rc = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	if (fgets(line, sizeof(line), file) != NULL)
		rc = parse_stat(line, stat);
	fclose(file);
	return rc;
}

static double process_cpu_s(pid_t pid, const struct proc_stat *stat)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return NAN;
	return (double)clock_timespec_ns(&ts) / (double)CLOCK_NS_PER_S + stat->reaped_s;
}

static double process_memory_kb(pid_t pid, const struct proc_stat *stat)
{
	char path[64];
	char line[256];
	double kb = NAN;
	FILE *file;

	(void)stat;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return NAN;
	while (isnan(kb) && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Pss: %lf kB", &kb) != 1)
			kb = NAN;
	}
	fclose(file);
	return kb;
}

/* Processes that end while we look count nothing: their parent has their time. */
static double sum_over_session(pid_t session, double (*value)(pid_t, const struct proc_stat *))
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	double sum = NAN;

	if (dir == NULL)
		return NAN;
	while ((entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct proc_stat stat;
		double part;

		if (pid <= 0 || read_stat(pid, &stat) < 0 || stat.session != session)
			continue;
		part = value(pid, &stat);
		if (!isnan(part))
			sum = isnan(sum) ? part : sum + part;
	}
	closedir(dir);
	return sum;
}

double procs_cpu_s(pid_t session)
{
	return sum_over_session(session, process_cpu_s);
}

double procs_memory_kb(pid_t session)
{
	return sum_over_session(session, process_memory_kb);
}

/* ---- threads ---- */

/* The first line of a file of a thread's, without its end. */
static int read_line(const char *folder, const char *thread, const char *name, char *line, int size)
{
	char path[320];
	FILE *file;
	int rc = -1;

	snprintf(path, sizeof(path), "%s/%.20s/%s", folder, thread, name);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	if (fgets(line, size, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		rc = 0;
	}
	fclose(file);
	return rc;
}

/* The scheduler tells of another process' thread what its clock would. */
double procs_threads_cpu_s(pid_t process, const char *name)
{
	char folder[64], line[256];
	const struct dirent *entry;
	double sum = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/task", (int)process);
	dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (read_line(folder, entry->d_name, "comm", line, sizeof(line)) < 0 ||
			strcmp(line, name) != 0 ||
			read_line(folder, entry->d_name, "schedstat", line, sizeof(line)) < 0)
			continue;
		sum += strtod(line, NULL) / (double)CLOCK_NS_PER_S;
	}
	if (dir != NULL)
		closedir(dir);
	return sum;
}
