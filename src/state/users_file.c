/*
 * The file belongs to people: they write comments into it, and fields that this version does not
 * know yet. So a line is taken apart only as far as it has to be. Reading refuses what it does not
 * understand instead of passing over it, since a limit that is ignored is worse than none; writing
 * copies lines byte for byte, and of the line that changes everything behind the role.
 *
 * The third field may be missing, and so may the fourth, which goes to the end of the line: it may
 * have colons in it. It has attributes, KEY=VALUE with blanks between them.
 */
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

#define BLANKS " \t"
#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define KEY_SHOWN 64 /* bytes of an unknown one */
#define PROBLEM_MAX 256

static const char *const role_words[] = {[USER_ROLE_USER] = "user", [USER_ROLE_ADMIN] = "admin"};

/* None of them has an effect yet. */
static const char *const attribute_keys[] = {"groups", "sessions", "sessions_client", "rate",
	"quota", "over", "expires", "from", "disabled", "guest"};

static int fail_with_errno(char *error, const char *path, const char *what)
{
	snprintf(error, USERS_ERROR_MAX, "%.900s: %s: %s", path, what, strerror(errno));
	return -1;
}

/* ---- lines ---- */

static bool is_entry(const char *line)
{
	return line[0] != '\0' && line[0] != '#';
}

/* The bytes of a line in front of what ends it. */
static size_t length_without_end(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len;
}

static bool is_line_of(const char *line, const char *name, size_t name_len)
{
	return is_entry(line) && strncmp(line, name, name_len) == 0 && line[name_len] == ':';
}

/* Where what stands behind the role begins: the colon of the fourth field, or what ends the line.
 */
static size_t tail_of(const char *line, size_t len)
{
	size_t end = length_without_end(line, len);
	int colons = 0;

	for (size_t i = 0; i < end; i++) {
		colons += line[i] == ':';
		if (colons == 3)
			return i;
	}
	return end;
}

/* ---- reading ---- */

static bool is_known_key(const char *key, size_t len)
{
	for (size_t i = 0; i < sizeof(attribute_keys) / sizeof(attribute_keys[0]); i++) {
		if (strlen(attribute_keys[i]) == len && memcmp(attribute_keys[i], key, len) == 0)
			return true;
	}
	return false;
}

/* What is wrong with one attribute, in `problem`. */
static const char *judge_attribute(const char *item, size_t len, char problem[PROBLEM_MAX])
{
	size_t key_len = strspn(item, KEY_CHARACTERS);

	if (key_len == 0 || key_len + 1 >= len || item[key_len] != '=')
		return "the fourth field is not KEY=VALUE KEY=VALUE ...";
	if (is_known_key(item, key_len))
		snprintf(problem, PROBLEM_MAX, "%.*s: not yet in effect", (int)key_len, item);
	else
		snprintf(problem, PROBLEM_MAX, "%.*s: unknown in the fourth field",
			key_len < KEY_SHOWN ? (int)key_len : KEY_SHOWN, item);
	return problem;
}

/* NULL, or why the attributes cannot be taken: as long as none has an effect, the first decides. */
static const char *judge_attributes(const char *text, char problem[PROBLEM_MAX])
{
	const char *item = text + strspn(text, BLANKS);

	return *item == '\0' ? NULL : judge_attribute(item, strcspn(item, BLANKS), problem);
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

/* Cuts the line up in place. NULL, or why it is no entry, perhaps in `problem`. */
static const char *parse_entry(char *line, struct user_record *out, char problem[PROBLEM_MAX])
{
	char *rest = line;
	const char *why;

	out->name = strsep(&rest, ":");
	out->name_len = strlen(out->name);
	out->hash = strsep(&rest, ":");
	if (out->hash == NULL)
		return "expected NAME:HASH or NAME:HASH:ROLE";
	why = users_name_problem(out->name, out->name_len);
	if (why != NULL)
		return why;
	if (!password_hash_is_legal(out->hash))
		return "the second field is no password hash (mkpasswd makes one)";
	if (!parse_role(strsep(&rest, ":"), &out->role))
		return "the third field, the role, is neither user nor admin";
	out->attributes = rest == NULL ? "" : rest + strspn(rest, BLANKS);
	return judge_attributes(out->attributes, problem);
}

/* Where the users go that are read. */
struct destination {
	users_taker *take;
	void *taker;
};

static const char *read_line(
	const struct destination *to, char *line, size_t len, char problem[PROBLEM_MAX])
{
	struct user_record record;
	const char *why;

	len = length_without_end(line, len);
	line[len] = '\0';
	if (strlen(line) != len)
		return "there is a NUL byte in it";
	if (!is_entry(line))
		return NULL;
	why = parse_entry(line, &record, problem);
	return why != NULL ? why : to->take(to->taker, &record);
}

static int read_lines(FILE *file, const struct destination *to, const char *path, char *error)
{
	const char *why = NULL;
	char *line = NULL, problem[PROBLEM_MAX];
	size_t size = 0;
	ssize_t len;
	int number = 0;

	while (why == NULL && (len = getline(&line, &size, file)) >= 0) {
		number++;
		why = read_line(to, line, (size_t)len, problem);
	}
	free(line);
	if (why != NULL)
		snprintf(error, USERS_ERROR_MAX, "%.700s:%d: %s", path, number, why);
	else if (!feof(file)) /* which getline(3) without memory does not make an error of */
		return fail_with_errno(error, path, "cannot be read");
	return why == NULL ? 0 : -1;
}

static int load_file(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	const char *path = context;
	FILE *file = fopen(path, "re");
	int result;

	if (file == NULL)
		return fail_with_errno(error, path, "cannot be read");
	result = read_lines(file, &(struct destination){take, taker}, path, error);
	fclose(file);
	return result;
}

/* ---- writing ---- */

/* The line of one user, to be changed or taken out. */
struct edit {
	const char *name;
	size_t name_len;
	const struct user_record *user; /* NULL: is taken out */
};

static void put_new_line(FILE *out, const struct user_record *user)
{
	fprintf(out, "%s:%s:%s%s%s\n", user->name, user->hash, role_words[user->role],
		*user->attributes == '\0' ? "" : ":", user->attributes);
}

/* Writes the user's line anew, with the end that it had. */
static void put_changed_line(
	FILE *out, const struct user_record *user, const char *line, size_t len)
{
	size_t tail = tail_of(line, len);

	fprintf(out, "%s:%s:%s", user->name, user->hash, role_words[user->role]);
	fwrite(line + tail, 1, len - tail, out);
}

/* `old` may be NULL. */
static int copy_with_edit(FILE *old, FILE *out, const struct edit *edit)
{
	bool is_there = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (old != NULL && (len = getline(&line, &size, old)) >= 0) {
		bool is_his = is_line_of(line, edit->name, edit->name_len);

		is_there |= is_his;
		if (is_his && edit->user == NULL)
			continue;
		if (is_his)
			put_changed_line(out, edit->user, line, (size_t)len);
		else
			fwrite(line, 1, (size_t)len, out);
		if (line[len - 1] != '\n')
			fputc('\n', out);
	}
	if (!is_there && edit->user != NULL)
		put_new_line(out, edit->user);
	free(line);
	return ferror(out) || (old != NULL && !feof(old)) ? -1 : 0;
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
static int fill_temporary(int fd, FILE *old, const struct edit *edit)
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
	result = copy_with_edit(old, out, edit);
	if (result == 0 && (fflush(out) != 0 || fsync(fd) < 0))
		result = -1;
	if (fclose(out) != 0)
		result = -1;
	return result;
}

static int replace_file(const char *path, FILE *old, const struct edit *edit, char *error)
{
	char temporary[PATH_MAX + 8];
	int fd;

	/* One name, so that what a crash leaves behind does not pile up; new, so that nobody has
	 * put anything there for us to write to. */
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_with_errno(error, path, "cannot make a new file beside it");
	if (fill_temporary(fd, old, edit) < 0 || rename(temporary, path) < 0) {
		fail_with_errno(error, path, "cannot be written");
		unlink(temporary);
		return -1;
	}
	sync_directory_of(path);
	return 0;
}

static int edit_file(const char *path, const struct edit *edit, char *error)
{
	char real[PATH_MAX];
	struct stat st;
	FILE *old;
	int result;

	if (realpath(path, real) == NULL) {
		/* A missing file is made, but not in the place of a link to nowhere. */
		if (errno != ENOENT || strlen(path) >= sizeof(real) || lstat(path, &st) == 0)
			return fail_with_errno(error, path, "cannot be reached");
		strcpy(real, path);
	}
	old = fopen(real, "re");
	if (old == NULL && errno != ENOENT)
		return fail_with_errno(error, path, "cannot be read");
	result = replace_file(real, old, edit, error);
	if (old != NULL)
		fclose(old);
	return result;
}

/* Has the file a line of this name, whatever else is in it? */
static bool has_line(const char *path, const char *name, size_t name_len)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool has = false;

	while (file != NULL && !has && getline(&line, &size, file) >= 0)
		has = is_line_of(line, name, name_len);
	free(line);
	if (file != NULL)
		fclose(file);
	return has;
}

static int save_in_file(
	void *context, const struct user_record *user, bool is_new, char error[USERS_ERROR_MAX])
{
	struct edit edit = {.name = user->name, .name_len = user->name_len, .user = user};

	if (!is_new || !has_line(context, user->name, user->name_len))
		return edit_file(context, &edit, error);
	snprintf(error, USERS_ERROR_MAX, "%s stands in the users file already: RELOAD reads it",
		user->name);
	return -1;
}

static int remove_from_file(
	void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX])
{
	return edit_file(context, &(struct edit){.name = name, .name_len = name_len}, error);
}

struct users_backend users_file_backend(const char *path)
{
	return (struct users_backend){.context = (void *)(uintptr_t)path,
		.load = load_file,
		.save = save_in_file,
		.remove = remove_from_file};
}
