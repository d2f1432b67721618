/* own: this host's addresses and networks, as the kernel tells them. A rwlock guards the list,
 * which is replaced as a whole. */
#ifndef NET_OWN_H
#define NET_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

struct own;

/* Knows nothing yet but loopback: own_refresh() reads. NULL without memory. */
struct own *own_new(void);

/* No thread may use it any more. NULL is allowed. */
void own_free(struct own *o);

/* Reads anew what addresses and networks the interfaces have. Needs one descriptor for the moment.
 * -1 with errno, and what was known stays. */
int own_refresh(struct own *o) __attribute__((warn_unused_result));

/* Writes the addresses of the interfaces, separated by blanks, as far as they fit. Returns `out`.
 */
const char *own_format(struct own *o, char *out, size_t size);

/* Shows the names of this host's interfaces one by one. Needs one descriptor for the moment; -1
 * with errno when they cannot be known, and none was shown. */
int own_each_interface(void (*see)(void *context, const char *name), void *context)
	__attribute__((warn_unused_result));

/* Is it an address of this host: of one of its interfaces, or of loopback? The port does not
 * matter; the scope of a link-local address does where it is told. Local routes to other addresses
 * are the kernel's to know (socket_is_own_address()). */
bool own_has_address(struct own *o, const struct addr *a);

/* Is it in a network that one of this host's interfaces is in, link-local ones and loopback
 * included?
 */
bool own_has_network_of(struct own *o, const struct addr *a);

/* Which addresses count as one client with `a`, whose port does not matter: an IPv4 address is one
 * by itself. So is an IPv6 address of loopback, of a link (then the scope matters) or in a network
 * of this host's (`o` may be NULL: it has none); any other is one with its /64. */
struct network own_client_of(struct own *o, const struct addr *a);

#endif
