/*
 * The folders are those of what is written: logs, the users file, which is replaced, state_dir, and
 * the unix socket. Logs are opened again by name after a rotation, so it is their folder, and where
 * the name is a link the folder of the file as well; what systemd has made for logs
 * (LogsDirectory=) is for those that a reload may name. A device (/dev/stderr on a terminal) is
 * allowed alone, without its folder; so are /dev/null and what standard error is, which a reload
 * opens again. Pipes and sockets the kernel leaves out by itself.
 *
 * Each part is asked for whether or not the others are to be had: half of it is better than
 * nothing, unless all of it is required.
 */
#include "server/confine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/identity.h"
#include "base/log.h"
#include "server/call_filter.h"
#include "server/landlock.h"

#define PLACES_MAX 16
#define FORBIDDEN "what the server runs in forbids it (a unit's SystemCallFilter=, a container)"

struct place {
	char path[PATH_MAX]; /* behind all links */
	dev_t device; /* what had that name: rules are about that and not about names */
	ino_t inode;
	enum landlock_use use;
};

/* The process's own. */
static struct confinement in_force;
static struct place places[PLACES_MAX];
static size_t place_count;

/* ---- what there is ---- */

struct confinement confine_possible(void)
{
	struct confinement c = {.no_new_privs = true}; /* since Linux 3.5 */

	c.landlock = landlock_version();
	c.landlock_error = c.landlock == 0 ? errno : 0;
	c.filters_calls = call_filter_is_possible();
	c.filter_error = c.filters_calls ? 0 : errno;
	return c;
}

const struct confinement *confine_in_force(void)
{
	return &in_force;
}

static const char *explain_landlock(int error)
{
	switch (error) {
	case ENOSYS:
		return "this kernel has none (Linux has it from 5.13 on)";
	case EOPNOTSUPP:
		return "it is switched off (lsm=landlock,... at boot turns it on)";
	case EPERM:
		return FORBIDDEN;
	default:
		return strerror(error);
	}
}

static const char *explain_filter(int error)
{
	switch (error) {
	case ENOTSUP:
		return "this socks5d was built without it (make WITHOUT=sandbox)";
	case ENOSYS:
	case EINVAL:
		return "this kernel has no seccomp";
	case EPERM:
		return FORBIDDEN;
	default:
		return strerror(error);
	}
}

static void add_word(char *out, size_t size, const char *separator, const char *word)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s", len > 0 ? separator : "", word);
}

const char *confine_words(const struct confinement *c, char out[CONFINE_WORDS_MAX])
{
	*out = '\0';
	if (c->landlock > 0)
		snprintf(out, CONFINE_WORDS_MAX, "landlock:%d", c->landlock);
	if (c->no_new_privs)
		add_word(out, CONFINE_WORDS_MAX, ",", "no_new_privs");
	if (c->filters_calls)
		add_word(out, CONFINE_WORDS_MAX, ",", "call_filter");
	return *out != '\0' ? out : strcpy(out, "none");
}

const char *confine_lacks(const struct confinement *c, char out[CONFIG_ERROR_MAX])
{
	char one[256];

	*out = '\0';
	if (c->landlock == 0) {
		snprintf(one, sizeof(one), "Landlock: %s", explain_landlock(c->landlock_error));
		add_word(out, CONFIG_ERROR_MAX, "; ", one);
	}
	if (!c->no_new_privs)
		add_word(out, CONFIG_ERROR_MAX, "; ", "no_new_privs: this kernel has none");
	if (!c->filters_calls) {
		snprintf(one, sizeof(one), "the filter of system calls: %s",
			explain_filter(c->filter_error));
		add_word(out, CONFIG_ERROR_MAX, "; ", one);
	}
	return out;
}

bool confine_is_short(const struct confinement *c)
{
	return c->landlock == 0 || !c->no_new_privs ||
		(!c->filters_calls && c->filter_error != ENOTSUP);
}

static int check_required(
	const struct settings *s, const struct confinement *c, char error[CONFIG_ERROR_MAX])
{
	char lacks[CONFIG_ERROR_MAX];

	if (s->sandbox != SANDBOX_REQUIRED || *confine_lacks(c, lacks) == '\0')
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "sandbox: \"required\": missing is %.900s", lacks);
	return -1;
}

int confine_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	struct confinement possible;

	if (s->sandbox != SANDBOX_REQUIRED)
		return 0;
	possible = confine_possible();
	return check_required(s, &possible, error);
}

/* ---- where it may write ---- */

static void add_place(const char *path, enum landlock_use use)
{
	struct place *p = &places[place_count];
	struct stat st;

	if (place_count == PLACES_MAX || realpath(path, p->path) == NULL || stat(p->path, &st) < 0)
		return;
	p->device = st.st_dev;
	p->inode = st.st_ino;
	p->use = use;
	for (size_t i = 0; i < place_count; i++) {
		if (places[i].use == use && strcmp(places[i].path, p->path) == 0)
			return;
	}
	place_count++;
}

static void add_folder_of(const char *path, enum landlock_use use)
{
	char copy[PATH_MAX];

	if (*path != '\0')
		add_place(folder_of(path, copy), use);
}

/* Of its name and, where that is a link, of itself. */
static void add_folders_of(const char *path, enum landlock_use use)
{
	char real[PATH_MAX];

	add_folder_of(path, use);
	if (*path != '\0' && realpath(path, real) != NULL)
		add_folder_of(real, use);
}

static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

static void add_log(const char *path)
{
	if (is_device(path))
		add_place(path, LANDLOCK_DEVICE);
	else if (strncmp(path, "/dev/", 5) != 0)
		add_folders_of(path, LANDLOCK_APPEND);
}

/* Folders with colons between, systemd.exec(5). */
static void add_unit_folders(const char *list)
{
	char *copy = list == NULL ? NULL : strdup(list), *rest = copy, *folder;

	while ((folder = strsep(&rest, ":")) != NULL) {
		if (*folder == '/')
			add_place(folder, LANDLOCK_APPEND);
	}
	free(copy);
}

static void list_places(const struct settings *s)
{
	place_count = 0;
	add_log(s->log_file);
	add_log(s->access_log_file);
	add_folders_of(s->users_file, LANDLOCK_OWN);
	if (*s->state_dir != '\0')
		add_place(s->state_dir, LANDLOCK_OWN);
	add_folder_of(s->monitor_socket, LANDLOCK_LISTEN);
	add_place("/dev/null", LANDLOCK_DEVICE);
	if (is_device("/proc/self/fd/2"))
		add_place("/proc/self/fd/2", LANDLOCK_DEVICE);
	add_unit_folders(getenv("LOGS_DIRECTORY")); /* last: there may be any number */
}

/* Only what can be gone since it was opened. */
static void allow_places(int rules, int version)
{
	for (size_t i = 0; i < place_count; i++) {
		if (landlock_allow(rules, version, places[i].path, places[i].use) < 0)
			log_message(LOG_WARN, "sandbox: %s cannot be written to any more: %s",
				places[i].path, strerror(errno));
	}
}

static bool is_folder_for_files(const struct place *p)
{
	return p->use == LANDLOCK_APPEND || p->use == LANDLOCK_OWN;
}

static bool was_told(size_t index, bool for_files)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(places[i].path, places[index].path) == 0 &&
			(!for_files || is_folder_for_files(&places[i])))
			return true;
	}
	return false;
}

/* The folders, those of sockets too unless they are asked for `for_files`. */
static const char *tell_folders(bool for_files, char *out, size_t size)
{
	*out = '\0';
	for (size_t i = 0; i < place_count; i++) {
		if (places[i].use != LANDLOCK_DEVICE && !was_told(i, for_files) &&
			(!for_files || is_folder_for_files(&places[i])))
			add_word(out, size, ", ", places[i].path);
	}
	return out;
}

static bool is_allowed(const char *folder)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return false;
	for (size_t i = 0; i < place_count; i++) {
		if (is_folder_for_files(&places[i]) && places[i].device == st.st_dev &&
			places[i].inode == st.st_ino)
			return true;
	}
	return false;
}

/* Is neither its folder nor any above that one of those? */
static bool is_outside(const char *path)
{
	char copy[PATH_MAX], folder[PATH_MAX];

	if (realpath(folder_of(path, copy), folder) == NULL)
		return false;
	while (!is_allowed(folder)) {
		if (strcmp(folder, "/") == 0)
			return true;
		strcpy(folder, folder_of(folder, copy));
	}
	return false;
}

void confine_explain(const char *path, char error[CONFIG_ERROR_MAX])
{
	size_t len = strlen(error);
	char folders[512];

	if (in_force.landlock == 0 || *path == '\0' || !is_outside(path))
		return;
	tell_folders(true, folders, sizeof(folders));
	snprintf(error + len, CONFIG_ERROR_MAX - len,
		": sandbox: the server may write beneath %s only, as that was at its start; another "
		"folder takes a restart",
		*folders != '\0' ? folders : "no folder");
}

/* ---- giving up ---- */

static void enter_landlock(const struct settings *s)
{
	int version = landlock_version(), rules = version > 0 ? landlock_begin(version) : -1;

	if (rules >= 0) {
		list_places(s);
		allow_places(rules, version);
		in_force.landlock = landlock_enforce(rules) == 0 ? version : 0;
	}
	in_force.landlock_error = in_force.landlock == 0 ? errno : 0;
	if (rules >= 0)
		close(rules);
}

static void enter_filter(const struct settings *s)
{
	bool makes_local =
		*s->monitor_socket != '\0' || *s->auth_socket != '\0' || s->shared.path[0] != '\0';

	in_force.filters_calls = call_filter_install(makes_local) == 0;
	in_force.filter_error = in_force.filters_calls ? 0 : errno;
}

/* Names are not looked up for this: that may take a library which asks the network. */
static const char *user_of_process(char out[32])
{
	if (identity_became() != NULL)
		return identity_became();
	if (geteuid() == 0)
		return "root";
	snprintf(out, 32, "uid:%u", (unsigned)geteuid());
	return out;
}

static void log_what_holds(const struct settings *s)
{
	char words[CONFINE_WORDS_MAX], lacks[CONFIG_ERROR_MAX] = "", folders[2048] = "", user[32];
	struct log_line line;

	if (s->sandbox != SANDBOX_OFF)
		confine_lacks(&in_force, lacks);
	if (in_force.landlock > 0)
		tell_folders(false, folders, sizeof(folders));
	log_begin(&line,
		s->sandbox != SANDBOX_OFF && confine_is_short(&in_force) ? LOG_WARN : LOG_INFO,
		s->sandbox == SANDBOX_OFF ? "not confined (sandbox = off)"
			: *lacks != '\0'  ? "confined in part"
					  : "confined");
	log_text(&line, "user", user_of_process(user));
	log_text(&line, "holds", confine_words(&in_force, words));
	if (in_force.landlock > 0)
		log_text(&line, "writes_beneath", folders);
	if (*lacks != '\0')
		log_text(&line, "lacks", lacks);
	log_end(&line);
}

int confine_enter(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	/* Whatever `sandbox` says: nothing is executed, so nothing that is could give us rights. */
	in_force.no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	if (s->sandbox != SANDBOX_OFF) {
		enter_landlock(s);
		enter_filter(s);
	}
	if (check_required(s, &in_force, error) < 0)
		return -1;
	log_what_holds(s);
	return 0;
}
