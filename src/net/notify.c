/*
 * The protocol is a datagram of assignments to a socket whose name is in the environment, with a
 * descriptor beside them or without; so it needs no library. The socket is opened early, as later
 * there may be no right to, and connected: who confines itself may be kept from whatever it has not
 * spoken to before.
 */
#include "net/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse.h"

#define MESSAGE_MAX 2048
#define PATIENCE_S 2

/* A path, or the name of an abstract socket behind an @. The length of the address; 0 with errno.
 */
static socklen_t make_address(const char *name, struct sockaddr_un *out)
{
	size_t len = strlen(name);

	if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof(out->sun_path)) {
		errno = len < sizeof(out->sun_path) ? EINVAL : ENAMETOOLONG;
		return 0;
	}
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(out->sun_path, name, len);
	if (*name == '@')
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*name == '/'));
}

/* In milliseconds; 0: no, or for another process, whose environment we have inherited. */
static int64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t number;

	if (pid != NULL && (!parse_number(pid, &number) || number != getpid()))
		return 0;
	return usec != NULL && parse_number(usec, &number) ? number / 1000 : 0;
}

static int open_named(struct notify *n, const char *name)
{
	static const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un to;
	socklen_t len = make_address(name, &to);
	int saved;

	if (len == 0)
		return -1;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0 && connect(n->fd, (const struct sockaddr *)&to, len) < 0) {
		saved = errno;
		notify_close(n);
		errno = saved;
	}
	if (n->fd < 0)
		return -1;
	(void)setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	n->watchdog_ms = read_watchdog();
	return 0;
}

int notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int result = 0, saved;

	*n = (struct notify){.fd = -1};
	if (name != NULL)
		result = open_named(n, name);
	saved = errno;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	errno = saved;
	return result;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

union passed_fd {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* `fd` goes with it; -1: none does. */
static void send_text(const struct notify *n, const char *text, int fd, int flags)
{
	struct iovec text_of = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr m = {.msg_iov = &text_of, .msg_iovlen = 1};
	union passed_fd passed = {.bytes = {0}};
	ssize_t sent;

	if (fd >= 0) {
		passed.header.cmsg_len = CMSG_LEN(sizeof(fd));
		passed.header.cmsg_level = SOL_SOCKET;
		passed.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&passed.header), &fd, sizeof(fd));
		m.msg_control = &passed;
		m.msg_controllen = sizeof(passed);
	}
	do
		sent = sendmsg(n->fd, &m, MSG_NOSIGNAL | flags);
	while (sent < 0 && errno == EINTR);
}

static void send_formatted(const struct notify *n, int flags, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void send_formatted(const struct notify *n, int flags, const char *format, va_list ap)
{
	char text[MESSAGE_MAX];

	if (n->fd < 0)
		return;
	vsnprintf(text, sizeof(text), format, ap);
	send_text(n, text, -1, flags);
}

void notify_tell(const struct notify *n, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	send_formatted(n, 0, format, ap);
	va_end(ap);
}

void notify_try(const struct notify *n, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	send_formatted(n, MSG_DONTWAIT, format, ap);
	va_end(ap);
}

void notify_store(const struct notify *n, const char *name, int fd)
{
	char text[MESSAGE_MAX];

	if (n->fd < 0)
		return;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	send_text(n, text, fd, 0);
}

void notify_drop(const struct notify *n, const char *name)
{
	notify_tell(n, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}
