/* shared_record: what nodes say of a user whom they share, as text, and whose word outranks whose.
 * Values; no lock. */
#ifndef STATE_SHARED_RECORD_H
#define STATE_SHARED_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "state/cluster.h"
#include "state/password.h"

/* "VERSION NODE HASH:ATTRIBUTES", or "VERSION NODE -" of one who was deleted. */
struct shared_record {
	uint64_t version;
	char node[CLUSTER_NODE_MAX];
	bool is_deleted;
	char hash[PASSWORD_HASH_SIZE];
	const char *attributes; /* the end of the text; "" of one who was deleted */
};

/* NULL, or why it is none: only as far as the form goes, and the node's name. `r->attributes` is
 * valid as long as the text is. */
const char *shared_record_parse(const char *text, struct shared_record *r);

/* To be freed; NULL without memory. */
char *shared_record_format(const struct shared_record *r);

/* Does `r` take the place of the other one? */
bool shared_record_outranks(const struct shared_record *r, const struct shared_record *other);

/* Why it can be no record of a user of that name, perhaps in `problem` (LIMITS_ERROR_MAX bytes):
 * what the users file refuses, and versions above SHARED_USERS_VERSION_MAX. NULL when it can. */
const char *shared_record_problem(const struct shared_record *r, const char *name, char *problem);

#endif
