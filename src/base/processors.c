/*
 * A cgroup bounds the time that its processes get: so much in each period, on however many
 * processors. Version 2 says it in cpu.max ("150000 100000" is one and a half, "max 100000" none),
 * version 1 in cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us. The bounds of all levels hold, so
 * the tightest decides. What cannot be read bounds nothing.
 */
#include "base/processors.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the hierarchies are below the mount: of version 2, alone and beside version 1; of 1. */
static const char *const unified_places[] = {"", "/unified"};
static const char *const cpu_places[] = {"/cpu", "/cpu,cpuacct"};

#define PLACES 2

/* The words of the file `name` in `folder`; false when there is none. */
static bool read_words(const char *folder, const char *name, char *out, int size)
{
	char path[PATH_MAX];
	FILE *file;
	bool is_read;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	is_read = fgets(out, size, file) != NULL;
	fclose(file);
	return is_read;
}

static unsigned whole_processors(long long quota, long long period)
{
	long long count;

	if (quota <= 0 || period <= 0)
		return 0;
	count = quota / period + (quota % period > 0);
	return count < INT_MAX ? (unsigned)count : 0;
}

/* What one cgroup grants; 0: any number. */
static unsigned granted_by_level(const char *folder)
{
	char quota[64], period[64];
	long long time, each;

	if (read_words(folder, "cpu.max", quota, sizeof(quota)))
		return sscanf(quota, "%lld %lld", &time, &each) == 2 ? whole_processors(time, each)
								     : 0;
	if (read_words(folder, "cpu.cfs_quota_us", quota, sizeof(quota)) &&
		read_words(folder, "cpu.cfs_period_us", period, sizeof(period)))
		return whole_processors(atoll(quota), atoll(period));
	return 0;
}

static unsigned tighter(unsigned a, unsigned b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What the cgroup at `path` below `root` and all above it grant. */
static unsigned granted_by_all_levels(const char *root, const char *path)
{
	char folder[PATH_MAX];
	size_t root_len = strlen(root);
	unsigned granted = 0;
	char *end;

	if (snprintf(folder, sizeof(folder), "%s%s", root, path) >= (int)sizeof(folder))
		return 0;
	for (;;) {
		granted = tighter(granted, granted_by_level(folder));
		end = strrchr(folder, '/');
		if (end == NULL || end < folder + root_len)
			return granted;
		*end = '\0';
	}
}

static bool has_controller(const char *list, size_t len, const char *controller)
{
	size_t wanted = strlen(controller);

	while (len > 0) {
		const char *comma = memchr(list, ',', len);
		size_t word = comma == NULL ? len : (size_t)(comma - list);

		if (word == wanted && memcmp(list, controller, word) == 0)
			return true;
		len -= comma == NULL ? len : word + 1;
		list += word + 1;
	}
	return false;
}

/* A line of the membership: `ID:CONTROLLERS:PATH`, with no controllers for version 2. */
static unsigned granted_by_line(const char *mount, char *line)
{
	const char *controllers = strchr(line, ':');
	const char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
	const char *const *places = unified_places;
	char root[PATH_MAX];
	unsigned granted = 0;
	size_t len;

	if (path == NULL)
		return 0;
	len = (size_t)(path - ++controllers);
	if (len > 0 && !has_controller(controllers, len, "cpu"))
		return 0;
	if (len > 0)
		places = cpu_places;
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < PLACES; i++) {
		snprintf(root, sizeof(root), "%s%s", mount, places[i]);
		granted = tighter(granted, granted_by_all_levels(root, path + 1));
	}
	return granted;
}

unsigned processors_granted(const char *mount, const char *membership)
{
	FILE *file = fopen(membership, "re");
	unsigned granted = 0;
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return 0;
	while (getline(&line, &size, file) > 0)
		granted = tighter(granted, granted_by_line(mount, line));
	free(line);
	fclose(file);
	return granted;
}

unsigned processors_usable(void)
{
	unsigned granted = processors_granted("/sys/fs/cgroup", "/proc/self/cgroup");
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		online = CPU_COUNT(&set);
	if (online < 1)
		online = 1;
	return tighter((unsigned)online, granted);
}
