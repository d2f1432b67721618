/* client: what all of monitor_client's ways to work share: connection, login, output. No lock. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/flags.h"
#include "client/link.h"
#include "client/secret.h"
#include "client/signals.h"
#include "client/status.h"

struct client {
	const struct flags *flags;
	struct link *link;
	struct signals signals;
	bool is_known; /* the server knew who we are, and asked for no login */
	bool was_unknown; /* the last request asked for: there is no such command */
	char *login; /* where other nodes are asked, too: "NAME:PASSWORD"; NULL: none was needed */
	bool json; /* how replies are printed, as the flags say or a line at the prompt */
};

/* Connects; login_run() (login.h) comes next. Prints why when that does not work out; what it
 * returns then is the status to exit with. client_close() is due in any case. */
enum client_status client_open(struct client *c, const struct flags *f);
void client_close(struct client *c);

/* Asks for a secret on the terminal, which does not show it. */
enum client_status client_ask_secret(struct client *c, const char *prompt, char out[SECRET_MAX]);

/* Reads one that is a line of standard input. It says what is wrong, of which `none` and `too_long`
 * are what to say where there is no such line and where it is too long. */
enum client_status client_read_secret(
	const struct client *c, const char *none, const char *too_long, char out[SECRET_MAX]);

/* Prints the reply to `request`: in JSON where that is wanted, for people at a terminal records as
 * a table, else as it came. Tells OK from ERR. */
enum client_status client_print(
	const struct client *c, const char *request, const struct answer *reply);

/* What of it is for people at a terminal, or comes as it came, to `out`, whatever the answer is. */
void client_put(const struct client *c, FILE *out, const char *request, const struct answer *reply);

/* Does somebody watch, and not the output of a script's commands? */
bool client_is_for_person(const struct client *c);

/* Asks and prints. A password that the request has `-` for is asked for first. */
enum client_status client_ask(struct client *c, const char *request);

/* Prints what was wrong with the link: `result` is LINK_BROKEN or LINK_INTERRUPTED. */
enum client_status client_complain(const struct client *c, int result);

/* Prints "monitor_client: " and a message as for printf(3) to standard error, where what terminals
 * would obey is escaped. */
void client_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
