/* ledger_parts: what the ledger is made of, for its own files only (ledger.c and ledger_*.c). The
 * locks are the ledger's. */
#ifndef STATE_LEDGER_PARTS_H
#define STATE_LEDGER_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"
#include "base/lock.h"
#include "state/allowance.h"
#include "state/ledger.h"
#include "state/lifetimes.h"

#define CACHE_LINE 64

/* Relaxed where each number is right by itself. */
#define GET(field) atomic_load_explicit(field, memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(field, value, memory_order_relaxed)

/* All bytes are set, so that it can be a key of a map. */
struct client_key {
	uint8_t address[16]; /* as far as the prefix goes; the rest is 0 */
	uint32_t scope;
	uint16_t family;
	uint16_t prefix;
};

_Static_assert(sizeof(struct client_key) == 24, "no padding");

struct ledger_entry {
	_Alignas(CACHE_LINE) struct tally tally;
	_Atomic(uint64_t) total;
	_Atomic(size_t) sessions;

	_Alignas(CACHE_LINE) struct ledger *ledger;
	lifetimes lifetimes;
	_Atomic(int64_t) last_login;
	_Atomic(int64_t) last_seen;
	/* Of a user's: sessions, and the user himself; of a client's: the table. And whoever works
	 * with it outside of the locks. */
	_Atomic(size_t) holders;
	_Atomic(uint64_t) refused;
	_Atomic(bool) has_retired;
	bool is_user;
	struct throttle_rates rates;
	_Atomic(struct throttle *) throttle; /* NULL: nobody needed it yet */
	union {
		struct {
			struct client_key key;
			int64_t rank; /* in the heap: `last_seen` when it was looked at last */
			char *user; /* under the lock of the clients: who logged in last; NULL:
				       nobody */
			_Atomic(uint64_t) user_serial; /* that one's; 0: nobody */
			_Atomic(int64_t) user_noted; /* when he was put there */
		};
		struct {
			struct ledger_entry *next, *previous;
			uint64_t serial;
			size_t name_len;
			struct mutex groups_lock;
			char *groups; /* NULL: in none; has_groups says so without the lock */
			_Atomic(bool) has_groups;
		};
	};
	uint64_t book_version; /* a client's: by which it is limited */
	struct allowance allowance;
	/* Touched only where somebody keeps a history. */
	_Alignas(CACHE_LINE) struct tally known; /* a client's sessions with a login */
	_Atomic(uint64_t) known_total;
	lifetimes known_lifetimes;
	struct ledger_counts told; /* clients_lock, users_lock; written by who takes the news */
	char name[]; /* a user's */
};

struct ledger {
	_Alignas(CACHE_LINE) struct rwlock clients_lock; /* map and heap */
	struct hashmap *clients;
	struct ledger_entry **heap; /* of as many as the map has */
	size_t heap_size;

	_Alignas(CACHE_LINE) struct mutex users_lock; /* the list */
	struct ledger_entry *users;
	uint64_t serials; /* given to users so far */

	_Alignas(CACHE_LINE) _Atomic(int64_t)
		idle; /* clients; for a moment too few, even less than none */
	int64_t idle_most;
	struct own *own;
	struct throttles *throttles;
	struct limit_book *book; /* NULL: nothing is limited */
	struct standing *standing; /* NULL likewise */
	struct cluster *cluster; /* NULL: there are no other nodes */
	/* Until when it is sure that the house is shared, and that nobody looks whether it is. */
	_Atomic(int64_t) shared_until, alone_until;
	ledger_heir *heir; /* NULL: nobody keeps a history */
	void *heir_context;
};

/* What a client is found by, and it as one network again. */
struct client_key ledger_key_of(const struct network *client);
struct network ledger_network_of(const struct client_key *key);

/* Gives up a reference of `holders`; the last one frees. */
void ledger_let_go_of_user(struct ledger_entry *user);
void ledger_let_go_of_client(struct ledger_entry *client);

/* Makes room for one more client. -1 without memory. */
int ledger_make_room_locked(struct ledger *l) REQUIRES(&l->clients_lock);

/* There is room. */
void ledger_put_client_locked(struct ledger *l, struct ledger_entry *client)
	REQUIRES(&l->clients_lock);

#define LEDGER_GO_AT_ONCE 2

/* Has those go that are one too many when one more is to come: how many; whom the caller lets go
 * of. */
size_t ledger_evict_idle_locked(struct ledger *l, struct ledger_entry *gone[LEDGER_GO_AT_ONCE],
	int64_t now) REQUIRES(&l->clients_lock);

/* Leaves to the heir what is new of an entry that nobody finds any more. */
void ledger_bequeath(const struct ledger *l, const struct ledger_entry *e);

/* A client that is new is held to what is said of clients, before anybody else sees it; and once
 * more when that has become other meanwhile. */
void ledger_limit_client(struct ledger_entry *client);
void ledger_follow_up(struct ledger_entry *client);

#endif
