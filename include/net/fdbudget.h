/* fdbudget: who may open how many descriptors, so that EMFILE cannot happen. One atomic, no lock.
 *
 *      limit = reserved (the process itself) + 2 * sessions (always theirs) + spare (on request)
 */
#ifndef NET_FDBUDGET_H
#define NET_FDBUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define FDBUDGET_PER_SESSION 2 /* the client's socket and one more */

struct fdbudget {
	size_t limit;
	size_t reserved;
	size_t sessions;
	size_t spare;
	_Atomic(size_t) spare_used;
};

/* Raises the soft limit on open files to the hard one and returns it. */
size_t fdbudget_raise_limit(void);

/* Descriptors that are open at this moment, inherited ones included. */
size_t fdbudget_count_open(void);

/* Divides `limit` among `reserved` for the process and as many sessions as fit, at most `wanted`;
 * what remains is spare, and some always does (a 64th of the limit, 16 to 128). `sessions` is 0
 * when not even one fits. */
void fdbudget_plan(struct fdbudget *b, size_t limit, size_t reserved, size_t wanted);

/* Takes `n` of the spare ones for the process itself; false, and none taken, when there are not so
 * many. And gives them back. */
bool fdbudget_borrow(struct fdbudget *b, size_t n) __attribute__((warn_unused_result));
void fdbudget_return(struct fdbudget *b, size_t n);

/* What one session holds beside the client's socket. The first descriptor at a time is its own,
 * each further one comes from the spare. Belongs to one thread. */
struct fd_lease {
	struct fdbudget *budget;
	size_t held;
};

/* Asks for one more descriptor before opening it; false when there is none to spare. */
bool fd_lease_take(struct fd_lease *lease) __attribute__((warn_unused_result));

/* Gives one back after closing it. */
void fd_lease_give(struct fd_lease *lease);

#endif
