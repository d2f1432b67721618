/* outgoing: from where, and over which family of addresses, targets are reached. Questions to a
 * configuration, all but one of them pure; no lock. */
#ifndef STATE_OUTGOING_H
#define STATE_OUTGOING_H

#include <stdbool.h>

#include "net/resolver.h"
#include "net/socket.h"
#include "state/config.h"

/* From where targets of this family (AF_INET or AF_INET6) are reached. Valid as long as `c`. */
struct socket_via outgoing_via(const struct config *c, sa_family_t family);

/* The address of this family in `pair`; AF_UNSPEC: none. */
const struct addr *outgoing_pick(const struct host_pair *pair, sa_family_t family);

/* Are addresses of this family used at all? And which family comes first? */
bool outgoing_uses(const struct config *c, enum lookup_family family);
enum lookup_family outgoing_first(const struct config *c);

enum lookup_family outgoing_family_of(const struct addr *a);

/* Why no target can be reached as this host is now: it lacks the interface or the address that they
 * are to be reached from. "setting: "value": why" in `why`, and true. Asks the kernel. */
bool outgoing_is_missing(const struct settings *s, char why[CONFIG_ERROR_MAX]);

#endif
