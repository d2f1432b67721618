/* cgroup: what the control groups that this process is in allow it, cgroup v1 and v2. No state, no
 * lock. */
#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

#include <stdint.h>

#define CGROUP_PATH_MAX 1024
#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup_limit {
	uint64_t value; /* CGROUP_NO_LIMIT: none, or none that can be read */
	char file[CGROUP_PATH_MAX]; /* that says so, as seen by this process; "" without a limit */
};

/* Bytes of memory: the least that memory.max, memory.high (v2) and memory.limit_in_bytes (v1) say,
 * of the process's own group and of all around it that can be seen. `root` is put in front of the
 * paths of all files; "" outside of tests. */
struct cgroup_limit cgroup_memory(const char *root);

/* Threads that may still be made: the least of pids.max less pids.current, in the same way. */
struct cgroup_limit cgroup_threads_left(const char *root);

/* Processors: the least that cpu.max (v2) and cpu.cfs_quota_us by cpu.cfs_period_us (v1) say, in
 * the same way; a part of one counts as a whole one. */
struct cgroup_limit cgroup_processors(const char *root);

#endif
