/* target: the one gate between what a client asks for and where it gets: the addresses of a
 * destination, in their order, each with the verdict on it. One thread's; no lock. */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/fdbudget.h"
#include "net/own.h"
#include "net/resolver.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/ledger.h"
#include "state/rules.h"
#include "state/upstreams.h"
#include "wire/request.h"

/* On whose behalf, and with what: the same for all targets of a session. */
struct asker {
	const struct config *config; /* that of the session's beginning */
	struct config_store *configs; /* where the one in force is; NULL: it is that one */
	struct resolver *resolver;
	struct own *own;
	struct fd_lease *lease;
	const struct addr *client;
	const char *user; /* who has logged in */
	size_t user_len; /* 0: nobody */
	const struct ledger_entry *user_entry; /* of that user, whose groups count; NULL: nobody */
	const char *groups; /* instead, where only the name is known: "a,b"; NULL: not told */
	enum request_command command;
	bool is_unruled; /* it is the server itself that wants to get there */
};

/* What the rules that are in force now say of `addr`, which `dst` came to; of `dst` whatever it
 * comes to (`addr` is NULL); or of the command alone (both are). The kernel has to be asked for
 * some addresses, which needs a descriptor for the moment: with `has_place` the caller has taken a
 * place of the lease for one that is not open yet; else one is taken, and when there is none the
 * answer is no, and a guess. */
struct verdict target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);

/* Has `addr` become one of the proxy's own listeners, by a configuration that came into force since
 * the session was accepted? */
bool target_has_become_own(const struct asker *a, const struct addr *addr);

/* A request of the asker's was decided by this verdict, or a new target of its association: once
 * for each. */
void target_count_hit(const struct asker *a, const struct verdict *verdict);

/* Until when verdicts stand (seconds since 1970) while the rules stay the same: RULE_TIME_NEVER
 * unless they have times. */
int64_t target_next_border(const struct asker *a);

/* What a destination comes to. */
struct target {
	const struct asker *asker;
	struct destination dst; /* its name stays the caller's */
	struct verdict verdict; /* on it, before its addresses are known */
	struct lookup lookup;
	size_t taken[LOOKUP_FAMILIES]; /* how many of the answers */
	enum lookup_family next_family;
	int64_t wait_for_first; /* until then, while only the other family was answered; 0: not set
				 */
};

/* As target_judge(), with the way through upstreams where the verdict is via some; `way` is to be
 * ended. */
struct verdict target_way(const struct asker *a, const struct destination *dst,
	const struct addr *addr, struct upstream_way *way);

/* Begins to find the addresses of `dst`, an address or a name that is sane. False when `t->verdict`
 * says all: that it is denied whatever it comes to, or sent on by its name. Then nothing has begun.
 */
bool target_begin(struct target *t, const struct asker *a, const struct destination *dst)
	__attribute__((warn_unused_result));

/* The same, whatever is said of the name. */
void target_look_up(struct target *t, const struct asker *a, const struct destination *dst);

/* Gives back what is held, as lookup_end() does; what is known by then stays. May be called again.
 */
void target_end(struct target *t, bool sufficed);

/* An address to try, with the port. */
struct candidate {
	struct addr addr;
	struct verdict verdict;
};

/* Is there an address that was not taken yet? */
bool target_has_next(const struct target *t);

/* Takes the next one, which there must be: the families that are used take turns, the preferred one
 * first (RFC 8305 section 4). `has_place` as for target_judge(). */
struct candidate target_next(struct target *t, bool has_place);

/* Takes back that this one was taken, the last: it is the next again. */
void target_put_back(struct target *t, const struct candidate *c);

/* When the first is to be taken (clock.h): 0 at once, later while the preferred family may yet be
 * answered (RFC 8305 section 3), CLOCK_NEVER while there is none. */
int64_t target_due(struct target *t);

/* Is an answer still outstanding? What to poll for meanwhile, at most RESOLVER_MAX_FDS entries, and
 * until when at the latest; and what came of it, as of a lookup. */
bool target_pending(const struct target *t);
size_t target_fds(struct target *t, struct pollfd *fds);
int64_t target_deadline(struct target *t);
void target_process(struct target *t, const struct pollfd *fds, size_t count);

/* Is it one of the addresses, taken or not, whatever the port? */
bool target_includes(const struct target *t, const struct addr *addr);

/* Why there is nothing to try: the name is not there, or could not be looked up, or has addresses
 * of a family only that is not used. Before target_end(). */
enum end_reason target_failure(const struct target *t);

/* The same, of any lookup that nothing came of. */
enum end_reason target_failure_of(const struct lookup_answer answers[LOOKUP_FAMILIES]);

#endif
