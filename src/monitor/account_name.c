/*
 * No user is called like an address or begins with @, so a word says by itself what it names. An
 * address stands for the account that it belongs to.
 */
#include "monitor/account_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"

bool account_group_is_known(struct services *v, const char *group)
{
	struct config *c = config_get(v->config);
	const struct limit_lines *lines = &c->settings.group_defaults;
	bool is_known = false;

	for (size_t i = 0; i < lines->count; i++)
		is_known |= strcmp(lines->lines[i].holders[0].group, group) == 0;
	config_release(c);
	return is_known || users_have_group(v->users, group);
}

static bool is_client_group(struct services *v, const char *group)
{
	struct config *c = config_get(v->config);
	bool is_one = client_groups_find(&c->settings.client_groups, group, strlen(group)) != NULL;

	config_release(c);
	return is_one;
}

static bool find_group(
	struct services *v, const char *word, struct account_name *out, struct reply *r)
{
	out->kind = ACCOUNT_GROUP;
	snprintf(out->key, sizeof(out->key), "%s", word);
	out->is_of_clients = is_client_group(v, word + 1);
	if (out->is_of_clients || account_group_is_known(v, word + 1))
		return true;
	reply_error(r,
		"There is no group %s: nobody has groups=%s, and neither client_group nor "
		"group_defaults names it",
		word, word + 1);
	return false;
}

int account_client_parse(const char *word, struct network *out, struct reply *r)
{
	char text[NETWORK_TEXT_MAX];

	if (network_parse(word, strlen(word), out))
		return 1;
	if (!network_parse_around(word, strlen(word), out))
		return 0;
	reply_error(r, "\"%s\": bits are set behind the prefix; did you mean %s?", word,
		network_format(out, text));
	return -1;
}

const char *account_session_user(const char *word)
{
	return strcasecmp(word, USERS_ANONYMOUS) == 0 ? USERS_ANONYMOUS : word;
}

static bool find_user_name(
	struct services *v, const char *word, struct account_name *out, struct reply *r)
{
	struct nearest nearest = nearest_to(word, strlen(word));
	char hint[NEAREST_HINT_MAX];
	const char **names;
	size_t count = 0;

	out->kind = ACCOUNT_USER;
	snprintf(out->key, sizeof(out->key), "%s", word);
	if (users_have(v->users, word, strlen(word)))
		return true;
	if (strcasecmp(word, USERS_ANONYMOUS) == 0) {
		reply_error(r,
			"%s is no account: who does not log in counts by the address, as in "
			"client_limits and anonymous_defaults",
			word);
		return false;
	}
	names = users_names(v->users, &count);
	for (size_t i = 0; names != NULL && i < count; i++)
		nearest_try(&nearest, names[i]);
	reply_error(r, "%s does not exist%s", word, nearest_hint(&nearest, "", hint));
	free(names);
	return false;
}

struct network account_of_client(struct services *v, const struct network *named)
{
	bool is_address = named->prefix == (named->base.sa.sa_family == AF_INET ? 32 : 128);

	return is_address ? own_client_of(v->own, &named->base) : *named;
}

bool account_name_find(
	struct services *v, const char *word, struct account_name *out, struct reply *r)
{
	int is_client;

	*out = (struct account_name){.kind = ACCOUNT_CLIENT};
	if (word[0] == '@')
		return find_group(v, word, out, r);
	is_client = account_client_parse(word, &out->client, r);
	if (is_client <= 0)
		return is_client == 0 && find_user_name(v, word, out, r);
	out->client = account_of_client(v, &out->client);
	network_format(&out->client, out->key);
	return true;
}
