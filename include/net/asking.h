/* asking: how a question is asked: of which server, when of the next one, and what their answers
 * amount to. The caller's lock. */
#ifndef NET_ASKING_H
#define NET_ASKING_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/fdbudget.h"
#include "net/lookup_answer.h"

struct asking;
struct attempt;
struct nameservers;

/* A question that is being asked; within what the caller knows of it. */
struct asked {
	const char *name; /* the caller's, in lower case, like the family */
	enum lookup_family family;
	int64_t last; /* when a server was asked last */

	/* of asking.c */
	TAILQ_ENTRY(asked) active_link, hedge_link;
	LIST_HEAD(attempt_of_question_list, attempt) attempts;
	int64_t hedge_due; /* when one more server is to be asked; 0: not set */
	uint32_t failed; /* bits of the servers that cannot say */
	uint32_t tried; /* bits of those asked in this round */
	uint32_t round_id; /* tells the attempts of this round from older ones */
	uint32_t outstanding; /* attempts of this round */
	uint8_t round; /* 0 to 3: for how long to wait */
	size_t step; /* of the search */
	size_t turn; /* of the servers */
};

/* Called within asking_go_on() when a question has been asked: it is the caller's again. `answer`
 * is the callee's, to be freed: found, with how long that is true, or not found; NULL: the servers
 * failed. It must not call anything here. */
typedef void asking_done(void *arg, struct asked *q, struct lookup_answer *answer, int64_t ttl_ms);

/* `n` is taken over, but not on failure; `budget` must live as long. NULL with errno. */
struct asking *asking_new(
	struct nameservers *n, struct fdbudget *budget, asking_done *done, void *arg);

/* Nothing may be asked any more. NULL is allowed. */
void asking_free(struct asking *a);

/* Takes over other servers; all questions begin anew with them. */
void asking_set_servers(struct asking *a, struct nameservers *n);

/* `q`, whose name and family are set and the rest is zero, must stay where it is until it was
 * asked. */
void asking_begin(struct asking *a, struct asked *q);

/* Asks once more from the beginning, for somebody who was not there; older attempts go on. */
void asking_repeat(struct asking *a, struct asked *q);

/* Its answer is not wanted any more. */
void asking_end(struct asking *a, struct asked *q);

/* Fills in what to poll for, as far as there is room; how many entries it takes. */
size_t asking_fds(const struct asking *a, struct pollfd *fds, size_t room);

/* When asking_go_on() is to be called at the latest. */
int64_t asking_due(const struct asking *a);

/* Takes the answers that poll(2) reported in the entries of asking_fds(), of which some may be out
 * of date, and does what is due. Nothing is sent but here. */
void asking_go_on(struct asking *a, const struct pollfd *fds, size_t count);

#endif
