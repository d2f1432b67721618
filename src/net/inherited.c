/*
 * LISTEN_FDS descriptors from 3 on are ours where LISTEN_PID is, and LISTEN_FDNAMES has their names
 * with colons in between. Who sends them is whoever started us, so that what they are is not taken
 * on trust: the kernel is asked.
 */
#include "net/inherited.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse.h"
#include "net/socket.h"

#define FIRST 3

/* How many are for this process. */
static size_t count_them(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t number;

	if (pid == NULL || fds == NULL || !parse_number(pid, &number) || number != getpid())
		return 0;
	return parse_number(fds, &number) && number <= INT16_MAX ? (size_t)number : 0;
}

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) < 0 ? -1 : value;
}

/* A name that is too long for the table is cut, and so is none that anybody looks for. */
static void take_name(struct inherited *i, const char **names)
{
	size_t len = strcspn(*names, ":");
	size_t kept = len < sizeof(i->name) ? len : sizeof(i->name) - 1;

	memcpy(i->name, *names, kept);
	i->name[kept] = '\0';
	*names += len + ((*names)[len] == ':');
}

static void look_at_tcp(struct inherited *i, sa_family_t family)
{
	i->kind = INHERITED_TCP;
	i->bound = socket_local_addr(i->fd);
	i->is_for_both = family == AF_INET6 && addr_is_unspecified(&i->bound) &&
		option_of(i->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
	socket_prepare_listener(i->fd);
}

/* An abstract name, and one that fills the address, are none of a file that could be shown. */
static void look_at_local(struct inherited *i)
{
	struct sockaddr_un a = {.sun_family = AF_UNSPEC};
	socklen_t len = sizeof(a);

	i->kind = INHERITED_LOCAL;
	if (getsockname(i->fd, (struct sockaddr *)&a, &len) == 0 &&
		memchr(a.sun_path, '\0', sizeof(a.sun_path)) != NULL)
		strcpy(i->path, a.sun_path);
}

static void look_at(struct inherited *i)
{
	int flags = fcntl(i->fd, F_GETFL);
	int family = option_of(i->fd, SOL_SOCKET, SO_DOMAIN);

	if (flags < 0 || fcntl(i->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(i->fd, F_SETFD, FD_CLOEXEC) < 0 ||
		option_of(i->fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
		option_of(i->fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
		return;
	if (family == AF_INET || family == AF_INET6)
		look_at_tcp(i, (sa_family_t)family);
	else if (family == AF_UNIX)
		look_at_local(i);
}

size_t inherited_take(struct inherited out[INHERITED_MOST])
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t count = count_them(), kept = count < INHERITED_MOST ? count : INHERITED_MOST;

	if (names == NULL)
		names = "";
	for (size_t i = 0; i < kept; i++) {
		out[i] = (struct inherited){.fd = FIRST + (int)i};
		take_name(&out[i], &names);
		look_at(&out[i]);
	}
	for (size_t i = kept; i < count; i++)
		close(FIRST + (int)i);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return kept;
}
