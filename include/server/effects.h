/* effects: what settings do outside of the configuration, at start and when they change. No state.
 */
#ifndef SERVER_EFFECTS_H
#define SERVER_EFFECTS_H

#include <stdbool.h>

#include "net/resolver.h"
#include "state/access_log.h"
#include "state/config.h"
#include "state/users.h"

struct resolver_options effects_resolver_options(const struct settings *s);

/* Level and format of the log. */
void effects_set_log(const struct settings *s);

/* Open what the settings name, again if it was open. -1 with the reason in `error`, and the log is
 * as it was. */
int effects_open_log(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));
int effects_open_access_log(struct access_log *log, const struct settings *s,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* The users file; NULL when there is none. */
const char *effects_users_path(const struct settings *s);

/* Reads the users of the file. It may be missing when users of the command line are to be put
 * there. -1 with the reason in `error`, and nothing changed. */
int effects_load_users(struct users *u, const struct settings *s, bool may_be_missing,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Logs what the administrator should know when so many users and this configuration let more in
 * than is likely meant, or nobody. */
void effects_warn_of_open_door(size_t users, const struct config *c);

#endif
