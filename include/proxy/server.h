/* server: the proxy as a whole: made, reloaded, stopped. For the main thread (and the monitor's).
 */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

#include <stdbool.h>

#include "state/options.h"

struct server;

/* Brings everything up from the command line, and serves. The options must live as long as the
 * server. NULL with the reason in `error`; `*bad_input` tells whether the configuration or the
 * users file is to blame. */
struct server *server_start(struct options *o, bool *bad_input, char error[CONFIG_ERROR_MAX]);

/* Only reads and checks what server_start() would. -1 with the reason in `error`. */
int server_check(const struct options *o, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Reads configuration and users again and opens the log again: all of it, or nothing and a line in
 * the log that says why. Live sessions keep what they began with. */
void server_reload(struct server *s);

/* A line in the log with all that was counted. */
void server_log_stats(struct server *s);

/* Stops accepting. Sessions go on; when the last has ended, POOL_GONE_SIGNAL (pool.h) is sent to
 * the calling thread. Returns how long they may go on, in milliseconds. */
int64_t server_drain(struct server *s);

bool server_is_drained(struct server *s);

/* Ends what sessions there still are, joins all threads and frees everything; after
 * server_drain(). */
void server_stop(struct server *s);

#endif
