/* confine: what the process gives up between opening and starting: to write elsewhere than it has
 * to (Landlock), to get new rights, and system calls that a proxy never makes. Of the process, for
 * good; the main thread's before there are others, then it is only read. */
#ifndef SERVER_CONFINE_H
#define SERVER_CONFINE_H

#include "state/config.h"

/* What there is of it: what this kernel, and this build, can do; or what holds. */
struct confinement {
	int landlock; /* its version; 0: none */
	int landlock_error; /* errno of why not */
	bool no_new_privs;
	bool filters_calls;
	int filter_error; /* errno of why not */
};

#define CONFINE_WORDS_MAX 128

/* What could hold. */
struct confinement confine_possible(void);

/* What holds since confine_enter(). */
const struct confinement *confine_in_force(void);

/* In words without blanks between commas: "landlock:7,no_new_privs,call_filter"; "none". Returns
 * `out`. */
const char *confine_words(const struct confinement *c, char out[CONFINE_WORDS_MAX]);

/* What is missing in it, in words with the reasons; "": nothing. Returns `out`. */
const char *confine_lacks(const struct confinement *c, char out[CONFIG_ERROR_MAX]);

/* Is anything missing that the build did not leave out? */
bool confine_is_short(const struct confinement *c);

/* Is what these settings require possible? -1 with the reason in `error`. */
int confine_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Gives it all up, as `sandbox` says, and logs what holds. All that these settings name is open by
 * now. -1 with the reason in `error` where something is missing that they require. */
int confine_enter(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Puts behind a reason why `path` cannot be opened that it is outside of where the server may write
 * since its start, if it is. */
void confine_explain(const char *path, char error[CONFIG_ERROR_MAX]);

#endif
