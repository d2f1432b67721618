/* rule_list: names and networks, a few of a rule or a hundred thousand of a file, that something is
 * looked up in. Built by one thread; immutable and shared from then on. */
#ifndef STATE_RULE_LIST_H
#define STATE_RULE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define RULE_NAME_MAX 253 /* bytes of a name, without a last dot */
#define RULE_LABELS_MAX 127

/* A name that is looked up, in lower case and without a last dot, with a hash for each of its
 * ends. To be made once for all lists. */
struct rule_name {
	size_t len;
	uint64_t marks; /* a bit for the hash of each end */
	unsigned count; /* of ends: the whole name is the last one */
	struct rule_name_end {
		uint32_t hash;
		uint32_t at; /* where it begins */
	} ends[RULE_LABELS_MAX + 1];
	char text[RULE_NAME_MAX + 2];
};

/* False when nothing in a list can be called so. */
bool rule_name_set(struct rule_name *name, const char *text, size_t len);

/* Does it look like one that anybody may have who registers it? Not so what has no dot in it, and
 * what ends as names in networks of one's own do. */
bool rule_name_looks_public(const char *text, size_t len);

struct rule_list;

/* Empty, with one reference. NULL without memory. */
struct rule_list *rule_list_new(void);
struct rule_list *rule_list_hold(struct rule_list *list);
/* NULL is allowed. */
void rule_list_release(struct rule_list *list);

/* What can be added: -1 without memory. The name is as rule_name_parse() left it. */
int rule_list_add_name(struct rule_list *list, const char *name, size_t len, bool and_below)
	__attribute__((warn_unused_result));
int rule_list_add_network(struct rule_list *list, const struct network *network)
	__attribute__((warn_unused_result));

/* Ends the adding. -1 without memory. */
int rule_list_seal(struct rule_list *list) __attribute__((warn_unused_result));

size_t rule_list_names(const struct rule_list *list);
size_t rule_list_networks(const struct rule_list *list);

/* Are they made of the same values in the same order? */
bool rule_list_equal(const struct rule_list *a, const struct rule_list *b);

bool rule_list_has_name(const struct rule_list *list, const struct rule_name *name);

/* The prefix of the smallest network that `a` is in; -1: it is in none. */
int rule_list_prefix_of(const struct rule_list *list, const struct addr *a);

/* ---- a value as text ---- */

enum rule_name_form {
	RULE_NAME_WRONG,
	RULE_NAME_NOT_ASCII, /* its xn-- form is wanted */
	RULE_NAME_EXACT,
	RULE_NAME_AND_BELOW, /* it began with a dot */
};

/* Reads "www.example.org" or ".example.org": `out` gets the name in lower case, without the first
 * dot and a last one, and without a NUL; its length is in `*out_len`. */
enum rule_name_form rule_name_parse(
	const char *text, size_t len, char out[RULE_NAME_MAX], size_t *out_len);

/* ---- files ---- */

#define RULE_LIST_ERROR_MAX 1024

struct rule_list_file {
	struct rule_list *list;
	size_t skipped; /* lines that are no value */
	char first_skipped[RULE_LIST_ERROR_MAX]; /* "PATH:LINE: why" */
};

/* Reads a file of values, one a line, `names` among them or networks only; of a line of a hosts
 * file the names count. -1 with "PATH: why" in `error`. The list is the caller's. */
int rule_list_read(const char *path, bool names, struct rule_list_file *out,
	char error[RULE_LIST_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
