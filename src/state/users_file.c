/*
 * The file belongs to people: they write comments into it, and blanks where they like them. So a
 * line is taken apart only as far as it has to be. Reading refuses what it does not understand
 * instead of passing over it, since a limit that is ignored is worse than none; writing copies
 * lines byte for byte, and of the line that changes everything behind the role. What cannot be read
 * to its end is never taken for shorter than it is (base/lines).
 *
 * It is written to as it was when it was read or written last, and as nothing else: what an editor,
 * or another server, has made of it since is not known here, and would be half taken over or lost.
 * So its stamp is looked at before anything is put in its place, under a lock that keeps other
 * servers out meanwhile. Editors know nothing of the lock; what is left to them is the moment
 * between the last look and rename(2).
 *
 * The third field may be missing, and so may the fourth, which goes to the end of the line: it may
 * have colons in it. It has attributes, KEY=VALUE with blanks between them.
 */
#include "state/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/stamp.h"
#include "state/limits.h"

#define BLANKS " \t"
#define PROBLEM_MAX LIMITS_ERROR_MAX
#define LOCK_TRIES 100 /* for another server to be done: one second */
#define LOCK_PAUSE_NS 10000000L
#define ACL "system.posix_acl_access" /* what acl(5) adds to the nine bits */
#define ACL_MAX 4096

struct users_file {
	struct stamp known; /* when it was read, or written, as it is in effect */
	struct stamp loaded; /* when it was read last, which may be to come into effect */
	char path[];
};

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

static bool parse_role_field(const char *word, enum user_role *role)
{
	*role = USER_ROLE_USER;
	return word == NULL || *word == '\0' || user_role_parse(word, role);
}

/* Cuts the line up in place. NULL, or why it is no entry, perhaps in `problem`. */
static const char *parse_entry(char *line, struct user_record *out, char problem[PROBLEM_MAX])
{
	char *rest = line;
	struct limits limits;
	const char *why;

	out->name = strsep(&rest, ":");
	out->name_len = strlen(out->name);
	out->hash = strsep(&rest, ":");
	if (out->hash == NULL)
		return "expected NAME:HASH, NAME:HASH:ROLE or NAME:HASH:ROLE:LIMITS";
	why = users_name_problem(out->name, out->name_len);
	if (why != NULL)
		return why;
	if (strcmp(out->hash, USERS_OF_HELPER) != 0 && !password_hash_is_legal(out->hash))
		return "the second field is no password hash (mkpasswd makes one) and not the word " USERS_OF_HELPER;
	if (!parse_role_field(strsep(&rest, ":"), &out->role))
		return "the third field, the role, is neither user nor admin";
	why = users_helper_problem(out->name, out->name_len, out->hash, out->role);
	if (why != NULL)
		return why;
	out->attributes = rest == NULL ? "" : rest + strspn(rest, BLANKS);
	return limits_parse(out->attributes, LIMITS_OF_USER, &limits, problem) ? NULL : problem;
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
		snprintf(error, USERS_ERROR_MAX, "%.480s:%d: %.500s", path, line.number, why);
		return -1;
	}
	return result == LINES_END ? 0 : -1;
}

/* Is there nothing of that name, not even a link to nowhere, in a folder that is there? */
static bool is_to_be_made(const char *path)
{
	char copy[PATH_MAX];
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT && stat(folder_of(path, copy), &st) == 0;
}

static int load_file(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX])
{
	struct users_file *file = context;
	struct lines *lines = lines_open(file->path, false, error);
	int result;

	if (lines == NULL && (errno != ENOENT || !is_to_be_made(file->path)))
		return -1;
	if (lines == NULL) {
		file->loaded = (struct stamp){0};
		return 0;
	}
	/* Before the first line: who changes it behind that has changed it. */
	file->loaded = stamp_of_open(lines_fd(lines));
	result = read_entries(lines, &(struct destination){take, taker}, file->path, error);
	lines_close(lines);
	return result;
}

static void settle_file(void *context)
{
	struct users_file *file = context;

	file->known = file->loaded;
}

static bool is_file_outdated(void *context)
{
	const struct users_file *file = context;
	struct stamp now = stamp_of(file->path);

	return !stamp_equal(&now, &file->known);
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
	if (is_his && user->sets_attributes)
		put_new_line(out, user, "");
	else if (is_his)
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
	int fd = open(folder_of(path, copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Writing the file anew. */
struct rewrite {
	struct users_file *file;
	const struct edit *edit;
	const char *path; /* behind all symbolic links */
	struct lines *old; /* NULL: there is none */
	char *error;
};

static int fail_to_write(const struct rewrite *r)
{
	return fail_with_errno(r->error, r->path, "cannot be written");
}

/* Is what we look at the version that is in effect? */
static int check_version(const struct rewrite *r, struct stamp stamp)
{
	if (stamp_equal(&stamp, &r->file->known))
		return 0;
	snprintf(r->error, USERS_ERROR_MAX, "%.900s was changed: RELOAD first", r->file->path);
	return -1;
}

static void note_dropped_rights(const struct rewrite *r)
{
	struct log_line line;
	struct stat old;
	char mode[8];

	if (r->old == NULL || fstat(lines_fd(r->old), &old) < 0 || (old.st_mode & S_IRWXO) == 0)
		return;
	snprintf(mode, sizeof(mode), "%04o", old.st_mode & 07777U);
	log_begin(&line, LOG_WARN, "rights of others to the users file were dropped");
	log_text(&line, "file", r->file->path);
	log_text(&line, "old_mode", mode);
	log_end(&line);
}

/* The group's bits bound an access list; without the list they would be the group's own. */
static bool keep_access_list(int from, int to)
{
	char list[ACL_MAX];
	ssize_t len = fgetxattr(from, ACL, list, sizeof(list));

	if (len < 0)
		return errno == ENODATA || errno == EOPNOTSUPP;
	return fsetxattr(to, ACL, list, (size_t)len, 0) == 0;
}

/* Who owns the file, and what owner and group may, stays; nobody else has any business with hashes.
 * Only root can give a file away: where it becomes ours we may read and write it, and a group that
 * it does not keep gets no rights. */
static int keep_rights(const struct rewrite *r, int fd)
{
	struct stat old;
	mode_t mode;

	if (r->old == NULL)
		return 0;
	if (fstat(lines_fd(r->old), &old) < 0)
		return fail_to_write(r);
	mode = old.st_mode & (S_IRWXU | S_IRWXG);
	if (fchown(fd, old.st_uid, old.st_gid) < 0) {
		mode |= S_IRUSR | S_IWUSR;
		if (fchown(fd, (uid_t)-1, old.st_gid) < 0)
			mode &= S_IRWXU;
	}
	if (!keep_access_list(lines_fd(r->old), fd))
		mode &= S_IRWXU;
	return fchmod(fd, mode) < 0 ? fail_to_write(r) : 0;
}

/* And brings it to the disk. */
static int fill_temporary(const struct rewrite *r, FILE *out)
{
	if (keep_rights(r, fileno(out)) < 0 || copy_with_edit(r->old, out, r->edit, r->error) < 0)
		return -1;
	if (fflush(out) != 0 || ferror(out) || fsync(fileno(out)) < 0)
		return fail_to_write(r);
	return 0;
}

/* Its stamp is taken while it is open, since its name may be another's by now. */
static int put_in_place(const struct rewrite *r, FILE *out, const char *temporary)
{
	if (check_version(r, stamp_of(r->path)) < 0)
		return -1;
	if (rename(temporary, r->path) < 0)
		return fail_to_write(r);
	r->file->known = stamp_of_open(fileno(out));
	sync_directory_of(r->path);
	note_dropped_rights(r);
	return 0;
}

static FILE *open_temporary(const struct rewrite *r, const char *temporary)
{
	FILE *out = NULL;
	int fd;

	/* One name, so that what a crash leaves behind does not pile up; new, so that nobody has
	 * put anything there for us to write to. */
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out != NULL)
		return out;
	fail_with_errno(r->error, r->path, "cannot make a new file beside it");
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int replace_file(const struct rewrite *r)
{
	char temporary[PATH_MAX + 8];
	FILE *out;
	int result;

	snprintf(temporary, sizeof(temporary), "%s.new", r->path);
	out = open_temporary(r, temporary);
	if (out == NULL)
		return -1;
	result = fill_temporary(r, out);
	if (result == 0)
		result = put_in_place(r, out, temporary);
	if (result < 0)
		unlink(temporary);
	fclose(out); /* all that could fail has been done */
	return result;
}

/* With the lock. */
static int rewrite_file(struct rewrite *r)
{
	struct stamp found = {0};
	int result;

	r->old = lines_open(r->path, false, r->error);
	if (r->old == NULL && errno != ENOENT)
		return -1;
	if (r->old != NULL)
		found = stamp_of_open(lines_fd(r->old));
	result = check_version(r, found);
	if (result == 0)
		result = replace_file(r);
	lines_close(r->old);
	return result;
}

/* ---- the lock: a file beside it, which is there only as long as it is held ---- */

/* Was it not removed, by whoever held it, between our opening and our locking it? */
static bool is_there_still(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
		opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* The descriptor that holds it; -1 with errno, EWOULDBLOCK when somebody else does. */
static int try_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int saved = EWOULDBLOCK;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		saved = errno;
	else if (is_there_still(fd, path))
		return fd;
	close(fd);
	errno = saved;
	return -1;
}

static int take_lock(const char *lock, const char *path, char *error)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int left = LOCK_TRIES; left > 0; left--) {
		int fd = try_lock(lock);

		if (fd >= 0)
			return fd;
		if (errno != EWOULDBLOCK)
			return fail_with_errno(error, path, "cannot be locked by a file beside it");
		nanosleep(&pause, NULL);
	}
	snprintf(error, USERS_ERROR_MAX, "%.900s is being written by another server", path);
	return -1;
}

static int edit_locked(struct rewrite *r)
{
	char lock[PATH_MAX + 8];
	int fd, result;

	snprintf(lock, sizeof(lock), "%s.lock", r->path);
	fd = take_lock(lock, r->path, r->error);
	if (fd < 0)
		return -1;
	result = rewrite_file(r);
	unlink(lock);
	close(fd);
	return result;
}

/* ---- where it really is ---- */

/* Behind all symbolic links; a file that is to be made is where it is said to be. -1 with the
 * reason in `error`. */
static int find_real_path(const char *path, char real[PATH_MAX], char *error)
{
	if (realpath(path, real) != NULL)
		return 0;
	if (errno != ENOENT || strlen(path) >= PATH_MAX || !is_to_be_made(path))
		return fail_with_errno(error, path, "cannot be reached");
	strcpy(real, path);
	return 0;
}

static int edit_file(struct users_file *file, const struct edit *edit, char *error)
{
	char real[PATH_MAX];
	struct rewrite r = {.file = file, .edit = edit, .path = real, .error = error};

	return find_real_path(file->path, real, error) < 0 ? -1 : edit_locked(&r);
}

int users_file_can_be_written(const char *path, char error[USERS_ERROR_MAX])
{
	char real[PATH_MAX];

	if (find_real_path(path, real, error) < 0)
		return -1;
	if (folder_takes_file(real))
		return 0;
	return fail_with_errno(error, path, "cannot be written in its folder");
}

/* ---- the backend ---- */

static int save_in_file(void *context, const struct user_record *user, char error[USERS_ERROR_MAX])
{
	struct edit edit = {.name = user->name, .name_len = user->name_len, .user = user};

	return edit_file(context, &edit, error);
}

static int remove_from_file(
	void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX])
{
	return edit_file(context, &(struct edit){.name = name, .name_len = name_len}, error);
}

struct users_backend users_file_backend(const char *path)
{
	size_t size = strlen(path) + 1;
	struct users_file *file = calloc(1, sizeof(*file) + size);

	if (file != NULL)
		memcpy(file->path, path, size);
	return (struct users_backend){.context = file,
		.load = load_file,
		.settle = settle_file,
		.is_outdated = is_file_outdated,
		.save = save_in_file,
		.remove = remove_from_file,
		.free = free};
}
