/* dnschannel: questions to one name server through one socket, at most 32 of them, and their
 * answers. One thread's; no lock. */
#ifndef NET_DNSCHANNEL_H
#define NET_DNSCHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/fdbudget.h"
#include "net/lookup_answer.h"

#define DNSCHANNEL_QUESTIONS 32 /* over UDP; over TCP it is one */
#define DNSCHANNEL_OWN_SOCKETS 4 /* set aside for them; further ones come from the spare */
#define DNSCHANNEL_LONGEST_TTL_MS 86400000

/* What shares the descriptors, and a few channels to use again. */
struct dnschannels;
struct dnschannel;
struct dnschannel_question;

/* ares_library_init(3) comes before it; `budget` must live as long. NULL with errno. */
struct dnschannels *dnschannels_new(struct fdbudget *budget);

/* All channels must be closed. NULL is allowed. */
void dnschannels_free(struct dnschannels *all);

enum dnschannel_outcome {
	DNSCHANNEL_FOUND, /* with an answer */
	DNSCHANNEL_NOT_FOUND, /* no such name, or no address of this family */
	DNSCHANNEL_NO_NAME, /* nothing that could be asked for; nobody was */
	DNSCHANNEL_TRUNCATED, /* to be asked again over TCP */
	DNSCHANNEL_FAILED, /* the server said that it cannot, or spoke nonsense */
	DNSCHANNEL_UNREACHABLE, /* it is not there */
	DNSCHANNEL_STARVED, /* there was no socket to ask with */
	DNSCHANNEL_SILENT, /* nothing came in time; no channel says that, but who waits for it */
};

/* `answer` is the callee's, to be freed; NULL unless DNSCHANNEL_FOUND. */
typedef void dnschannel_answered(
	void *arg, enum dnschannel_outcome outcome, struct lookup_answer *answer, int64_t ttl_ms);

/* A channel to `server`, from a port of its own. NULL without memory, or without a descriptor to
 * spare. */
struct dnschannel *dnschannel_open(
	struct dnschannels *all, const struct addr *server, bool over_tcp);

/* May no more be asked through it? */
bool dnschannel_is_full(const struct dnschannel *ch);

/* Does nobody wait for an answer through it? Then it is to be closed. */
bool dnschannel_is_done(const struct dnschannel *ch);

/* Asks for the addresses of exactly `name`. `answered` is called once, maybe at once, and then NULL
 * is returned; it must not ask, nor close the channel. */
struct dnschannel_question *dnschannel_ask(struct dnschannel *ch, const char *name,
	enum lookup_family family, dnschannel_answered *answered, void *arg);

/* The answer is not wanted any more: `answered` will not be called. */
void dnschannel_forget(struct dnschannel_question *q);

/* What to poll for; a descriptor of -1: nothing. */
struct pollfd dnschannel_poll(const struct dnschannel *ch);

/* Goes on with what poll(2) reported. */
void dnschannel_process(struct dnschannel *ch, short revents);

/* Gives the descriptor back. Nobody may wait for an answer through it. */
void dnschannel_close(struct dnschannel *ch);

#endif
