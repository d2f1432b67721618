/* peer: who is at the other end of a connection to the monitor: an address, or at the socket on the
 * host itself one of its users. Values; no lock. */
#ifndef MONITOR_PEER_H
#define MONITOR_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"
#include "net/own.h"
#include "state/users.h"

#define PEER_TEXT_MAX ADDR_TEXT_MAX

struct peer {
	bool is_local; /* came by the unix socket */
	uid_t uid; /* is_local: as whom, as the kernel says */
	struct addr from; /* the address; of a local one loopback's, with which it is held off */
	struct network client; /* what counts as one with the address */
};

struct peer peer_from_address(struct own *own, const struct addr *from);

/* Of a connection to the unix socket. */
struct peer peer_from_socket(int fd);

/* Do both count as one when places are short? */
bool peer_is_one_with(const struct peer *a, const struct peer *b);

/* What the log says: "192.0.2.7:51514", without a port where none is known, or "uid:1000". Returns
 * `out`. */
const char *peer_format(const struct peer *p, char out[PEER_TEXT_MAX]);

/* Is it root or the user that the server runs as, who need not log in? */
bool peer_is_operator(const struct peer *p);

/* The login names of these two, "uid:N" where there is none. */
struct peer_names {
	char root[USERS_NAME_MAX + 1];
	char server[USERS_NAME_MAX + 1];
};

/* Asks the system for them, which may take its time. */
void peer_find_names(struct peer_names *names);

/* The one of an operator. */
const char *peer_name(const struct peer *p, const struct peer_names *names);

#endif
