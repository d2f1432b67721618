/* flags: the command line of monitor_client. No lock; used at start. */
#ifndef CLIENT_FLAGS_H
#define CLIENT_FLAGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/flag.h"

#define FLAGS_ERROR_MAX 512

enum flags_action {
	FLAGS_TALK, /* line by line: no command was given */
	FLAGS_ASK, /* one request */
	FLAGS_TOP, /* the live view */
	FLAGS_HELP, /* -h */
	FLAGS_VERSION, /* -v */
};

struct flags {
	enum flags_action action;
	char host[256]; /* an address or a name */
	char port[8];
	const char *socket; /* a unix socket instead; NULL: none was given */
	bool is_elsewhere; /* a flag says where to, or as whom, and so not to the usual socket */
	const char *user; /* NULL: the login is asked for whole */
	const char *password_file; /* NULL: none */
	bool json;
	bool all; /* FLAGS_ASK: of all nodes */
	char *request; /* FLAGS_ASK */
};

/* Reads the command line. A password among the words of the request is wiped from `argv`, so that
 * ps(1) does not show it. -1 with the reason in `error`. */
int flags_parse(struct flags *f, int argc, char **argv, char error[FLAGS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Wipes and frees the request. */
void flags_free(struct flags *f);

/* All flags, in the order of the help. */
#define FLAGS_COUNT 9
extern const struct flag flags_table[FLAGS_COUNT];

/* What -h says. */
void flags_print_help(FILE *out);

#endif
