/*
 * The same questions as opening asks, in the same order and words, so that what is good here is
 * good there. A log is opened as for writing, but never made; what is not there yet is a question
 * to its folder. Ports are not asked for: the server that is to be reloaded has them, and its
 * socket. An interface that is missing is the one thing that is refused here and not there, where
 * it may come later.
 */
#include "server/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "server/accounts.h"
#include "server/confine.h"
#include "server/database.h"
#include "server/effects.h"
#include "server/fronts.h"
#include "server/limiting.h"
#include "server/run_as.h"
#include "server/sharing.h"
#include "server/user_groups.h"
#include "state/operators.h"
#include "state/outgoing.h"
#include "state/users_file.h"

static bool could_be_appended_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0)
		return close(fd) == 0;
	return errno == ENOENT && folder_takes_file(path);
}

static int check_log(const char *setting, const char *path, char *error)
{
	if (*path == '\0' || could_be_appended_to(path))
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "%s: \"%.512s\": cannot be opened: %s", setting, path,
		strerror(errno));
	return -1;
}

/* Those who are not kept so already have to be written there. */
static int check_operators(
	const struct services *v, const struct options *o, const char *path, char *error)
{
	if (path == NULL || operators_are_kept(v->users, o->users, o->user_count))
		return 0;
	return users_file_can_be_written(path, error);
}

static int check_state(const char *folder, char *error)
{
	return *folder == '\0' ? 0 : database_check(folder, error);
}

static int check_shared(const struct settings *s, char *error)
{
	return shared_place_is_set(&s->shared) ? sharing_check(s, error) : 0;
}

/* As far as it is the same kernel. */
static void warn_of_missing(const struct settings *s)
{
	struct confinement possible;
	char lacks[CONFIG_ERROR_MAX];

	if (s->sandbox != SANDBOX_ON)
		return;
	possible = confine_possible();
	if (confine_is_short(&possible))
		log_message(LOG_WARN, "the server can be confined in part only; missing is %s",
			confine_lacks(&possible, lacks));
}

/* The users have been read. */
static int check_expectations(const struct services *v, const struct config *c, char *error)
{
	struct group_source users = user_groups(v->users);

	return effects_check_expectations(c, &users, v->own, error);
}

int check_opening(
	struct services *v, const struct options *o, struct config *c, char error[CONFIG_ERROR_MAX])
{
	const struct settings *s = &c->settings;

	if (confine_check(s, error) < 0 || run_as_check(s, error) < 0 ||
		fronts_check_places(s, error) < 0 || effects_check_files(s, error) < 0 ||
		accounts_check(s, error) < 0 || check_state(s->state_dir, error) < 0 ||
		check_shared(s, error) < 0 || check_log("log_file", s->log_file, error) < 0 ||
		check_log("access_log_file", s->access_log_file, error) < 0 ||
		accounts_look(v, o, error) < 0 ||
		effects_compile_upstreams(c, NULL, v->own, error) < 0 ||
		effects_compile_rules(c, NULL, false, error) < 0 ||
		check_expectations(v, c, error) < 0 ||
		check_operators(v, o, effects_users_path(s), error) < 0 ||
		fronts_check(s, error) < 0 || outgoing_is_missing(s, error))
		return -1;
	warn_of_missing(s);
	effects_warn_of_rules(c, v);
	effects_note_users_file(s);
	effects_warn_of_repeated(o->users, o->user_count);
	limiting_warn(v, s);
	effects_warn_of_open_door(users_count(v->users), c);
	return 0;
}
