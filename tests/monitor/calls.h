/* calls: the calls that move bytes, with faults, and the other threads of the server, which are the
 * test's hand and do their steps when told. For tests whose line WRAP_ in the Makefile names
 * $(WRAP_DESK). */
#ifndef TESTS_MONITOR_CALLS_H
#define TESTS_MONITOR_CALLS_H

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../base/scratch.h"
#include "parts.h"
#include "server/errands.h"

/* ---- the two calls that move bytes ---- */

static unsigned moves; /* recv(2) and send(2) so far */
static unsigned fault_at; /* of them, from 1; 0: none fails */
static int fault; /* errno; 0: one byte passes */
static size_t most_bytes = SIZE_MAX; /* that any of them moves */

ssize_t __real_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);

/* Does this call fail? Otherwise `*len` is what it may move. */
static inline bool move_fails(size_t *len)
{
	bool strikes = ++moves == fault_at;

	if (*len > most_bytes)
		*len = most_bytes;
	if (strikes && fault == 0)
		*len = 1;
	errno = fault;
	return strikes && fault != 0;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
	return move_fails(&len) ? -1 : __real_recv(fd, bytes, len, flags);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	return move_fails(&len) ? -1 : __real_send(fd, bytes, len, flags);
}

static inline void fail_move(unsigned at, int error)
{
	moves = 0;
	fault_at = at;
	fault = error;
}

static inline bool move_failed(void)
{
	return moves >= fault_at;
}

/* ---- the server ---- */

/* Errands that wait for one thread, and how often it was called for them. */
struct queue {
	struct errands *errands;
	unsigned calls;
};

static struct queue hasher, changer, back;
static unsigned hashed; /* passwords */
static int hash_fault; /* errno */
static const char *made_hash = MONITOR_HASH; /* of any password, at once */
static char changed[256]; /* what the server was told last */
static const char *change_problem; /* NULL: it does what it is told */

struct errands *__wrap_server_errands(struct server *s);
struct errands *__wrap_server_hashes(struct server *s);
struct errands *__wrap_server_lookups(struct server *s);
int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);
int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX]);
int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE]);

struct errands *__wrap_server_errands(struct server *s)
{
	(void)s;
	return changer.errands;
}

struct errands *__wrap_server_hashes(struct server *s)
{
	(void)s;
	return hasher.errands;
}

struct errands *__wrap_server_lookups(struct server *s)
{
	(void)s;
	return changer.errands;
}

int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	snprintf(changed, sizeof(changed), "%s = %s", setting->name, value);
	if (change_problem != NULL)
		strcpy(reply, change_problem);
	return change_problem == NULL ? 0 : -1;
}

int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	(void)cuts;
	strcpy(changed, "reload");
	strcpy(reply, change_problem == NULL ? "nothing changed" : change_problem);
	return change_problem == NULL ? 0 : -1;
}

int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	(void)password;
	hashed++;
	errno = hash_fault;
	strcpy(out, made_hash);
	return hash_fault == 0 ? 0 : -1;
}

static inline void call(void *context)
{
	struct queue *q = context;

	q->calls++;
}

static inline void open_queue(struct queue *q)
{
	q->calls = 0;
	q->errands = errands_new(call, q);
	assert_non_null(q->errands);
}

/* Does one step, if there is one to do. */
static inline bool work(struct queue *q)
{
	if (q->calls == 0)
		return false;
	q->calls--;
	errands_run(q->errands);
	return true;
}

/* ---- the log ---- */

static inline size_t count_logged(const char *part)
{
	char *log = scratch_read("log");
	size_t n = 0;

	for (const char *at = log; (at = strstr(at, part)) != NULL; at++)
		n++;
	free(log);
	return n;
}

#endif
