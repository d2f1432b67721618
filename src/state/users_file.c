/*
 * The file belongs to people: they write comments into it, and fields that this version does not
 * know yet. So a line is taken apart only as far as it has to be. Reading refuses what it does not
 * understand instead of passing over it, since a limit that is ignored is worse than none; writing
 * copies lines byte for byte, and of the line that changes everything behind the role. What cannot
 * be read to its end is never taken for shorter than it is (base/lines).
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

#include "base/lines.h"

#define BLANKS " \t"
#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define KEY_SHOWN 64 /* bytes of an unknown one */
#define PROBLEM_MAX 256

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

/* The bytes of a line in front of blanks at its end, which editors leave. */
static size_t length_without_blanks(const char *line, size_t len)
{
	while (len > 0 && (strchr(BLANKS, line[len - 1]) != NULL || line[len - 1] == '\r'))
		len--;
	return len;
}

static bool is_line_of(const char *line, const char *name, size_t name_len)
{
	return is_entry(line) && strncmp(line, name, name_len) == 0 && line[name_len] == ':';
}

/* What stands behind the role: the colon of the fourth field and all that follows, or blanks. */
static const char *tail_of(const char *line, size_t len)
{
	size_t end = length_without_blanks(line, len);
	int colons = 0;

	for (size_t i = 0; i < end; i++) {
		colons += line[i] == ':';
		if (colons == 3)
			return line + i;
	}
	return line + end;
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

static bool parse_role_field(const char *word, enum user_role *role)
{
	*role = USER_ROLE_USER;
	return word == NULL || *word == '\0' || user_role_parse(word, role);
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
	if (!parse_role_field(strsep(&rest, ":"), &out->role))
		return "the third field, the role, is neither user nor admin";
	out->attributes = rest == NULL ? "" : rest + strspn(rest, BLANKS);
	return judge_attributes(out->attributes, problem);
}

/* Where the users go that are read. */
struct destination {
	users_taker *take;
	void *taker;
};

static const char *take_entry_line(
	const struct destination *to, const struct line *line, char problem[PROBLEM_MAX])
{
	struct user_record record;
	const char *why;

	if (!is_entry(line->text))
		return NULL;
	line->text[length_without_blanks(line->text, line->len)] = '\0';
	why = parse_entry(line->text, &record, problem);
	return why != NULL ? why : to->take(to->taker, &record);
}

static int read_entries(
	struct lines *lines, const struct destination *to, const char *path, char *error)
{
	char problem[PROBLEM_MAX];
	enum lines_result result;
	struct line line;

	while ((result = lines_next(lines, &line, error)) == LINES_LINE) {
		const char *why = take_entry_line(to, &line, problem);

		if (why == NULL)
			continue;
		snprintf(error, USERS_ERROR_MAX, "%.700s:%d: %s", path, line.number, why);
		return -1;
	}
	return result == LINES_END ? 0 : -1;
}

static int load_file(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	const char *path = context;
	struct lines *lines = lines_open(path, false, error);
	int result;

	if (lines == NULL)
		return -1;
	result = read_entries(lines, &(struct destination){take, taker}, path, error);
	lines_close(lines);
	return result;
}

/* ---- writing ---- */

/* The line of one user, to be changed or taken out. */
struct edit {
	const char *name;
	size_t name_len;
	const struct user_record *user; /* NULL: is taken out */
};

static void put_new_line(FILE *out, const struct user_record *user, const char *end)
{
	fprintf(out, "%s:%s:%s%s%s%s", user->name, user->hash, user_role_word(user->role),
		*user->attributes == '\0' ? "" : ":", user->attributes, end);
}

/* Writes the line as it was, or of the user's own what stands behind the role. */
static void put_line(FILE *out, const struct edit *edit, const struct line *line)
{
	const struct user_record *user = edit->user;
	bool is_his = is_line_of(line->text, edit->name, edit->name_len);

	if (is_his && user == NULL)
		return;
	if (is_his)
		fprintf(out, "%s:%s:%s%s", user->name, user->hash, user_role_word(user->role),
			tail_of(line->text, line->len));
	else
		fwrite(line->text, 1, line->len, out);
	fputs(line->end, out);
	if (*line->end == '\0')
		fputc('\n', out);
}

/* All of the old file, of which there may be none. The ends of lines are those of the file, those
 * of a new one too. -1 with the reason in `error`, which is left alone when `out` is to blame. */
static int copy_with_edit(struct lines *old, FILE *out, const struct edit *edit, char *error)
{
	enum lines_result result = LINES_END;
	const char *end = "\n";
	bool is_there = false;
	struct line line;

	while (old != NULL && (result = lines_next(old, &line, error)) == LINES_LINE) {
		if (line.number == 1 && lines_had_mark(old))
			fputs("\xef\xbb\xbf", out);
		is_there |= is_line_of(line.text, edit->name, edit->name_len);
		put_line(out, edit, &line);
		if (*line.end != '\0')
			end = line.end;
	}
	if (!is_there && edit->user != NULL)
		put_new_line(out, edit->user, end);
	return result == LINES_END ? 0 : -1;
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
static int fill_temporary(
	int fd, struct lines *old, const struct edit *edit, const char *path, char *error)
{
	FILE *out = fdopen(fd, "w");
	struct stat st;
	int result;

	if (out == NULL) {
		fail_with_errno(error, path, "cannot be written");
		close(fd);
		return -1;
	}
	/* The owner stays who it was; only root can see to that, and only root needs to. */
	if (old != NULL && fstat(lines_fd(old), &st) == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		errno = 0;
	result = copy_with_edit(old, out, edit, error);
	if (result == 0 && (fflush(out) != 0 || ferror(out) || fsync(fd) < 0))
		result = fail_with_errno(error, path, "cannot be written");
	if (fclose(out) != 0 && result == 0)
		result = fail_with_errno(error, path, "cannot be written");
	return result;
}

static int replace_file(const char *path, struct lines *old, const struct edit *edit, char *error)
{
	char temporary[PATH_MAX + 8];
	int fd, result;

	/* One name, so that what a crash leaves behind does not pile up; new, so that nobody has
	 * put anything there for us to write to. */
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_with_errno(error, path, "cannot make a new file beside it");
	result = fill_temporary(fd, old, edit, path, error);
	if (result == 0 && rename(temporary, path) < 0)
		result = fail_with_errno(error, path, "cannot be written");
	if (result < 0)
		unlink(temporary);
	else
		sync_directory_of(path);
	return result;
}

static int edit_file(const char *path, const struct edit *edit, char *error)
{
	char real[PATH_MAX];
	struct lines *old;
	struct stat st;
	int result;

	if (realpath(path, real) == NULL) {
		/* A missing file is made, but not in the place of a link to nowhere. */
		if (errno != ENOENT || strlen(path) >= sizeof(real) || lstat(path, &st) == 0)
			return fail_with_errno(error, path, "cannot be reached");
		strcpy(real, path);
	}
	old = lines_open(real, false, error);
	if (old == NULL && errno != ENOENT)
		return -1;
	result = replace_file(real, old, edit, error);
	lines_close(old);
	return result;
}

/* Has the file a line of this name, whatever else is in it? -1 with the reason when that cannot be
 * told. */
static int has_line(const char *path, const char *name, size_t name_len, char *error)
{
	struct lines *lines = lines_open(path, false, error);
	enum lines_result result;
	struct line line;
	bool has = false;

	if (lines == NULL)
		return errno == ENOENT ? 0 : -1;
	while (!has && (result = lines_next(lines, &line, error)) == LINES_LINE)
		has = is_line_of(line.text, name, name_len);
	lines_close(lines);
	if (has)
		return 1;
	return result == LINES_END ? 0 : -1;
}

static int save_in_file(
	void *context, const struct user_record *user, bool is_new, char error[USERS_ERROR_MAX])
{
	struct edit edit = {.name = user->name, .name_len = user->name_len, .user = user};
	int has = is_new ? has_line(context, user->name, user->name_len, error) : 0;

	if (has > 0)
		snprintf(error, USERS_ERROR_MAX,
			"%s stands in the users file already: RELOAD reads it", user->name);
	return has == 0 ? edit_file(context, &edit, error) : -1;
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
