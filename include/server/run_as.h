/* run_as: `user = NAME`: root gives that user what is to be his, opens files as he may, and becomes
 * him. Of the process; the main thread's before there are others. */
#ifndef SERVER_RUN_AS_H
#define SERVER_RUN_AS_H

#include "state/config.h"

/* Could a server with these settings become the user? -1 with the reason in `error`. */
int run_as_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Before any file is opened: gives him what they are and are in, as far as that is root's and
 * nobody else's, and has all files opened as he may from here on. Where the settings name nobody,
 * or whom it runs as already, nothing is done. -1 with the reason in `error`. */
int run_as_begin(const struct config *c, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Puts behind a reason that is about rights who it is that lacks them, where it is not whom the
 * server was started as. */
void run_as_explain(char error[CONFIG_ERROR_MAX]);

/* When all is open: becomes him, for good. -1 with the reason in `error`. */
int run_as_end(char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
