/*
 * The hash of a password is computed in the hasher's thread, before the command has its turn in the
 * main thread, which alone changes users. An answer says where that may not last.
 */
#include "monitor/user_commands.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/plural.h"
#include "monitor/user_term.h"
#include "state/kept_use.h"

#define HOW_LONG_MAX (USERS_NAME_MAX + USER_TERM_MAX)

/* Where what was done to this user holds, and why it may not last, for the end of an answer: the
 * command line gives him something (`again`) at every start, or users are not kept, of which there
 * may be `more` to say. */
static const char *term_of(const struct monitor_request *q, bool is_shared, const char *again,
	const char *more, char text[HOW_LONG_MAX])
{
	const char *name = q->parameters[0];

	if (!users_are_given(q->services->users, name))
		return user_term(q->services, is_shared, more, text);
	snprintf(text, HOW_LONG_MAX, " (until the next start: -u gives %s%s)", name, again);
	return text;
}

static const char *for_how_long(const struct monitor_request *q, const char *again,
	const char *more, char text[HOW_LONG_MAX])
{
	return term_of(q, user_is_shared(q->services, q->parameters[0]), again, more, text);
}

/* False when name or password cannot be one; then `r` says why. */
static bool check_credentials(const char *name, const char *password, struct reply *r)
{
	const char *problem = users_name_problem(name, strlen(name));

	if (problem == NULL)
		problem = users_password_problem(password);
	if (problem != NULL)
		reply_error(r, "%s", problem);
	return problem == NULL;
}

static struct user_credentials credentials_of(const struct monitor_request *q)
{
	return (struct user_credentials){.name = q->parameters[0], .password = q->parameters[1]};
}

void user_command_make_hash(struct monitor_request *q, struct reply *r)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct user_credentials c = credentials_of(q);

	if (check_credentials(c.name, c.password, r) &&
		hashing_make(q->services->hashing, &wait, c.password, q->hash) < 0)
		reply_error(r, "The password cannot be hashed: %s", strerror(errno));
}

static bool is_for_helper(const struct monitor_request *q)
{
	return q->count == 3 && strcmp(q->parameters[2], USERS_OF_HELPER) == 0;
}

/* There is nothing to hash, and no password that could be meant. */
static void take_helpers(struct monitor_request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	const char *problem = users_name_problem(name, strlen(name));

	if (problem != NULL)
		reply_error(r, "%s", problem);
	else if (strcmp(q->parameters[1], "*") != 0)
		reply_error(r,
			"The helper knows the password: * stands for it, ADD_USER %s * " USERS_OF_HELPER,
			name);
	else
		strcpy(q->hash, USERS_OF_HELPER);
}

void user_command_prepare_add(struct monitor_request *q, struct reply *r)
{
	if (is_for_helper(q))
		take_helpers(q, r);
	else if (q->count == 3 && strcmp(q->parameters[2], user_role_word(USER_ROLE_ADMIN)) != 0)
		reply_error(r, "\"%s\": the role is admin or " USERS_OF_HELPER ", or left out",
			q->parameters[2]);
	else
		user_command_make_hash(q, r);
}

/* For the end of an answer: what a name is without a line in the users file. */
static const char *who_else_knows(const struct monitor_request *q)
{
	return q->services->login_helper == NULL
		? ""
		: "; auth_socket is asked about the name from now on, where DISABLE would have "
		  "kept it out";
}

void user_command_add_user(const struct monitor_request *q, struct reply *r)
{
	bool is_of_helper = is_for_helper(q);
	enum user_role role = q->count == 3 && !is_of_helper ? USER_ROLE_ADMIN : USER_ROLE_USER;
	struct user_credentials c = credentials_of(q);
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];

	if (users_add(q->services->users, c.name, q->hash, role, error) < 0) {
		reply_error(r, "%s", error);
		return;
	}
	if (!is_of_helper)
		users_remember(q->services->users, &c, q->hash);
	reply_add(r, "OK User %s added%s%s\n", c.name,
		is_of_helper && q->services->login_helper == NULL
			? ", and refused as long as auth_socket is not set"
			: "",
		for_how_long(q, " a password", "; who must log in stays as it was", text));
}

void user_command_set_password(const struct monitor_request *q, struct reply *r)
{
	struct user_credentials c = credentials_of(q);
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];

	if (users_set_password(q->services->users, c.name, q->hash, error) < 0) {
		reply_error(r, "%s", error);
		return;
	}
	users_remember(q->services->users, &c, q->hash);
	reply_add(r, "OK Password of %s changed%s\n", c.name,
		for_how_long(q, " a password", "", text));
}

void user_command_set_role(const struct monitor_request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];
	enum user_role role;

	if (!user_role_parse(q->parameters[1], &role))
		reply_error(r, "\"%s\": the role is user or admin", q->parameters[1]);
	else if (users_set_role(q->services->users, name, role, error) < 0)
		reply_error(r, "%s", error);
	else
		reply_add(r, "OK Role of %s set to %s%s\n", name, user_role_word(role),
			for_how_long(q, " the role admin", "", text));
}

void user_command_del_user(const struct monitor_request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];
	bool was_shared = user_is_shared(q->services, name);
	size_t ended;

	if (users_remove(q->services->users, name, error) < 0) {
		reply_error(r, "%s", error);
	} else {
		history_end_user(
			q->services->history, name, ledger_last_serial(q->services->ledger));
		kept_use_drop(q->services->standing, name);
		ended = registry_end_user(q->services->registry, name, strlen(name), END_KILLED);
		reply_add(r, "OK User %s deleted, %zu session%s ended%s%s\n", name, ended,
			plural(ended), who_else_knows(q),
			term_of(q, was_shared, " again", "", text));
	}
}

/* ---- to the users that nodes share ---- */

struct sharing_out {
	struct shared_users *shared;
	char *error;
};

static const char *share_out(void *context, const struct user_record *user)
{
	const struct sharing_out *s = context;

	if (user->role == USER_ROLE_ADMIN)
		return "is an administrator, and stays this node's alone: SET_ROLE makes a user of "
		       "one";
	return shared_users_share(s->shared, user->name, user->hash, user->attributes, s->error) < 0
		? s->error
		: NULL;
}

/* If not, `r` says why. Without state_dir the engine would be all that keeps him. */
static bool can_be_shared(const struct monitor_request *q, struct reply *r)
{
	const struct services *v = q->services;
	const char *name = q->parameters[0];

	if (v->shared_users == NULL)
		reply_error(r, "No users are shared: shared_users is not set");
	else if (!users_have(v->users, name, strlen(name)))
		reply_error(r, "%s does not exist", name);
	else if (user_is_shared(v, name))
		reply_error(r, "%s is shared already", name);
	else if (!standing_is_kept(v->standing))
		reply_error(r,
			"%s stays in users_file: state_dir is not set, and then only the engine "
			"would keep the user",
			name);
	else
		return true;
	return false;
}

/* He is kept twice from now on: the one of the file holds until the other one is on the disk. */
void user_command_share_user(const struct monitor_request *q, struct reply *r)
{
	struct shared_users *shared = q->services->shared_users;
	const char *name = q->parameters[0], *why;
	char error[USERS_ERROR_MAX];
	struct sharing_out s = {.shared = shared, .error = error};

	if (!can_be_shared(q, r))
		return;
	why = users_give(q->services->users, name, share_out, &s);
	if (why == error)
		reply_error(r, "%s", error);
	else if (why != NULL)
		reply_error(r, "%s: %s", name, why);
	else
		reply_add(r, "OK ");
}

void user_command_finish_sharing(const struct monitor_request *q, struct reply *r)
{
	struct services *v = q->services;
	const char *name = q->parameters[0];
	char error[USERS_ERROR_MAX], text[USER_TERM_MAX];
	struct users_difference ignored;

	reply_reset(r);
	if (shared_users_unhide(v->shared_users, name, error) < 0 ||
		users_take(v->users, name, NULL, NULL, &ignored, error) < 0)
		reply_error(r,
			"%s is shared from now on, but is still in users_file, which holds on this "
			"node: %s",
			name, error);
	else
		reply_add(r, "OK User %s is shared from now on%s\n", name,
			user_term(v, true, "", text));
}
