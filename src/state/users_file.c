#include "state/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/password.h"

static const char *const role_words[] = {[USER_ROLE_USER] = "user", [USER_ROLE_ADMIN] = "admin"};

static int fail(char *error, const char *path, const char *what)
{
	snprintf(error, USERS_ERROR_MAX, "%.900s: %s: %s", path, what, strerror(errno));
	return -1;
}

/* ---- reading ---- */

static bool is_entry(const char *line)
{
	return line[0] != '\0' && line[0] != '#';
}

static bool parse_role(const char *word, enum user_role *role)
{
	*role = USER_ROLE_USER;
	if (word == NULL || *word == '\0')
		return true;
	for (size_t i = 0; i < sizeof(role_words) / sizeof(role_words[0]); i++) {
		if (strcmp(word, role_words[i]) == 0) {
			*role = (enum user_role)i;
			return true;
		}
	}
	return false;
}

/* Cuts the line up in place. NULL, or why it is no entry. */
static const char *parse_entry(char *line, struct users_file_entry *entry)
{
	char *rest = line;
	const char *problem;

	entry->name = strsep(&rest, ":");
	entry->name_len = strlen(entry->name);
	entry->hash = strsep(&rest, ":");
	if (entry->hash == NULL)
		return "expected NAME:HASH or NAME:HASH:ROLE";
	problem = users_name_problem(entry->name, entry->name_len);
	if (problem != NULL)
		return problem;
	if (!password_hash_is_legal(entry->hash))
		return "the second field is no password hash (mkpasswd makes one)";
	if (!parse_role(strsep(&rest, ":"), &entry->role))
		return "the third field, the role, is neither user nor admin";
	return NULL;
}

static void trim_end(char *line, ssize_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
}

int users_file_read(const char *path,
	const char *(*take)(void *context, const struct users_file_entry *entry), void *context,
	char error[USERS_ERROR_MAX])
{
	FILE *file = fopen(path, "re");
	const char *problem = NULL;
	struct users_file_entry entry;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int number = 0;

	if (file == NULL)
		return fail(error, path, "cannot be read");
	while (problem == NULL && (len = getline(&line, &size, file)) >= 0) {
		number++;
		trim_end(line, len);
		if (!is_entry(line))
			continue;
		problem = parse_entry(line, &entry);
		if (problem == NULL)
			problem = take(context, &entry);
	}
	if (problem != NULL)
		snprintf(error, USERS_ERROR_MAX, "%s:%d: %s", path, number, problem);
	else if (ferror(file)) {
		fail(error, path, "cannot be read");
		problem = error;
	}
	free(line);
	fclose(file);
	return problem == NULL ? 0 : -1;
}

/* ---- writing ---- */

static void put_entry(FILE *out, const struct users_file_entry *entry)
{
	if (entry->hash == NULL)
		return;
	fprintf(out, "%.*s:%s:%s\n", (int)entry->name_len, entry->name, entry->hash,
		role_words[entry->role]);
}

/* The index of the entry whose line this is; `count` when it is none of them. */
static size_t entry_of_line(const char *line, const struct users_file_entry *entries, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strncmp(line, entries[i].name, entries[i].name_len) == 0 &&
			line[entries[i].name_len] == ':')
			break;
	}
	return i;
}

bool users_file_has(const char *path, const char *name)
{
	struct users_file_entry entry = {.name = name, .name_len = strlen(name)};
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool has = false;

	while (file != NULL && !has && getline(&line, &size, file) >= 0)
		has = is_entry(line) && entry_of_line(line, &entry, 1) == 0;
	free(line);
	if (file != NULL)
		fclose(file);
	return has;
}

/* `old` may be NULL. */
static int copy_with_changes(
	FILE *old, FILE *out, const struct users_file_entry *entries, size_t count)
{
	bool *written = calloc(count + 1, sizeof(*written));
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (written == NULL)
		return -1;
	while (old != NULL && (len = getline(&line, &size, old)) >= 0) {
		size_t i = is_entry(line) ? entry_of_line(line, entries, count) : count;

		if (i < count) {
			put_entry(out, &entries[i]);
			written[i] = true;
		} else {
			fwrite(line, 1, (size_t)len, out);
			if (line[len - 1] != '\n')
				fputc('\n', out);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!written[i])
			put_entry(out, &entries[i]);
	}
	free(line);
	free(written);
	return ferror(out) || (old != NULL && ferror(old)) ? -1 : 0;
}

/* What makes a rename(2) survive a loss of power. Where that cannot be asked for (a folder that may
 * not be read, a file system without it) the new file is in its place all the same, so this is no
 * reason to say that it is not. */
static void sync_directory_of(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Writes the new content to the open temporary file and brings it to the disk. */
static int fill(int fd, FILE *old, const struct users_file_entry *entries, size_t count)
{
	FILE *out = fdopen(fd, "w");
	struct stat st;
	int result;

	if (out == NULL) {
		close(fd);
		return -1;
	}
	/* The owner stays who it was; only root can see to that, and only root needs to. */
	if (old != NULL && fstat(fileno(old), &st) == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		errno = 0;
	result = copy_with_changes(old, out, entries, count);
	if (result == 0 && (fflush(out) != 0 || fsync(fd) < 0))
		result = -1;
	if (fclose(out) != 0)
		result = -1;
	return result;
}

static int replace(const char *path, FILE *old, const struct users_file_entry *entries,
	size_t count, char *error)
{
	char temporary[PATH_MAX + 8];
	int fd;

	/* One name, so that what a crash leaves behind does not pile up; new, so that nobody has
	 * put anything there for us to write to. */
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(error, path, "cannot make a new file beside it");
	if (fill(fd, old, entries, count) < 0 || rename(temporary, path) < 0) {
		fail(error, path, "cannot be written");
		unlink(temporary);
		return -1;
	}
	sync_directory_of(path);
	return 0;
}

int users_file_write(const char *path, const struct users_file_entry *entries, size_t count,
	char error[USERS_ERROR_MAX])
{
	char real[PATH_MAX];
	struct stat st;
	FILE *old;
	int result;

	if (realpath(path, real) == NULL) {
		/* A missing file is made, but not in the place of a link to nowhere. */
		if (errno != ENOENT || strlen(path) >= sizeof(real) || lstat(path, &st) == 0)
			return fail(error, path, "cannot be reached");
		strcpy(real, path);
	}
	old = fopen(real, "re");
	if (old == NULL && errno != ENOENT)
		return fail(error, path, "cannot be read");
	result = replace(real, old, entries, count, error);
	if (old != NULL)
		fclose(old);
	return result;
}
