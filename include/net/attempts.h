/* attempts: single questions to single name servers: each waits for a place in a channel, then for
 * an answer, for a given time. One thread's; no lock. */
#ifndef NET_ATTEMPTS_H
#define NET_ATTEMPTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/dnschannel.h"
#include "net/fdbudget.h"
#include "net/lookup_answer.h"

#define ATTEMPT_ROUNDS 4 /* lengths of time to wait: 2, 4, 8 and 16 s */
#define ATTEMPT_FIRST_WAIT_MS 2000

struct attempts;
struct batch;
struct asked;

struct attempt {
	LIST_ENTRY(attempt) of_question; /* the caller's */
	struct asked *question; /* the caller's */
	uint32_t round_id; /* the caller's */
	size_t server;
	unsigned round; /* from 0: how long to wait */
	int64_t asked; /* when; 0: it never was */

	/* how it ended */
	enum dnschannel_outcome outcome;
	struct lookup_answer *answer; /* to be freed by whoever takes it out */
	int64_t ttl_ms;

	/* of attempts.c */
	TAILQ_ENTRY(attempt) link;
	struct attempts *all;
	struct batch *batch; /* it was sent with */
	struct dnschannel_question *sent; /* while an answer is waited for */
	enum { ATTEMPT_QUEUED, ATTEMPT_SENT, ATTEMPT_ENDED, ATTEMPT_TAKEN } state;
	bool over_tcp;
	enum lookup_family family;
	struct addr addr; /* of the server */
	char name[];
};

/* `budget` must live as long. NULL with errno. */
struct attempts *attempts_new(struct fdbudget *budget);

/* All attempts must be over. NULL is allowed. */
void attempts_free(struct attempts *a);

/* There are `count` servers, at most NAMESERVERS_MAX, and they are others than before. No attempt
 * may be under way. */
void attempts_set_servers(struct attempts *a, size_t count);

/* What to ask of whom. */
struct attempt_setup {
	const char *name;
	enum lookup_family family;
	size_t server; /* its number, and where it is */
	const struct addr *addr;
	unsigned round; /* from 0: how long to wait */
};

/* NULL without memory. */
struct attempt *attempts_begin(struct attempts *a, const struct attempt_setup *setup);

/* Takes what has ended by itself; NULL: nothing (more). It is to be released. */
struct attempt *attempts_take_ended(struct attempts *a);

/* Ends it if it has not ended, and frees it. */
void attempts_release(struct attempts *a, struct attempt *attempt);

/* Gives places to those that wait for one and ends those whose time is over. */
void attempts_go_on(struct attempts *a, int64_t now);

/* Fills in what to poll for, as far as there is room; how many entries it takes. */
size_t attempts_fds(const struct attempts *a, struct pollfd *fds, size_t room);

/* When attempts_go_on() is to be called at the latest. */
int64_t attempts_deadline(const struct attempts *a);

/* Takes the answers that poll(2) reported in such entries, of a few channels at a time. Some may be
 * of channels that are no more. */
void attempts_process(struct attempts *a, const struct pollfd *fds, size_t count);

#endif
