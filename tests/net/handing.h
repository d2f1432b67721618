/* handing: sockets that a test hands over to itself, as a service manager does: from descriptor 3
 * on, with their names in the environment. */
#ifndef TESTS_NET_HANDING_H
#define TESTS_NET_HANDING_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "net/inherited.h"

struct handing {
	int fd; /* stays the test's */
	const char *name;
};

/* Copies of these; whatever had the numbers is closed. */
static inline void hand_over_these(const struct handing *items, size_t count)
{
	int copies[INHERITED_MOST];
	char names[4096] = "", number[16];

	assert_true(count <= INHERITED_MOST);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names);

		copies[i] = fcntl(items[i].fd, F_DUPFD, 100);
		assert_true(copies[i] >= 0);
		snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ":" : "", items[i].name);
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(dup2(copies[i], 3 + (int)i), 3 + (int)i);
		close(copies[i]);
	}
	snprintf(number, sizeof(number), "%zu", count);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

/* A socket of the test's own, out of the way of those that are handed over. */
static inline int out_of_the_way(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 50);

	assert_true(moved >= 0);
	close(fd);
	return moved;
}

#endif
