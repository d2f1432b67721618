/* rule: one line of what is allowed and denied, read from its text, and the question whether a
 * request is meant by it. Immutable and reference-counted; its hits are an atomic. */
#ifndef STATE_RULE_H
#define STATE_RULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "net/own.h"
#include "state/client_groups.h"
#include "state/rule_list.h"
#include "state/rule_places.h"
#include "state/rule_time.h"
#include "state/setting_types.h"
#include "wire/request.h"

#define RULE_ERROR_MAX SETTING_ERROR_MAX
#define RULE_VIA_MAX 8 /* upstreams of a rule */

enum rule_action {
	RULE_DENY,
	RULE_ALLOW,
	RULE_VIA, /* through upstreams */
};

enum rule_keyword {
	RULE_FROM,
	RULE_USER,
	RULE_TO,
	RULE_PORT,
	RULE_COMMAND,
	RULE_TIME,
	RULE_KEYWORDS,
};

/* "from". */
const char *rule_keyword_word(enum rule_keyword keyword);

/* Requests that a rule has decided, shared by the rule and what comes of its line when it is read
 * again. */
struct rule_hits {
	_Atomic(unsigned) references;
	_Atomic(uint64_t) count;
	_Atomic(int64_t) last; /* the newest, in seconds since 1970; 0: there was none */
};

/* One reference, and none counted. NULL without memory. */
struct rule_hits *rule_hits_new(void);
struct rule_hits *rule_hits_hold(struct rule_hits *hits);
/* NULL is allowed. */
void rule_hits_release(struct rule_hits *hits);

/* Where somebody or something is: one of these. */
struct rule_area {
	unsigned places; /* PLACE_BIT() of the words */
	struct rule_list *values; /* those of the line itself, groups' networks among them */
	size_t file_count;
	struct rule_file {
		char *path;
		struct rule_list *list; /* NULL: it could not be read */
		bool is_copy; /* nor could it: the list is of its copy (copies.h) */
	} * files;
};

struct rule_user {
	char *name; /* of a user, or of a group, as it is: without the @, nothing escaped */
	size_t len;
	bool is_group;
};

struct rule {
	_Atomic(unsigned) references;
	enum rule_action action;
	size_t via_count; /* of RULE_VIA: the names of upstreams, in the order in which they serve
			   */
	char **via;
	bool goes_straight; /* where none of them works */
	bool resolves_here; /* names, whose addresses are judged */
	unsigned keywords; /* 1 << enum rule_keyword: those that it has */
	char *text; /* as rule_parse() reads it, in one form whatever it was written in */
	struct setting_place place;
	unsigned number; /* temporary: the N of tN; else 0 */
	int64_t until; /* temporary: it is over then, by wall_to_steady(); else 0 */
	struct rule_area from, to;
	bool is_anonymous, is_known; /* `user` has that word */
	size_t user_count, port_count, time_count;
	struct rule_user *users;
	struct port_range *ports;
	struct rule_time *times;
	unsigned commands; /* 1 << enum request_command */
	struct rule_hits *hits;
};

/* Reads a rule: "deny to .example.org time mon-fri 08:00-18:00". Groups of clients are those of
 * `groups` (NULL: whatever they are called is right), and so are upstreams; files are named, and
 * read by rules_compile().
 * NULL with what is wrong in `why`: "the word": what is legal. */
struct rule *rule_parse(
	const char *text, size_t len, const struct client_groups *groups, char why[RULE_ERROR_MAX]);

struct rule *rule_hold(struct rule *rule);
/* NULL is allowed. */
void rule_release(struct rule *rule);

struct subject;

/* What is asked of rules, one after the other, with what it takes to answer and is found out only
 * when it is needed. */
struct rule_question {
	const struct subject *subject;
	const struct addr *addr; /* that is judged: the subject's or the IPv4 address within; NULL:
				    not known yet */
	unsigned places; /* PLACE_BIT() of the words that it matches, but for `own` */
	bool knows_name, has_name; /* `*name` is set; or there is none */
	bool knows_time;
	struct rule_now now;
	struct rule_name *name; /* room for it, which is large; NULL: no rule will ask */
};

/* About `addr` from here on, NULL: none that is known yet; with nothing found out about it. */
void rule_question_about(struct rule_question *question, const struct addr *addr);

enum rule_answer {
	RULE_NO, /* it does not match */
	RULE_YES,
	RULE_DEPENDS, /* on the address or port, which is not known yet */
};

/* Is that request meant by the rule? Unless it is, by which keyword not. */
enum rule_answer rule_ask(
	const struct rule *rule, struct rule_question *question, enum rule_keyword *by);

/* Writes where a rule of RULE_VIA sends what it matches: "office,home,direct". */
void rule_put_via(const struct rule *rule, FILE *out);

/* How many names or networks stand there, those of its files included. */
size_t rule_area_names(const struct rule_area *area);
size_t rule_area_networks(const struct rule_area *area);

/* Has its `to` values that are addresses, so that what a name comes to counts? */
bool rule_has_addresses(const struct rule *rule);

/* Does a value of `to` that matches name a protected place that the address is in? */
bool rule_names_place(
	const struct rule *rule, struct rule_question *question, enum rule_place place);

#endif
