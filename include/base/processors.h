/* processors: how many of them this process may keep busy. No state, no lock. */
#ifndef BASE_PROCESSORS_H
#define BASE_PROCESSORS_H

/* By the affinity and by what the cgroup grants; at least 1. */
unsigned processors_usable(void);

/* What the cgroups grant that the file `membership` (as /proc/self/cgroup) names, below `mount` (as
 * /sys/fs/cgroup), each part of a processor counted as a whole one; 0: no bound is known. */
unsigned processors_granted(const char *mount, const char *membership);

#endif
