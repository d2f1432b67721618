/* probe: what the doctor asks of the host and the network, one question each. No state, no lock. */
#ifndef SERVER_PROBE_H
#define SERVER_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/socket.h"

/* Listens at `a` for the moment. The descriptor, to be closed; or -1 with errno. `*bound` is where
 * that is. */
int probe_listen(const struct addr *a, struct addr *bound);

/* Connects to `a` by TCP and leaves. 0, or the errno of why not, ETIMEDOUT when nothing came. */
int probe_connect(const struct addr *a, const struct socket_via *via);

/* Does anybody listen at a unix socket? */
bool probe_local(const char *path);

/* Asks a name server for the addresses of a name that there is. What it answered: RCODE (RFC 1035),
 * and how long it took; or -1 with errno, ETIMEDOUT when it kept silent. */
int probe_name_server(const struct addr *server, int64_t *ms);

/* Seconds since 1970, and whether the kernel thinks that something keeps them right. */
int64_t probe_clock(bool *is_synchronised);

/* Could a file at `path` be appended to, or be made? 0, or the errno of why not. */
int probe_append(const char *path);

/* Can a file be read? Likewise. */
int probe_read(const char *path);

/* Can files be made in a folder? Likewise. */
int probe_folder(const char *path);

#endif
