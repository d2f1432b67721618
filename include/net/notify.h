/* notify: what the service manager that has started us is told (sd_notify(3)). No lock: whoever has
 * opened it leaves it as it is. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <stdint.h>

/* With `fd` -1 there is none; then all functions do nothing. */
struct notify {
	int fd;
	int64_t watchdog_ms; /* how often at least it wants to be told that all is well; 0: not */
};

/* Opens what the environment names, and takes it out of there: NOTIFY_SOCKET, and WATCHDOG_USEC
 * where that is meant for this process. Before there are threads. Where it fails, errno says why,
 * and there is none. */
int notify_open(struct notify *n) __attribute__((warn_unused_result));
void notify_close(struct notify *n);

/* Sends assignments, a line each, as for printf(3). It waits for a moment while the manager has
 * much to read; notify_try() does not. What it does not take is lost. */
void notify_tell(const struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void notify_try(const struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Gives it a copy of a descriptor, to be handed over to the next instance under this name, and asks
 * to drop what it has of that name. It does so in its own time. */
void notify_store(const struct notify *n, const char *name, int fd);
void notify_drop(const struct notify *n, const char *name);

#endif
