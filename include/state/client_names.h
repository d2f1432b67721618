/* client_names: what clients are called, from a file as hosts(5) or the leases of a DHCP server.
 * For people who look, never to decide anything. A rwlock guards the names. */
#ifndef STATE_CLIENT_NAMES_H
#define STATE_CLIENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "net/followed.h"

/* ---- a file, line by line: pure ---- */

/* Recognised by the first line that says something. */
enum leases_format {
	LEASES_UNKNOWN, /* nothing came yet */
	LEASES_HOSTS, /* ADDRESS NAME ..., and whatever is none of the others */
	LEASES_DNSMASQ, /* EXPIRY MAC ADDRESS NAME CLIENT-ID */
	LEASES_ISC, /* dhcpd.leases(5) */
	LEASES_KEA, /* comma-separated, with a line of titles */
};

/* Zeroed at first. */
struct leases_reader {
	enum leases_format format;
	bool has_addr; /* of ISC's: within a lease, of `addr` */
	struct addr addr;
	size_t addr_column, name_column; /* of Kea's */
};

struct leased {
	struct addr addr;
	const char *name; /* in the line; not empty, and any bytes */
};

/* Takes the next line, which it cuts up; true when it gives an address a name. What a line does not
 * say right is skipped: leases are written while they are read. */
bool leases_read_line(struct leases_reader *r, char *line, struct leased *out);

/* ---- the names ---- */

#define CLIENT_NAMES_MOST 65536 /* more are left out */
#define CLIENT_NAME_MAX 64 /* bytes of one; what is longer is cut */
#define CLIENT_NAME_TEXT_MAX (4 * CLIENT_NAME_MAX + 1)

struct client_names;

/* None are known. `say` is told when the file cannot be read. NULL without memory. */
struct client_names *client_names_new(followed_say *say);

/* NULL is allowed. */
void client_names_free(struct client_names *n);

/* Reads the file at `path` ("": there is none), if it is another one than last time, or has
 * changed. For one thread. */
void client_names_follow(struct client_names *n, const char *path);

/* The name of the host at `addr`, whatever the port, as one printable word; "" when it has none, or
 * `n` is NULL. Returns `out`. */
const char *client_names_find(
	struct client_names *n, const struct addr *addr, char out[CLIENT_NAME_TEXT_MAX]);

#endif
