/* accounts: users, clients and their limits, made as a configuration wants them. For the main
 * thread only. */
#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

#include "proxy/services.h"
#include "state/options.h"

/* Can users be kept as the settings want them? -1 with the reason in `error`, CONFIG_ERROR_MAX
 * bytes.
 */
int accounts_check(const struct settings *settings, char *error)
	__attribute__((warn_unused_result));

/* Makes what users and clients are known by: users who are kept in a file, if one is named, and
 * what they need. -1 with errno. Either way accounts_release() is due. */
int accounts_make(struct services *v, const struct settings *settings)
	__attribute__((warn_unused_result));

/* Reads the users of the file, and puts in those of the command line. -1 with the reason in
 * `error`, CONFIG_ERROR_MAX bytes. */
int accounts_load(struct services *v, const struct options *o, char *error)
	__attribute__((warn_unused_result));

/* The same for who only looks, and neither logs anybody in nor writes anything. */
int accounts_look(struct services *v, const struct options *o, char *error)
	__attribute__((warn_unused_result));

void accounts_release(struct services *v);

#endif
