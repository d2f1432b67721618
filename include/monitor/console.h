/* console: one administrator's connection: login, lines, replies. The admin thread's, but for
 * errands, during which only the thread that does them touches what they are about; no lock. */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/log.h"
#include "monitor/order.h"
#include "monitor/peer.h"
#include "monitor/recurring.h"

struct console;

/* What all consoles share. */
struct desk {
	struct server *server;
	struct services *services;
	struct keeper *keeper; /* NULL: nothing is kept */
	struct errands *done; /* what comes back from other threads */
	struct peer_names names; /* when somebody may come who has one of them */
	struct log_limit refused_limit;
	struct recurring recurring;
	struct console *consoles; /* all of them */
	size_t count;
	uint64_t opened; /* consoles so far */
};

enum console_phase {
	CONSOLE_FREE,
	CONSOLE_LOGIN,
	CONSOLE_COMMANDS,
	CONSOLE_CLOSING, /* the last words went out: reads until the peer closes, so that no reset
			    overtakes them */
};

struct console {
	struct desk *desk;
	enum console_phase phase;
	int fd;
	struct peer peer;
	uint64_t number; /* in the order of opening */
	int64_t deadline; /* CLOCK_NEVER during an errand */
	int64_t rests_until; /* not to be polled before: memory was out */
	struct backoff rest;
	bool input_ended;
	bool is_skipping; /* the rest of a line that was too long */
	size_t in_len;
	char in[MONITOR_LINE_MAX];
	struct order order; /* the command, and the login's password meanwhile; while it is away the
			     * slot stays taken, even without a connection */
	size_t user_len;
	char user[USERS_NAME_MAX + 1]; /* an operator's: "NAME@socket" */
	enum login_result login;
};

/* Takes over the connection `fd` and greets: asks for a login, unless the peer needs none. `c` is
 * free, and zeroed at the first time. */
void console_open(struct console *c, struct desk *desk, int fd, const struct peer *peer);

/* What to poll(2) for; 0 while an errand is under way. */
short console_events(const struct console *c);

/* Goes on with what poll(2) reported, or because the deadline may have passed. */
void console_step(struct console *c, short revents);

/* Ends the connection. With an errand under way the slot is free only when that is done. */
void console_close(struct console *c);

/* Ends it with a last line, as far as that can be sent at once. */
void console_dismiss(struct console *c, const char *line);

/* Frees its memory; nothing may be under way. */
void console_free(struct console *c);

#endif
