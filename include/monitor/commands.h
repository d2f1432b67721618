/* commands: the table of what an administrator can say, and what is done then. No state, no lock.
 */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "monitor/reply.h"
#include "server/server.h"
#include "state/users.h"
#include "wire/monitor.h"

#define COMMANDS_MAX_WORDS 4 /* of a request, the command's included */

struct monitor_request;

/* May who has not the role give it about himself, whose name is the first parameter? */
enum command_own {
	OWN_NEVER,
	OWN_LOOKS, /* where it changes nothing */
	OWN_PROVEN, /* when he has just shown his password, too */
};

struct command {
	const char *word;
	const char *parameters; /* "<name> [<count>]"; "" for none */
	const char *help;
	size_t least, most; /* parameters that it takes */
	bool takes_rest; /* the last one is the rest of the line, blanks included */
	bool is_errand; /* runs in the main thread: changes what only that one may */
	bool asks_names; /* but in the thread that may wait for name servers */
	bool is_keepers; /* runs in the keeper's thread, where there is one */
	bool is_kept; /* an errand: what it has put into services->standing is on the disk before OK
			 is said, where such things are kept */
	bool keeps_users; /* the same where nodes share users, which stand there */
	bool ends_consoles; /* those with an old password, when it succeeded */
	bool is_for_consoles; /* is about a connection that lasts, and of no use without one */
	enum command_own own;
	size_t logged_from; /* words of a request that is logged, at least; 0: none is */
	enum user_role role; /* that it takes */
	/* In the hasher's thread, before it runs: computes `hash`. Then `run` has its turn, unless
	 * `r` says by now why not. NULL: nothing is slow. */
	void (*prepare)(struct monitor_request *q, struct reply *r);
	void (*run)(const struct monitor_request *q, struct reply *r);
	/* In the main thread again, of an errand that has succeeded, and has put on the disk what
	 * it is to: does the rest. NULL: there is none. */
	void (*finish)(const struct monitor_request *q, struct reply *r);
};

extern const struct command commands_table[];
extern const size_t commands_count;

/* A request taken apart. The words are NUL-terminated and point into `memory`. */
struct monitor_request {
	struct server *server; /* for errands only */
	struct services *services;
	struct keeper *keeper; /* NULL: nothing is kept */
	bool is_proven; /* its giver has just shown his password */
	const struct command *command;
	size_t count; /* parameters that were given */
	const char *parameters[COMMANDS_MAX_WORDS - 1];
	char memory[MONITOR_LINE_MAX + COMMANDS_MAX_WORDS];
	char hash[PASSWORD_HASH_SIZE]; /* of the password in it, or of the one made up */
	char made_name[16], made_password[16]; /* by prepare(), for a guest */
};

/* Takes a line apart. False when it is no request that the table knows; then `r` says why. */
bool commands_parse(const struct monitor_line *line, struct monitor_request *q, struct reply *r);

/* The same of a command that is given as a word and `count` parameters, each as a whole. They may
 * hold blanks only where the last one is the rest of a line. */
bool commands_take(const char *word, const char *const parameters[], size_t count,
	struct monitor_request *q, struct reply *r);

/* The command with the first parameter, which tells whose entries an access log has: what a reply
 * is shaped by (wire/json.h). */
void commands_put_request(const struct monitor_request *q, char *out, size_t size);

/* Does it change something, as it was asked, so that it is logged? */
bool commands_changes(const struct monitor_request *q);

/* May `user` give the command, as things are now? */
bool commands_may(const struct monitor_request *q, const char *user);

/* The same; if not, `r` says so. */
bool commands_allowed(const struct monitor_request *q, const char *user, struct reply *r);

#endif
