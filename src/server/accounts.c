/*
 * Who serves opens these first, and who only looks at a configuration opens nothing else: users,
 * where they are kept, or shared with other nodes, and the ledger with the limits of users and
 * clients.
 */
#include "server/accounts.h"

#include <stdio.h>

#include "server/capacity.h"
#include "server/effects.h"
#include "server/node_name.h"
#include "state/ledger_limits.h"
#include "state/operators.h"
#include "state/users_file.h"

#define USERS_TRIES 50 /* to save those of the command line */

void accounts_release(struct services *v)
{
	users_free(v->users);
	shared_users_free(v->shared_users);
	ledger_free(v->ledger);
	limit_book_free(v->limits);
	holdoff_free(v->holdoff);
	own_free(v->own);
	login_helper_free(v->login_helper);
	hashing_free(v->hashing);
}

static int make_login_helper(struct services *v, const struct settings *settings)
{
	if (settings->auth_socket[0] == '\0')
		return 0;
	v->login_helper = login_helper_new(settings->auth_socket);
	if (v->login_helper == NULL)
		return -1;
	effects_set_login_helper(v->login_helper, settings);
	return users_set_helper(v->users, v->login_helper);
}

int accounts_check(const struct settings *settings, char *error)
{
	if (!settings->shared_users || shared_place_is_set(&settings->shared))
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"shared_users: \"yes\": users are shared by what shared names, which is not set: set "
		"it, or say no");
	return -1;
}

/* Who only looks has nothing that they could stand in, and looks at this node's own. Where the name
 * is none the sharing says so (sharing_new()). */
static int make_shared_users(struct services *v, const struct settings *settings)
{
	char node[CLUSTER_NODE_MAX];

	if (!settings->shared_users || v->standing == NULL)
		return 0;
	(void)node_name_find(settings, node);
	v->shared_users = shared_users_new(v->standing, node);
	return v->shared_users == NULL ? -1 : 0;
}

/* Kept in the file, if there is one, by what nodes share, or (NULL) in memory only. */
static int make_users(struct services *v, const char *path)
{
	struct users_backend file, both, *kept = NULL;

	if (path != NULL) {
		file = users_file_backend(path);
		kept = &file;
	}
	if (v->shared_users != NULL && (path == NULL || file.context != NULL)) {
		both = shared_users_backend(v->shared_users, kept);
		kept = &both;
	}
	v->users = users_new(v->hashing, v->ledger, kept);
	if (v->users == NULL)
		return -1;
	if (v->shared_users != NULL)
		users_set_gate(
			v->users, &(struct users_gate){shared_users_is_shut, v->shared_users});
	return 0;
}

int accounts_make(struct services *v, const struct settings *settings)
{

	v->hashing = hashing_new(capacity_password_checks(settings));
	v->own = own_new();
	if (v->hashing == NULL || v->own == NULL)
		return -1;
	v->holdoff = holdoff_new(v->own);
	v->ledger = ledger_new(LEDGER_IDLE_CLIENTS, v->own);
	v->limits = limit_book_new();
	if (v->holdoff == NULL || v->ledger == NULL || v->limits == NULL)
		return -1;
	ledger_follow(v->ledger, v->limits, v->standing);
	if (make_shared_users(v, settings) < 0 || make_users(v, effects_users_path(settings)) < 0)
		return -1;
	return make_login_helper(v, settings);
}

int accounts_look(struct services *v, const struct options *o, char *error)
{
	if (users_load(v->users, error) < 0)
		return -1;
	for (size_t i = 0; i < o->user_count; i++) {
		if (users_suppose(v->users, o->users[i].name, error) < 0)
			return -1;
	}
	return 0;
}

/* Other servers that start on the same file may write it in between: then it is read again. */
int accounts_load(struct services *v, const struct options *o, char *error)
{
	int left = USERS_TRIES;

	do {
		if (users_load(v->users, error) < 0)
			return -1;
		if (operators_put(v->users, v->hashing, o->users, o->user_count, error) == 0)
			return 0;
	} while (users_are_outdated(v->users) && --left > 0);
	return -1;
}
