#include "server/effects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "state/acl.h"

struct resolver_options effects_resolver_options(const struct settings *s)
{
	return (struct resolver_options){.servers = s->dns_servers,
		.search = s->dns_search,
		.cache_records = (size_t)s->dns_cache,
		.negative_ttl_ms = s->dns_negative_ttl};
}

int effects_open_access_log(
	struct access_log *log, const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	if (access_log_open(log, s->access_log_file) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "access_log_file: \"%s\": cannot be opened: %s",
		s->access_log_file, strerror(errno));
	return -1;
}

int effects_open_log(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	if (log_open(s->log_file) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "log_file: \"%s\": cannot be opened: %s",
			s->log_file, strerror(errno));
		return -1;
	}
	return 0;
}

void effects_set_log(const struct settings *s)
{
	log_set_level((enum log_level)s->log_level);
	log_set_format((enum log_format)s->log_format);
}

const char *effects_users_path(const struct settings *s)
{
	return s->users_file[0] != '\0' ? s->users_file : NULL;
}

/* The users of the file. It may be missing when users of the command line are to be put there. */
int effects_load_users(struct users *u, const struct settings *s, bool may_be_missing,
	char error[CONFIG_ERROR_MAX])
{
	const char *path = effects_users_path(s);

	if (path == NULL || (may_be_missing && access(path, F_OK) < 0 && errno == ENOENT))
		return 0;
	return users_load(u, error);
}

void effects_warn_of_open_door(size_t users, const struct config *c)
{
	if (users == 0 && acl_login_required(c, users))
		log_message(LOG_WARN, "login is required but there are no users: nobody gets in");
	else if (users == 0 && c->settings.auth == AUTH_AUTO &&
		effects_users_path(&c->settings) != NULL)
		log_message(LOG_WARN,
			"there are no users, so nobody has to log in (auth = required to forbid "
			"that)");
	else if (!acl_login_required(c, users) && c->settings.clients.any)
		log_message(LOG_WARN, "clients = any and no login required: an open proxy");
}
