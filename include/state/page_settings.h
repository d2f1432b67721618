/* page_settings: where browsers go without the proxy (pac_direct), and by which names the proxy
 * itself is meant (proxy_name), as values of settings. No state, no lock. */
#ifndef STATE_PAGE_SETTINGS_H
#define STATE_PAGE_SETTINGS_H

#include "base/addr.h"
#include "state/rule_list.h"
#include "state/setting_types.h"

#define PAGE_WORDS_MAX 1000 /* of each list */

/* Words as a setting takes them, in one form (lower case, no last dot) and separated by ", "; NULL
 * without any. */
struct word_list {
	char *text;
	size_t count;
};

/* pac_direct: "private, plain, .lan, www.example.org, 203.0.113.0/24" or none. */
extern const struct setting_type setting_direct;
#define SETTING_DIRECT(values, member) SETTING_AT(setting_direct, struct word_list, values, member)

/* proxy_name: names and addresses without ports; none as it comes. */
extern const struct setting_type setting_proxy_names;
#define SETTING_PROXY_NAMES(values, member)                                                        \
	SETTING_AT(setting_proxy_names, struct word_list, values, member)

enum direct_kind {
	DIRECT_PRIVATE, /* addresses as addr_is_private() */
	DIRECT_PLAIN, /* names without a dot */
	DIRECT_NAME,
	DIRECT_AND_BELOW, /* a name and all that end in it */
	DIRECT_NETWORK,
	DIRECT_KINDS,
};

struct direct_place {
	enum direct_kind kind;
	size_t name_len;
	char name[RULE_NAME_MAX + 1];
	struct network network;
};

/* Steps through a list of pac_direct; `*cursor` begins at NULL. False at its end. */
bool direct_next(const struct word_list *list, const char **cursor, struct direct_place *out);

/* Is the proxy meant by this host, a name in whatever case or an address with or without its
 * brackets? Then `out`, which may be NULL, gets it as the list has it: an IPv6 address in its
 * brackets. */
bool proxy_names_find(
	const struct word_list *list, const char *host, size_t len, char out[RULE_NAME_MAX + 1]);

/* The first one, an IPv6 address in its brackets; "" without any. Returns `out`. */
const char *proxy_names_first(const struct word_list *list, char out[RULE_NAME_MAX + 1]);

#endif
