/* shared_accounts: what other nodes have said of the users that they share comes into effect here.
 * The main thread's; no lock. */
#ifndef SERVER_SHARED_ACCOUNTS_H
#define SERVER_SHARED_ACCOUNTS_H

#include "proxy/services.h"
#include "server/janitor.h"
#include "server/keeper.h"

/* How many users at most in one go, so that the main thread has its turn at other things. */
#define SHARED_ACCOUNTS_AT_ONCE 1000

/* Puts those into effect of whom another node has said something; sessions of users who are gone
 * end. The limits of those who were changed hold; their sessions are looked at by whoever is told
 * (limiting_look()). True when something has changed. `*is_more`: there are more,
 * and memory for them. */
bool shared_accounts_take(struct services *v, bool *is_more);

/* A job of the janitor's that forgets users who were deleted long ago. */
struct shared_graves {
	struct shared_users *users;
	struct keeper *keeper;
	struct job job;
};

/* Makes the job ready to be added; `g` and what it is about must live as long as the janitor.
 * `keeper` may be NULL. */
void shared_graves_init(struct shared_graves *g, struct shared_users *users, struct keeper *keeper);

#endif
