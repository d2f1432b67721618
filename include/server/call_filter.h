/* call_filter: the system calls that a proxy never makes, denied by a seccomp filter. No lock; for
 * a process that has one thread. */
#ifndef SERVER_CALL_FILTER_H
#define SERVER_CALL_FILTER_H

#include <stdbool.h>

/* Calls that are denied for one reason. Of some it depends on what they are asked for. */
struct call_filter_group {
	const char *name;
	const char *why;
	const char *const *calls; /* up to a NULL */
};

/* All of them; the last one has no name. */
extern const struct call_filter_group call_filter_groups[];

/* Has this program the filter, and can the kernel enforce one? False with errno: ENOTSUP, it was
 * built without, or what the kernel says. */
bool call_filter_is_possible(void);

/* Denies all of it from here on, for threads that are made later too: such a call fails with EPERM.
 * `makes_local`: new unix sockets are still allowed. Takes no_new_privs. -1 with errno. */
int call_filter_install(bool makes_local) __attribute__((warn_unused_result));

#endif
