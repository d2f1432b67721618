/* arguments: the command line of socks5d_auth. No lock; used at start. */
#ifndef HELPER_ARGUMENTS_H
#define HELPER_ARGUMENTS_H

#include <stdint.h>
#include <stdio.h>

#include "base/flag.h"
#include "base/log.h"

#define ARGUMENTS_ERROR_MAX 512
#define ARGUMENTS_CHILDREN_MAX 100
#define ARGUMENTS_CONCURRENCY_MAX 1000

enum arguments_action { ARGUMENTS_SERVE, ARGUMENTS_HELP, ARGUMENTS_VERSION };

struct arguments {
	enum arguments_action action;
	unsigned children;
	unsigned concurrency; /* of the command that checks logins */
	unsigned groups_concurrency; /* of the other */
	const char *groups; /* a shell's command; NULL: nobody is asked about groups */
	int64_t timeout_ms;
	enum log_level log_level;
	const char *socket;
	char **command; /* with its arguments, as of execve(2) */
};

/* Reads the command line, whose words stay the caller's. -1 with the reason in `error`. */
int arguments_parse(struct arguments *a, int argc, char **argv, char error[ARGUMENTS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* All flags, in the order of the help. */
#define ARGUMENTS_COUNT 8
extern const struct flag arguments_table[ARGUMENTS_COUNT];

/* What --help says. */
void arguments_print_help(FILE *out);

#endif
