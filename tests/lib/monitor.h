/* monitor: an administrator's connection to a daemon, for tests. */
#ifndef TESTS_MONITOR_H
#define TESTS_MONITOR_H

#include "daemon.h"

/* The password "secret" of every user of monitor_write_users(), by bcrypt at its lowest cost. */
#define MONITOR_HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

/* Writes the daemon's users file: root and boss, who are admins, alice and bob, who are not; all
 * with the password "secret". */
void monitor_write_users(const struct daemon *d);

/* daemon_prepare(), the users, and daemon_launch() with these flags behind -U. */
void monitor_start_daemon(struct daemon *d, const char *const flags[]);

/* A connection that has got the greeting. */
int monitor_connect(const struct daemon *d);

/* A connection that has logged in as "NAME:PASSWORD". */
int monitor_login(const struct daemon *d, const char *credentials);

/* Sends the request, which gets its LF, and returns the reply without the empty line at its end,
 * which must be there. Valid until the next call. */
const char *monitor_ask(int fd, const char *request);

/* The same, and compares. */
void monitor_expect(int fd, const char *request, const char *reply);

/* Sends text as it is; reads exactly `text`, or all up to the end of the stream. */
void monitor_send(int fd, const char *text);
void monitor_expect_text(int fd, const char *text);
const char *monitor_read_to_end(int fd);

/* The number in the line "NAME:" of STATS. */
long monitor_stat(int fd, const char *name);

#endif
