/* resolver: names to addresses; whoever looks up waits in his own poll(2), and a thread sees to the
 * name servers. With a cache that all threads share. A struct lookup belongs to one thread. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/fdbudget.h"
#include "net/followed.h"
#include "net/lookup_answer.h"
#include "net/questions.h"

#define RESOLVER_MAX_FDS 2 /* what one lookup polls; it holds one of them */

/* What the resolver itself needs: an eventfd, two files that it reads, a bell that it rings, one to
 * spare, and its first sockets. */
#define RESOLVER_DESCRIPTORS 9

#define RESOLVER_CONF "/etc/resolv.conf"

/* When a lookup fails at the latest: a name server's time in all rounds together (attempts.h). */
#define RESOLVER_LONGEST_MS 30000

struct resolver;

struct resolver_options {
	const char *servers; /* "192.0.2.1, [2001:db8::1]:5353"; "" = what resolv.conf(5) says */
	const char *search; /* "lan, example.org"; "" = what resolv.conf(5) says */
	size_t cache_records; /* most records in the cache; 0 = no cache */
	int64_t negative_ttl_ms; /* how long "no such name" is believed */
	followed_say *say; /* told when hosts(5) or resolv.conf(5) cannot be read; NULL: nobody is.
			      It stays as it was at first. */
};

/* c-ares and the cache made ready; once for the process, before any thread. NULL with errno. The
 * options are copied. RESOLVER_DESCRIPTORS are set aside for it; more, one for each 32 questions
 * that are asked at the same time, come from the spare of `budget`, which must live as long. */
struct resolver *resolver_new(const struct resolver_options *options, struct fdbudget *budget);

/* Starts the thread. Before that, lookups may wait. -1 with errno. */
int resolver_start(struct resolver *r) __attribute__((warn_unused_result));

/* Other options for the lookups that begin after this and for those that wait; an emptied cache.
 * -1 with errno. */
int resolver_configure(struct resolver *r, const struct resolver_options *options)
	__attribute__((warn_unused_result));

/* Ends the thread. No lookup may be under way. NULL is allowed. */
void resolver_free(struct resolver *r);

/* Does hosts(5) say that this name, of at most RESOLVER_NAME_MAX bytes without a NUL, is this very
 * host's? Nobody else is asked. */
bool resolver_names_this_host(struct resolver *r, const char *name, size_t len);

/* Is this a list of at most 8 domains? */
bool resolver_search_valid(const char *search);

/* Lookups by family that the cache answered, and those that it did not, since the start. */
void resolver_counts(struct resolver *r, uint64_t *hits, uint64_t *misses);

/* Records in the cache, expired ones that nothing has displaced yet included. */
size_t resolver_cached(const struct resolver *r);

/* Is this a list of server addresses, each with or without a port? The first 32 are asked. */
bool resolver_servers_valid(const char *servers);

/* All zeros: nothing is looked up. Must stay where it is while it is pending. */
struct lookup {
	struct resolver *resolver;
	struct fd_lease *lease;
	struct waiter waiter;
	int64_t deadline;
	char name[RESOLVER_NAME_MAX + 1];
	struct lookup_answer answers[LOOKUP_FAMILIES];
};

/* Begins to look up both families of the `len` <= RESOLVER_NAME_MAX bytes at `name`, which hold no
 * NUL; what the cache or hosts(5) knows is answered at once. To wait for the rest, one descriptor
 * is taken from `lease`; when there is none it has failed. */
void lookup_begin(
	struct lookup *l, struct resolver *r, const char *name, size_t len, struct fd_lease *lease);

/* A lookup that is over already: it was for this address. */
void lookup_literal(struct lookup *l, const struct addr *addr);

/* Fills in what to poll for, at most RESOLVER_MAX_FDS entries; the number of them. */
size_t lookup_fds(struct lookup *l, struct pollfd *fds);

/* When lookup_process() is to be called even though no descriptor is ready. */
int64_t lookup_deadline(struct lookup *l);

/* Goes on with what poll(2) reported in the entries that lookup_fds() filled in. */
void lookup_process(struct lookup *l, const struct pollfd *fds, size_t count);

/* Is an answer still outstanding? */
bool lookup_pending(const struct lookup *l);

/* For a thread that has nothing else to wait for: goes on until all is answered, or until
 * `deadline` (clock.h), and gives up the rest. */
void lookup_await(struct lookup *l, int64_t deadline);

/* Gives up what is outstanding and gives back what the lookup holds; the answers stay. `sufficed`:
 * they led to a connection, so a family that is still silent counts as absent for a while. May be
 * called again. */
void lookup_end(struct lookup *l, bool sufficed);

#endif
