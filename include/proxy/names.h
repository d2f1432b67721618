/* names: the names that an association sends to: lookups under way, what waits for them, and what
 * they led to, all of it bounded. All zeros at first. One thread's; no lock. */
#ifndef PROXY_NAMES_H
#define PROXY_NAMES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/target.h"

#define NAMES_MAX 32 /* that are remembered */
#define NAMES_LOOKUPS 4 /* under way at once */
#define NAMES_WAITING_MAX 64 /* datagrams that wait for them */
#define NAMES_WAITING_BYTES (128 * 1024)
#define NAMES_MAX_FDS (NAMES_LOOKUPS * RESOLVER_MAX_FDS)

enum name_state {
	NAME_FREE,
	NAME_QUEUED, /* for a lookup to begin */
	NAME_SOUGHT,
	NAME_KNOWN, /* `addr`, until `deadline`; AF_UNSPEC: nothing was found */
};

/* A datagram that waits, or waits no longer. */
struct name_datagram {
	struct name_datagram *next;
	const struct name *name; /* that it waited for, once taken; valid until names_find() */
	uint16_t port;
	size_t len;
	uint8_t data[];
};

struct name {
	enum name_state state;
	struct addr addr;
	int64_t deadline; /* of the lookup, or of what is known */
	uint64_t number; /* of no other name, and not 0 */
	uint64_t used; /* higher is later */
	uint16_t port; /* that was sent to last */
	struct name_datagram *first, **end; /* that wait for it */
	bool is_sent_on; /* NAME_KNOWN: it is upstreams' to look up */
	bool goes_straight; /* it was, and none of them works */
	uint8_t detour; /* that it took last, to `detour_port`, as that of a flow (flows.h) */
	uint16_t detour_port;
	uint8_t len;
	char text[DESTINATION_NAME_MAX];
};

struct names {
	/* given */
	const struct asker *asker;

	/* state */
	uint64_t uses;
	size_t waiting, waiting_bytes;
	size_t fd_counts[NAMES_LOOKUPS]; /* of the last names_fds() */
	struct name *sought[NAMES_LOOKUPS]; /* whom the lookups are for */
	struct name all[NAMES_MAX];
	struct target targets[NAMES_LOOKUPS];
};

enum names_outcome {
	NAMES_KNOWN, /* send it to names_address() */
	NAMES_SENT_ON, /* by the rules, as it is, through upstreams */
	NAMES_WAITS, /* it was copied, and names_take() will have it */
	NAMES_DENIED, /* by the rules, whatever it leads to */
	NAMES_FULL, /* too much waits already */
};

/* Where to send the `len` bytes at `data`, whose destination is a name: `*name` is valid until the
 * next call. A name keeps its address for as long as lookups go on to give it. */
enum names_outcome names_find(struct names *n, const struct destination *dst, const void *data,
	size_t len, int64_t now, const struct name **name);

/* One that was to be sent on is looked up here after all, when it is asked for next. */
void names_go_straight(struct names *n, const struct name *name);

/* Which detour leads to the name's port, counted from 1, as long as the verdict on it stands; 0:
 * that is not known. */
uint8_t names_detour(const struct name *name, uint16_t port);
void names_set_detour(struct names *n, const struct name *name, uint16_t port, uint8_t detour);

/* What a known name led to, with this port; AF_UNSPEC: nothing was found. */
struct addr names_address(const struct name *name, uint16_t port);

/* The known name with this number; NULL: it has made room for another. */
const struct name *names_numbered(const struct names *n, uint64_t number);

/* The rules may say something else from now on: what is known is looked up again when it is sent
 * to next, and the address stays only if it is still allowed. */
void names_doubt(struct names *n);

/* What the client has written for it. */
struct destination names_destination(const struct name *name, uint16_t port);

/* Takes a datagram that need not wait any longer; NULL when there is none. To be freed. */
struct name_datagram *names_take(struct names *n);

/* What to poll for: at most NAMES_MAX_FDS entries; how many. And until when at the latest. */
size_t names_fds(struct names *n, struct pollfd *fds);
int64_t names_deadline(struct names *n);

/* Goes on with what poll(2) reported in the entries that names_fds() filled in. */
void names_process(struct names *n, const struct pollfd *fds, int64_t now);

/* Ends all lookups and forgets what waits. */
void names_end(struct names *n);

#endif
