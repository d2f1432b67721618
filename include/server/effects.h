/* effects: what settings do outside of the configuration, at start, and step by step when they
 * change. No state; the main thread's. */
#ifndef SERVER_EFFECTS_H
#define SERVER_EFFECTS_H

#include <stdbool.h>

#include "base/log.h"
#include "net/resolver.h"
#include "server/site.h"
#include "state/access_log.h"
#include "state/config.h"
#include "state/group_source.h"
#include "state/users.h"

/* ---- at start ---- */

struct resolver_options effects_resolver_options(const struct settings *s);

/* What the settings say of how the helper is asked (auth_cache, max_auth_questions). */
void effects_set_login_helper(struct login_helper *h, const struct settings *s);

/* Level and format of the log. */
void effects_set_log(const struct settings *s);

/* Open what the settings name, again if it was open. -1 with the reason in `error`, and the log is
 * as it was. */
int effects_open_log(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));
int effects_open_access_log(struct access_log *log, const struct settings *s,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Is each file named for one purpose only? Devices may serve several. -1 with the reason in
 * `error`.
 */
int effects_check_files(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Has copies made of the files that rules name, for a start without them. */
void effects_copy_lists(struct site *site, const struct config *c);

/* The users file; NULL when there is none. */
const char *effects_users_path(const struct settings *s);

/* How many users are from there: those whom nodes share are not. */
size_t effects_count_users(const struct services *v);

/* Logs it where users can be read, but not be changed while serving, and where the file is open to
 * others than its owner and group. */
void effects_note_users_file(const struct settings *s);

/* Logs what the administrator should know when so many users and this configuration let more in
 * than is likely meant, or nobody. */
void effects_warn_of_open_door(size_t users, const struct config *c);

/* Gives the configuration its rules, compiled; hits and temporary rules of those of `before` (NULL:
 * there were none) go on. At start a file that cannot be read is no error. -1 with the reason in
 * `error`. */
int effects_compile_rules(struct config *c, const struct config *before, bool at_start,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* The same with the upstreams, and how those of `before` fared. What cannot be read is an error at
 * start, too; so is an upstream that is this very proxy, as far as its address says so. */
int effects_compile_upstreams(struct config *c, const struct config *before, struct own *own,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Do the rules say what the configuration expects of them, and is each group one of clients or of
 * users only? -1 with `error`. */
int effects_check_expectations(const struct config *c, const struct group_source *users,
	struct own *own, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* At start, when what serves is better than nothing: logs it when they do not. */
void effects_warn_of_expectations(const struct config *c, const struct services *v);

/* Logs what is to be said of rules that were compiled: of files that could not be read, and what
 * may not have been meant. */
void effects_warn_of_rules(const struct config *c, const struct services *v);

/* Logs it when no target can be reached, as an interface or an address is missing that may be about
 * to come. */
void effects_warn_of_outgoing(const struct settings *s);

/* Says so when browsers come from elsewhere, and nothing in front of the server speaks TLS. */
void effects_warn_of_clear_web(const struct settings *s);

/* Says so when what is shared with other nodes goes to another host. */
void effects_warn_of_clear_engine(const struct settings *s);

/* Says so when nothing of that is kept on this host. */
void effects_warn_of_no_copy(const struct settings *s);

/* Logs who is named twice among those of the command line. */
void effects_warn_of_repeated(const struct user_credentials *operators, size_t count);

/* Says in the log when users have hashes of different kinds; once, when they were loaded. */
void effects_warn_of_mixed_hashes(const struct users *u);

/* Logs that no user may use the monitor, and who still may. */
void effects_log_no_admins(enum log_level level, const struct settings *s);

/* ---- a change ---- */

/* From one configuration to another. */
struct change {
	struct site *site;
	const struct config *old;
	struct config *new;
	bool is_reload; /* files are read and opened again, whatever changed */
	unsigned effects; /* that it has, enum setting_effect */
	struct users_draft *users; /* that were read and are not in effect yet; NULL: none */

	/* results */
	struct users_difference difference; /* that the users' coming into effect has made */
	size_t sessions_ended; /* of users who are gone */
	bool log_failed; /* it was refused because the log cannot be opened */
};

/* What every change does, and what a reload does in any case. The listeners: to have the log, which
 * may be a new one, say where they are. */
#define EFFECTS_OF_ANY_CHANGE EFFECT_PUBLISH
#define EFFECTS_OF_RELOAD                                                                          \
	(EFFECT_LISTENERS | EFFECT_LOG_FILE | EFFECT_ACCESS_LOG_FILE | EFFECT_DOOR |               \
		EFFECT_OUTGOING | EFFECT_USERS | EFFECT_RULES | EFFECT_UPSTREAMS | EFFECT_WEB)

/* A step of an effect. Each of these may be NULL: then there is nothing to be done. */
struct effect {
	unsigned of; /* enum setting_effect */
	const char *name;
	/* Before anything is changed for others. -1 with the reason in `error`, and nothing
	 * changed: then the whole change is refused. */
	int (*prepare)(struct change *change, char error[CONFIG_ERROR_MAX]);
	/* When all are prepared. It does not fail. */
	void (*commit)(struct change *change);
	/* Behind that, when all has been logged that is to be said of the change: the log itself
	 * may be another one from then on, and what it is to begin with comes here. */
	void (*finish)(struct change *change);
	/* Takes back what prepare() did. */
	void (*undo)(struct change *change);
};

/* Every effect there is, in the order in which they are prepared, and made. */
extern const struct effect effects_table[];
extern const size_t effects_count;

/* Prepares those steps of the table that are `of` one of these effects. -1 with the reason in
 * `error`, and all that was prepared is undone, the last step first. */
int effects_prepare(const struct effect *table, size_t count, unsigned effects,
	struct change *change, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Makes them; effects_finish() is to follow. */
void effects_commit(
	const struct effect *table, size_t count, unsigned effects, struct change *change);
void effects_finish(
	const struct effect *table, size_t count, unsigned effects, struct change *change);

#endif
