/* options: the command line, whose flags come from the table of settings. No lock; used at start.
 */
#ifndef STATE_OPTIONS_H
#define STATE_OPTIONS_H

#include <stdio.h>

#include "base/flag.h"
#include "state/config.h"
#include "state/users.h"

#define OPTIONS_MAX_USERS 10

enum options_action {
	OPTIONS_SERVE,
	OPTIONS_CHECK, /* -n */
	OPTIONS_EXPLAIN, /* --explain */
	OPTIONS_DOCTOR, /* --doctor */
	OPTIONS_HELP, /* -h */
	OPTIONS_VERSION, /* -v */
};

struct options {
	enum options_action action;
	struct config_source source; /* its texts are those of argv */
	struct user_credentials users[OPTIONS_MAX_USERS];
	size_t user_count;
	const char *question; /* of OPTIONS_EXPLAIN, one of argv (question.h) */
	bool asks_names; /* --resolve */
};

/* Reads the command line. Names and passwords of -u are copied, and wiped from `argv` so that ps(1)
 * does not show them. -1 with the reason in `error`. To be freed in any case. */
int options_parse(struct options *o, int argc, char **argv, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Wipes and frees the copies of -u; the users are gone then. */
void options_free_users(struct options *o);

/* Frees everything, users too. */
void options_free(struct options *o);

/* The flags beside those of settings, in the order of the help. */
#define OPTIONS_FLAGS 8
extern const struct flag options_flags[OPTIONS_FLAGS];

/* What -h says. */
void options_print_help(FILE *out);

#endif
