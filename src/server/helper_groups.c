/*
 * A directory puts people into hundreds of groups, and here those matter of which something is
 * said: so these are what the question names, and what is answered for. Groups of clients are none
 * of them, whose names no group of users may have.
 */
#include "server/helper_groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "state/rules.h"
#include "wire/auth_line.h"

struct group_list {
	const struct client_groups *of_clients;
	size_t len;
	bool is_full;
	char text[AUTH_LINE_GROUPS_MAX + 1]; /* "a,b" */
};

static bool is_there(const struct group_list *l, const char *name, size_t len)
{
	return l->len > 0 && limits_in_group(l->text, name, len);
}

static void add_group(void *context, const char *name, size_t len)
{
	struct group_list *l = context;

	if (client_groups_find(l->of_clients, name, len) != NULL || is_there(l, name, len))
		return;
	if (l->len + len + 2 > sizeof(l->text)) {
		l->is_full = true;
		return;
	}
	if (l->len > 0)
		l->text[l->len++] = ',';
	memcpy(l->text + l->len, name, len);
	l->len += len;
	l->text[l->len] = '\0';
}

static void add_groups_of_rule(struct group_list *l, const struct rule *rule)
{
	for (size_t i = 0; i < rule->user_count; i++) {
		if (rule->users[i].is_group)
			add_group(l, rule->users[i].name, rule->users[i].len);
	}
}

static void add_groups_of_settings(struct group_list *l, const struct settings *s)
{
	for (size_t i = 0; i < s->group_defaults.count; i++) {
		const char *group = s->group_defaults.lines[i].holders[0].group;

		add_group(l, group, strlen(group));
	}
	for (size_t i = 0; i < s->group_rates.count; i++) {
		const char *group = s->group_rates.groups[i].name;

		add_group(l, group, strlen(group));
	}
}

void helper_groups_follow(const struct services *v, const struct config *c)
{
	struct group_list *l;

	if (v->login_helper == NULL)
		return;
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		log_message(LOG_ERROR,
			"a helper is asked about the same groups as before: "
			"out of memory");
		return;
	}
	l->of_clients = &c->settings.client_groups;
	for (size_t i = 0; c->rules != NULL && i < rules_count(c->rules); i++)
		add_groups_of_rule(l, rules_get(c->rules, i).rule);
	add_groups_of_settings(l, &c->settings);
	limit_book_each_group(v->limits, add_group, l);
	if (l->is_full)
		log_message(LOG_ERROR,
			"rules and limits name more groups than a helper can be asked about, so "
			"it lets nobody in: their names may have %d bytes together",
			AUTH_LINE_GROUPS_MAX);
	if (login_helper_set_groups(v->login_helper, l->text, !l->is_full) < 0)
		log_message(LOG_ERROR,
			"a helper is asked about the same groups as before: "
			"out of memory");
	free(l);
}
