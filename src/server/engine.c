/*
 * hiredis speaks the protocol; the socket is ours, so that connecting has a deadline for whichever
 * address it is, and each read and each reply have one. Commands are sent when the first reply is
 * wanted, so any number of them costs one round trip.
 */
#include "server/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socket.h"

#define LOOKUP_MS 2000 /* for its name */

struct engine {
	redisContext *link; /* NULL: not connected */
	uint64_t commands;
};

struct engine *engine_new(void)
{
	return calloc(1, sizeof(struct engine));
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	engine_close(e);
	free(e);
}

void engine_close(struct engine *e)
{
	if (e->link != NULL)
		redisFree(e->link);
	e->link = NULL;
}

/* ---- where it is, and by which word ---- */

bool engine_find(const struct shared_place *place, struct resolver *resolver,
	struct fdbudget *budget, struct addr *out)
{
	size_t len = strlen(place->host);
	struct fd_lease lease = {.budget = budget, .held = 1};
	struct lookup l = {.resolver = NULL};
	bool is_found = addr_parse(place->host, len, out);

	if (!is_found) {
		lookup_begin(&l, resolver, place->host, len, &lease);
		lookup_await(&l, clock_deadline(LOOKUP_MS));
	}
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES && !is_found; f++) {
		is_found = l.answers[f].count > 0;
		*out = l.answers[f].addrs[0];
	}
	addr_set_port(out, place->port);
	return is_found;
}

int engine_read_password(const char *path, struct shared_place *place, char error[ENGINE_ERROR_MAX])
{
	int fd = *path == '\0' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, place->password, SHARED_FIELD_MAX);

	if (*path == '\0')
		return 0;
	if (n < 0) {
		snprintf(error, ENGINE_ERROR_MAX, "shared_password_file: %.400s cannot be read: %s",
			path, strerror(errno));
	} else {
		place->password[n] = '\0';
		place->password[strcspn(place->password, "\r\n")] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* ---- connecting ---- */

static struct timeval timeval_of(long ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* SO_SNDTIMEO bounds connect(2), too (socket(7)). */
static int connect_within(int fd, const struct sockaddr *to, socklen_t len)
{
	struct timeval patience = timeval_of(ENGINE_CONNECT_MS);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(fd, to, len) < 0) {
		if (errno == EINPROGRESS)
			errno = ETIMEDOUT;
		return -1;
	}
	return 0;
}

static int open_link(const struct shared_place *place, const struct addr *at)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	const struct sockaddr *to = at != NULL ? &at->sa : (const struct sockaddr *)&local;
	socklen_t len = at != NULL ? addr_len(at) : sizeof(local);
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		return -1;
	snprintf(local.sun_path, sizeof(local.sun_path), "%.107s", place->path);
	if (connect_within(fd, to, len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int log_in(struct engine *e, const struct shared_place *place, char *error)
{
	char database[16];
	bool has_login = place->user[0] != '\0' || place->password[0] != '\0';

	if (place->user[0] != '\0')
		ENGINE_ASK(e, "AUTH", place->user, place->password);
	else if (has_login)
		ENGINE_ASK(e, "AUTH", place->password);
	snprintf(database, sizeof(database), "%u", place->database);
	ENGINE_ASK(e, "SELECT", database);
	return engine_skip(e, has_login ? 2 : 1, error);
}

int engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX])
{
	int fd = open_link(place, at);

	engine_close(e);
	if (fd >= 0)
		e->link = redisConnectFd(fd);
	if (e->link == NULL) {
		snprintf(error, ENGINE_ERROR_MAX, "%s", fd < 0 ? strerror(errno) : "out of memory");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)redisSetTimeout(e->link, timeval_of(ENGINE_REPLY_MS));
	if (log_in(e, place, error) == 0)
		return 0;
	engine_close(e);
	return -1;
}

bool engine_here(const struct engine *e, struct addr *out)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof(here);

	if (e->link == NULL || getsockname(e->link->fd, (struct sockaddr *)&here, &len) < 0)
		return false;
	*out = addr_from_sockaddr((const struct sockaddr *)&here);
	return out->sa.sa_family != AF_UNSPEC;
}

/* ---- asking ---- */

void engine_ask(struct engine *e, const char *const *words)
{
	const char *argv[ENGINE_WORDS_MAX];
	int argc = 0;

	while (argc < ENGINE_WORDS_MAX && words[argc] != NULL) {
		argv[argc] = words[argc];
		argc++;
	}
	if (e->link == NULL)
		return;
	e->commands++;
	(void)redisAppendCommandArgv(e->link, argc, argv, NULL);
}

uint64_t engine_commands(const struct engine *e)
{
	return e->commands;
}

/* NULL in `*reply` with REDIS_OK: time is up. */
static int await_reply(redisContext *link, void **reply)
{
	int64_t deadline = clock_deadline(ENGINE_WHOLE_MS);
	int is_sent = 0, result = redisGetReplyFromReader(link, reply);

	while (result == REDIS_OK && *reply == NULL && clock_ms() < deadline) {
		result = is_sent ? redisBufferRead(link) : redisBufferWrite(link, &is_sent);
		if (result == REDIS_OK)
			result = redisGetReplyFromReader(link, reply);
	}
	return result;
}

redisReply *engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX])
{
	void *reply = NULL;
	int result;

	if (e->link == NULL) {
		snprintf(error, ENGINE_ERROR_MAX, "not connected");
		return NULL;
	}
	result = await_reply(e->link, &reply);
	if (reply != NULL)
		return reply;
	snprintf(error, ENGINE_ERROR_MAX, "%s",
		result == REDIS_OK || (e->link->err == REDIS_ERR_IO && errno == EAGAIN)
			? "no answer in time"
			: e->link->errstr);
	return NULL;
}
