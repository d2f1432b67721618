/* listeners: a set of listening sockets, opened as a whole. Belongs to one thread at a time. */
#ifndef PROXY_LISTENERS_H
#define PROXY_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/local.h"
#include "state/config.h"

#define LISTENER_NAME_MAX 256 /* its NUL included */

struct listeners {
	size_t count;
	int backlog;
	bool are_handed; /* they were there before us: nobody has accepted at them yet */
	struct listener {
		int fd;
		struct addr wanted; /* as configured */
		struct addr bound; /* as the kernel says: with the port */
		bool is_awaited; /* this host did not have the address when it was opened */
		bool is_quiet; /* nobody is let in before listeners_begin() */
		bool is_for_both; /* it is at [::], and serves IPv4 as well */
		bool is_lent; /* somebody else has opened it, and takes its file away */
		char kept_as[LISTENER_NAME_MAX]; /* a copy outlives us; "": none does */
		struct local_file file; /* of a unix socket, which has no addresses */
	} items[SETTINGS_MAX_LISTEN];
	size_t lacking_count; /* addresses of a family that the kernel lacks: left out */
	struct addr lacking[SETTINGS_MAX_LISTEN];
};

/* Opens what `list` says; listeners of `old` on the same address are taken over and stay open, with
 * whoever waits in their backlog. At start `old` is NULL, or `are_handed`: then an address that
 * this host does not have yet is listened on, too. One whose family the kernel lacks is left out,
 * unless it is the only one. In a change new ones let nobody in before listeners_begin(). NULL with
 * the address and why in `error`, who has it or which right is missing included; then nothing
 * changed. */
struct listeners *listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX]);

/* The same with a unix socket at `path`, or with nothing for "". One of `old` that has the file at
 * `path` is taken over. */
struct listeners *listeners_open_local(
	const char *path, int backlog, const struct listeners *old, char error[CONFIG_ERROR_MAX]);

/* Lets clients in; from then on they wait in the backlog. What cannot be listened on any more, as
 * somebody else has begun to in the meantime, is logged. */
void listeners_begin(struct listeners *l);

/* Is `fd` one of them? `l` may be NULL. */
bool listeners_have(const struct listeners *l, int fd);

/* How many of `list` would be opened anew, when those of `old` are there. */
size_t listeners_count_new(const struct listen_list *list, const struct listeners *old);
size_t listeners_count_new_local(const char *path, const struct listeners *old);

/* Adds the addresses of `l` to those at which the proxy itself answers (config.own). */
void listeners_add_own(const struct listeners *l, struct config *c);

/* A line in the log with this message for each that is not in `known` (may be NULL), and a warning
 * for each that was left out. */
void listeners_log(const struct listeners *l, const struct listeners *known, const char *msg);

/* Takes those out of `l` that are in `kept` (may be NULL) too, and so are not to be closed. */
void listeners_leave_out(struct listeners *l, const struct listeners *kept);

/* Closes all, takes away the files of unix sockets, unless they are lent or outlive us, and frees
 * the set. NULL is allowed. */
void listeners_close(struct listeners *l);

#endif
