/* manager: a service manager's socket, NOTIFY_SOCKET, at which a test sees what it is told. */
#ifndef TESTS_SERVER_MANAGER_H
#define TESTS_SERVER_MANAGER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/check.h"
#include "net/notify.h"

static int manager_fd = -1;
static char manager_text[4096]; /* of the last message */
static int manager_passed; /* the descriptor that came with it; -1: none */

/* Listens at `name`, a path or an abstract name behind an @, and puts it into the environment. */
static inline void manager_open(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 60};
	size_t len = strlen(name);

	memcpy(a.sun_path, name, len);
	if (*name == '@')
		a.sun_path[0] = '\0';
	manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager_fd >= 0);
	setsockopt(manager_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(manager_fd, (const struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static inline void manager_close(void)
{
	close(manager_fd);
	manager_fd = -1;
}

/* The next message is in `manager_text` then; false: there is none, with MSG_DONTWAIT. */
static inline bool manager_hears(int flags)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec text = {.iov_base = manager_text, .iov_len = sizeof(manager_text) - 1};
	struct msghdr m = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(manager_fd, &m, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	manager_text[n < 0 ? 0 : n] = '\0';
	manager_passed = -1;
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&manager_passed, CMSG_DATA(c), sizeof(int));
	return n >= 0;
}

/* It has heard, or hears now, exactly this, and no more than that. */
static inline void manager_expect(const char *text)
{
	assert_true(manager_hears(0));
	assert_string_equal(manager_text, text);
}

static inline void manager_expect_silence(void)
{
	if (manager_hears(MSG_DONTWAIT))
		fail_msg("heard: %s", manager_text);
}

#endif
