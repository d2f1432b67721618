/* rules: may it be? A question with all that is known of what a client wants, and a verdict with
 * the rule that decided. A set of rules is immutable and reference-counted, its hits are atomics;
 * no lock. */
#ifndef STATE_RULES_H
#define STATE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/own.h"
#include "state/config.h"
#include "state/rule.h"
#include "wire/request.h"

/* ---- judging ---- */

/* What is judged. A request with a target is judged twice: before it is known which address it
 * comes to, and then with each address. */
struct subject {
	const char *user; /* who has logged in */
	size_t user_len; /* 0: nobody */
	const char *groups; /* of that user, "a,b"; NULL: none */
	const struct addr *client; /* from where */
	enum request_command command;
	const struct destination *dst; /* what it named; NULL: nothing that counts */
	const struct addr *addr; /* where it would go, with the port; NULL: not known yet. Of BIND
				    port 0 is one that is not known yet */
	bool names_this_host; /* `dst` is a name that is known to be this very host's, as localhost
				 is: it is not sent on */
	bool is_here; /* `addr` is one of this host's: to be right where rules_ask_where() */
	struct own *own; /* whose networks are `local`; NULL: there are none */
	int64_t time; /* seconds since 1970 */
};

#define RULE_WORD_MAX 24

#define RULES_OWN "own" /* the rule's word where it is the proxy's own listener */

struct verdict {
	bool allowed : 1; /* without an address: by one or another */
	bool is_open : 1; /* another verdict may come of an address, or of the port of BIND's peer
			   */
	bool is_via : 1; /* then: through the upstreams of the rule that decided */
	bool is_by_name : 1; /* and it is the name that they get: no address of it counts */
	bool is_guess : 1; /* denied because it could not be found out whether it must be: not to be
			  remembered (what target_judge() says of it) */
	char rule[RULE_WORD_MAX]; /* that decided, as one word: "3", "t1", "otherwise",
				     "protect:loopback", "no_port", "unspecified", "own" */
	uint32_t set, step; /* where the hit counts: rules_count_hit() */
};

/* The verdict of the first rule that says something of the subject. */
struct verdict rules_judge(const struct config *c, const struct subject *s);

/* The same of what the server itself goes to, at whose command no rule is: denied is what nobody
 * can go to, itself included. */
struct verdict rules_judge_unruled(const struct config *c, const struct subject *s);

/* Is somebody at `addr` who is this very proxy, or its monitor? Of local routes only the kernel
 * knows more. */
bool rules_is_listener(const struct config *c, const struct addr *addr, struct own *own);

/* Does the verdict depend on whether `addr` is an address of this host? */
bool rules_ask_where(const struct config *c, const struct addr *addr);

/* Does it depend on a user's groups? */
bool rules_ask_groups(const struct config *c);

/* May it be another one for who has logged in: does some rule name users? */
bool rules_ask_users(const struct config *c);

/* A request was decided by this verdict. Counts nothing when the rules have changed since, or when
 * there are none. */
void rules_count_hit(const struct config *c, const struct verdict *v);

/* What became of one rule on the way to a verdict. */
enum rule_outcome {
	RULE_DECIDES,
	RULE_MISSES, /* because of `keyword` */
	RULE_MAY_MATCH, /* `keyword` depends on the address or port, which is not known yet */
	RULE_NAMES_NOT, /* it would allow, but names not the protected place `protection` */
	RULE_IS_OVER, /* temporary, and its time has passed */
};

struct rule_step {
	size_t index; /* for rules_get() */
	enum rule_outcome outcome;
	enum rule_keyword keyword;
	enum rule_place protection;
	const struct addr *addr; /* that is judged; NULL: not known. An IPv6 address with an IPv4
				    one within is judged as both, one after the other */
};

/* As rules_judge(), and shows each rule that was asked, in their order. Counts no hits. */
struct verdict rules_trace(const struct config *c, const struct subject *s,
	void (*see)(void *context, const struct rule_step *step), void *context);

/* ---- the rules there are ---- */

struct rule_info {
	char word[RULE_WORD_MAX]; /* "3", "t1" */
	const struct rule *rule; /* its text, its place, its end; valid as long as the set */
	uint64_t hits;
};

/* Temporary ones come first. Of a configuration without a compiled set (NULL) there are none. */
size_t rules_count(const struct rules *r);
struct rule_info rules_get(const struct rules *r, size_t index);

/* When a temporary rule is over, by the clock on the wall as it is set now, in seconds since 1970;
 * 0: it is none. */
int64_t rules_end(const struct rule *rule);

/* The rule that decided; NULL: it was none, or the rules have changed since. Valid as long as the
 * set. */
const struct rule *rules_that_decided(const struct config *c, const struct verdict *v);

/* What decided, and how often. */
struct rule_tally {
	char word[RULE_WORD_MAX]; /* "3", "t1", "otherwise", "protect:loopback" */
	uint64_t hits;
	int64_t last; /* the newest of them, in seconds since 1970; 0: there was none */
	int64_t until; /* the same; 0: it has no end */
};

/* The next of all that may decide under a configuration: rules as rules_get(), without temporary
 * ones that are over at the time `now`; otherwise; what is protected. `*at` is 0 at first. False
 * behind the last one. */
bool rules_next_tally(const struct config *c, size_t *at, int64_t now, struct rule_tally *out);

/* How often nothing else decided, and what is protected by a word. */
uint64_t rules_otherwise_hits(const struct rules *r);
uint64_t rules_protection_hits(const struct rules *r, enum rule_place place);

/* The first second after `after` at which a rule begins or ends to hold, RULE_TIME_NEVER when there
 * is none: a verdict stands at least until before it. */
int64_t rules_next_border(const struct rules *r, int64_t after);

/* ---- compiling ---- */

#define RULES_ERROR_MAX CONFIG_ERROR_MAX

/* A rule above the others that ends by itself. */
struct temporary_rule {
	const char *text;
	unsigned number; /* the N of its word tN */
	int64_t until; /* seconds since 1970 */
};

/* The rules that the settings tell; files are read. Goes on with the temporary rules of `before`
 * and the hits of those of its lines that there still are (NULL: there was nothing). Where a file
 * cannot be read that is an error, or, `at_start`, a warning: a rule that denies matches everything
 * then, and one that allows nothing. NULL with "FILE:LINE: rule: why" in `error`. */
struct rules *rules_compile(const struct settings *s, const struct rules *before, bool at_start,
	char error[RULES_ERROR_MAX]);

/* A set with these temporary rules, in this order, and all others that `r` has. NULL likewise. */
struct rules *rules_with_temporary(const struct rules *r, const struct settings *s,
	const struct temporary_rule *all, size_t count, char error[RULES_ERROR_MAX]);

/* What is to be said of the set once: of files that could not be read and lines that were skipped.
 * NULL behind the last one. */
const char *rules_warning(const struct rules *r, size_t index);

typedef void rule_file_taker(void *context, const char *path, const struct rule_list *list);

/* Tells of each file whose values are in force as they were read from it, a time for each rule that
 * names it; `r` may be NULL. */
void rules_each_file(const struct rules *r, rule_file_taker *take, void *context);

/* NULL is allowed for both. */
struct rules *rules_hold(struct rules *r);
void rules_release(struct rules *r);

#endif
