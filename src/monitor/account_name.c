/*
 * No user is called like an address or begins with @, so a word says by itself what it names. An
 * address stands for the account that it belongs to.
 */
#include "monitor/account_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

void account_each_in_group(struct services *v, const char *group,
	void (*see)(void *context, const char *name), void *context)
{
	size_t count = 0;
	const char **names = users_names(v->users, &count);

	for (size_t i = 0; names != NULL && i < count; i++) {
		if (users_is_in_group(v->users, names[i], group))
			see(context, names[i]);
	}
	free(names);
}

static void note_one(void *context, const char *name)
{
	(void)name;
	*(bool *)context = true;
}

bool account_group_is_known(struct services *v, const char *group)
{
	struct config *c = config_get(v->config);
	const struct limit_lines *lines = &c->settings.group_defaults;
	bool is_known = false;

	for (size_t i = 0; i < lines->count; i++)
		is_known |= strcmp(lines->lines[i].holders[0].group, group) == 0;
	config_release(c);
	if (!is_known)
		account_each_in_group(v, group, note_one, &is_known);
	return is_known;
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
	names = users_names(v->users, &count);
	for (size_t i = 0; names != NULL && i < count; i++)
		nearest_try(&nearest, names[i]);
	reply_error(r, "%s does not exist%s", word, nearest_hint(&nearest, "", hint));
	free(names);
	return false;
}

bool account_name_find(
	struct services *v, const char *word, struct account_name *out, struct reply *r)
{
	*out = (struct account_name){.kind = ACCOUNT_CLIENT};
	if (word[0] == '@')
		return find_group(v, word, out, r);
	if (!network_parse(word, strlen(word), &out->client))
		return find_user_name(v, word, out, r);
	if (out->client.prefix == (out->client.base.sa.sa_family == AF_INET ? 32 : 128))
		out->client = own_client_of(v->own, &out->client.base);
	network_format(&out->client, out->key);
	return true;
}
