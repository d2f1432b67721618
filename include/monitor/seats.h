/* seats: who gets the place of whom when more connect to the monitor than are served at once. The
 * admin thread's; no lock. */
#ifndef MONITOR_SEATS_H
#define MONITOR_SEATS_H

#include <stddef.h>

#include "monitor/console.h"

/* A seat for `peer`; NULL: all are taken by those who have logged in, or are about to. It is a free
 * one; or one whose connection is over but for the other end's; or of those who have not logged in
 * the newest of those who count as one (peer.h) and hold most of them, this one counted too. But
 * for a free one its connection is still open: the caller's to close. */
struct console *seats_find(struct console *seats, size_t count, const struct peer *peer);

#endif
