/*
 * What is given away is what can only be meant for the server: a plain file of root's with one
 * name, and a folder of root's, not at the top, that nobody else may write to and that has nothing
 * but files and sockets in it; so /var/log, /etc, /run or a folder with the configuration in it
 * stay root's, and whoever has taken over a server cannot have root give him more at the next
 * start. Links are not followed.
 *
 * A log that is not there yet is made first where the folder stays root's. That it cannot be made
 * again then, after a rotation, is said.
 *
 * All that comes behind is opened as the user: so what he may not have is refused at start with the
 * reason, and not at a reload some day.
 */
#include "server/run_as.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/identity.h"
#include "base/log.h"

#define NAME_SIZE 256

static char name[NAME_SIZE];
static struct identity who; /* its name is NULL: nobody else */

static int refuse_user(char *error, const char *user, const char *why)
{
	snprintf(error, CONFIG_ERROR_MAX, "user: \"%.200s\": %s", user, why);
	return -1;
}

/* Whom the settings name; nobody where it is not to change. */
static int find_user(const struct settings *s, struct identity *out, char *error)
{
	*out = (struct identity){.name = NULL};
	if (s->user[0] == '\0')
		return 0;
	if (strlen(s->user) >= NAME_SIZE || identity_find(s->user, out) < 0)
		return refuse_user(error, s->user,
			errno == ENOENT ? "this host has no such user" : strerror(errno));
	if (out->uid == 0)
		return refuse_user(error, s->user, "that is root, whom this is to get away from");
	if (geteuid() == out->uid)
		out->name = NULL;
	else if (geteuid() != 0)
		return refuse_user(error, s->user, "only root can become another user");
	return 0;
}

int run_as_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	struct identity ignored;

	/* Whoever looks need not be who starts it. */
	return geteuid() == 0 ? find_user(s, &ignored, error) : 0;
}

/* ---- giving ---- */

static void say_given(const char *path)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "given to the user that the server runs as");
	log_text(&line, "path", path);
	log_text(&line, "user", name);
	log_end(&line);
}

static bool is_roots_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 && st->st_nlink == 1;
}

/* Looked at and given through one descriptor, so that it is the same one. */
static void give_file_at(int folder, const char *file, const char *path)
{
	int fd = openat(folder, file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && is_roots_file(&st) &&
		fchownat(fd, "", who.uid, who.gid, AT_EMPTY_PATH) == 0 && path != NULL)
		say_given(path);
	close(fd);
}

static void give_file(const char *path)
{
	if (*path != '\0')
		give_file_at(AT_FDCWD, path, path);
}

static bool is_dots(const char *entry)
{
	return strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0;
}

/* Is it a file of the server's, or could be? */
static bool is_servers(const struct stat *st, const struct stat *configuration)
{
	if (st->st_uid != 0 && st->st_uid != who.uid)
		return false;
	if (st->st_dev == configuration->st_dev && st->st_ino == configuration->st_ino)
		return false;
	return S_ISREG(st->st_mode) || S_ISSOCK(st->st_mode);
}

static bool has_servers_files_only(DIR *folder, const struct stat *configuration)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(folder)) != NULL) {
		if (is_dots(entry->d_name))
			continue;
		if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!is_servers(&st, configuration))
			return false;
	}
	return true;
}

/* Such as /run, which may be empty in a container, and is the system's all the same. */
static bool is_at_the_top(DIR *folder)
{
	struct stat above, top;

	return fstatat(dirfd(folder), "..", &above, 0) < 0 || stat("/", &top) < 0 ||
		(above.st_dev == top.st_dev && above.st_ino == top.st_ino);
}

static bool is_to_be_given(DIR *folder, const struct stat *configuration)
{
	struct stat st;

	return !is_at_the_top(folder) && fstat(dirfd(folder), &st) == 0 && st.st_uid == 0 &&
		(st.st_mode & (S_ISVTX | S_IWGRP | S_IWOTH)) == 0 &&
		has_servers_files_only(folder, configuration);
}

/* NULL: there is none. */
static DIR *open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (folder == NULL && fd >= 0)
		close(fd);
	return folder;
}

static void give_folder(const char *path, const struct stat *configuration)
{
	DIR *folder = open_folder(path);

	if (folder == NULL)
		return;
	if (is_to_be_given(folder, configuration) && fchown(dirfd(folder), who.uid, who.gid) == 0)
		say_given(path);
	closedir(folder);
}

static void give_folder_of(const char *path, const struct stat *configuration)
{
	char copy[PATH_MAX];

	if (*path != '\0')
		give_folder(folder_of(path, copy), configuration);
}

/* Of what is the server's alone, the files too: a run as root has left them. */
static void give_state(const char *path, const struct stat *configuration)
{
	DIR *folder = *path == '\0' ? NULL : open_folder(path);
	const struct dirent *entry;
	struct stat st;

	if (folder == NULL)
		return;
	give_folder(path, configuration);
	while (fstat(dirfd(folder), &st) == 0 && st.st_uid == who.uid &&
		(entry = readdir(folder)) != NULL)
		give_file_at(dirfd(folder), entry->d_name, NULL);
	closedir(folder);
}

/* Where only root can, he makes it. Whatever fails here fails again when it is opened. */
static void make_log(const char *path)
{
	char copy[PATH_MAX];
	struct stat st;
	int fd;

	if (*path == '\0' || stat(folder_of(path, copy), &st) < 0 || st.st_uid != 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd >= 0)
		close(fd);
}

static void give_all(const struct config *c)
{
	const struct settings *s = &c->settings;
	const char *const files[] = {s->log_file, s->access_log_file, s->users_file};
	struct stat configuration = {.st_ino = 0};

	if (c->path != NULL)
		(void)stat(c->path, &configuration);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		give_folder_of(files[i], &configuration);
	give_folder_of(s->monitor_socket, &configuration);
	give_state(s->state_dir, &configuration);
	make_log(s->log_file);
	make_log(s->access_log_file);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		give_file(files[i]);
}

/* ---- the two steps ---- */

static void warn_of_rotation(const char *setting, const char *path)
{
	struct stat st;

	if (*path == '\0' || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || folder_takes_file(path))
		return;
	log_message(LOG_WARN,
		"%s: \"%s\": the user %s may not make files in that folder: whoever rotates it has "
		"to make the new one for him",
		setting, path, name);
}

static void warn_of_configuration(const char *path)
{
	if (path != NULL && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		log_message(LOG_WARN, "the user %s cannot read %s, so it cannot be reloaded: %s",
			name, path, strerror(errno));
}

int run_as_begin(const struct config *c, char error[CONFIG_ERROR_MAX])
{
	if (find_user(&c->settings, &who, error) < 0)
		return -1;
	if (who.name == NULL)
		return 0;
	who.name = strcpy(name, who.name);
	give_all(c);
	if (identity_use_for_files(&who) < 0)
		return refuse_user(error, name, strerror(errno));
	warn_of_rotation("log_file", c->settings.log_file);
	warn_of_rotation("access_log_file", c->settings.access_log_file);
	warn_of_configuration(c->path);
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

void run_as_explain(char error[CONFIG_ERROR_MAX])
{
	size_t len = strlen(error);

	if (who.name != NULL && ends_with(error, strerror(EACCES)))
		snprintf(error + len, CONFIG_ERROR_MAX - len, " (for the user %s)", name);
}

int run_as_end(char error[CONFIG_ERROR_MAX])
{
	if (who.name == NULL || identity_become(&who) == 0)
		return 0;
	return refuse_user(error, name, strerror(errno));
}
