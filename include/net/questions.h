/* questions: what is being asked of name servers, each question once for all who wait for it. One
 * mutex, under which they are asked, too. */
#ifndef NET_QUESTIONS_H
#define NET_QUESTIONS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/dnscache.h"
#include "net/fdbudget.h"
#include "net/lookup_answer.h"

struct bell;
struct nameservers_source;
struct question;
struct questions;

/* One that waits for one family of addresses; within a struct waiter. */
struct waiting {
	LIST_ENTRY(waiting) link;
	struct question *question; /* NULL: it waits for nothing */
	struct waiter *waiter;
};

/* A lookup that waits. All zeros: for nothing. Must stay where it is while it waits. */
struct waiter {
	struct bell *bell;
	bool is_told; /* that there is something to collect */
	bool leads; /* it takes the servers' answers itself, as far as it knows */
	struct pollfd answers; /* what one that leads polls besides */
	int64_t due; /* when it has something to do though no answer comes */
	struct waiting at[LOOKUP_FAMILIES];
};

/* Asks the servers that `source` tells; answers go into `cache`, for `negative_ttl_ms` where there
 * is nothing. All but the last must live as long. NULL with errno. */
struct questions *questions_new(struct nameservers_source *source, struct dnscache *cache,
	struct fdbudget *budget, int64_t negative_ttl_ms);

/* Nobody may wait any more. NULL is allowed. */
void questions_free(struct questions *q);

/* The source was told other servers: what is being asked begins anew with them. */
void questions_set(struct questions *q, int64_t negative_ttl_ms);

/* As it was set. */
int64_t questions_negative_ttl(const struct questions *q);

/* How often answers have been put into the cache: to be read before the cache is asked, and given
 * to questions_ask() behind that. */
uint64_t questions_published(const struct questions *q);

/* Asks for those families of `name` (in lower case) whose answer, of the LOOKUP_FAMILIES at
 * `answers`, is LOOKUP_PENDING, as the cache did not know when `published` was read; those that it
 * knows by now are filled in, and those that there is no memory or descriptor for become
 * LOOKUP_FAILED. While it waits it holds one descriptor. A question on which somebody waits already
 * is joined, and asked anew when the servers have had their time. */
void questions_ask(struct questions *q, struct waiter *w, const char *name,
	struct lookup_answer *answers, uint64_t published);

/* What polls readable when there is something to collect. */
int questions_bell_fd(const struct waiter *w);

/* Does it wait for anything? */
bool questions_waits(const struct waiter *w);

/* Does what there is to do as one that leads, when poll(2) reported something in `w->answers` or
 * `w->due` has come. There may be something to collect afterwards. */
void questions_lead(struct questions *q, struct waiter *w);

/* Takes the answers that have come. Those who collect the same one begin with another address
 * each. */
void questions_collect(struct questions *q, struct waiter *w, struct lookup_answer *answers);

/* Takes back what is not answered. The last to leave a question ends it. */
void questions_leave(struct questions *q, struct waiter *w);

/* Of the thread that sees to what nobody leads: waits until there is something to do, and does
 * it. */
void questions_attend(struct questions *q);

/* Ends its wait. */
void questions_rouse(struct questions *q);

#endif
