/* rules: may it be? A question with all that is known of what a client wants, and a verdict with
 * the rule that decided. Pure; no lock. */
#ifndef STATE_RULES_H
#define STATE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/config.h"
#include "wire/request.h"

/* What is judged. A request with a target is judged twice: before it is known which address it
 * comes to, and then with each address. */
struct subject {
	const char *user; /* who has logged in */
	size_t user_len; /* 0: nobody */
	const struct addr *client; /* from where */
	enum request_command command;
	const struct destination *dst; /* what it named; NULL: nothing that counts */
	const struct addr *addr; /* where it would go, with the port; NULL: not known yet */
	bool is_here; /* `addr` is one of this host's: to be right where rules_ask_where() */
	int64_t time; /* seconds since 1970 */
};

struct verdict {
	bool allowed; /* without an address: by one or another */
	const char *rule; /* that decided, as one word; "otherwise": none did */
	bool is_guess; /* denied because it could not be found out whether it must be: not to be
			  remembered (what target_judge() says of it) */
};

/* The verdict of the first rule that says something of the subject. */
struct verdict rules_judge(const struct config *c, const struct subject *s);

/* Does the verdict depend on whether `addr` is an address of this host? */
bool rules_ask_where(const struct config *c, const struct addr *addr);

#endif
