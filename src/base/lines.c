/*
 * getline(3) says the same for the end of a file and for an error, and cuts nothing short of
 * memory; what is built on it takes a failure for an end sooner or later. Here all memory is had at
 * the beginning, so that only read(2) can fail in the middle, and that is an answer of its own.
 *
 * The buffer holds one line of the greatest length with its end, and what was read behind it.
 */
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (LINES_MAX + 2) /* and CR LF */

struct lines {
	const char *path;
	int fd;
	int number; /* of the line that was given last */
	bool had_mark;
	bool ended; /* read(2) has nothing more */
	char problem[LINES_ERROR_MAX]; /* why it cannot be read on; "": it can */
	size_t head, tail; /* what is in the buffer and was not given yet */
	char buffer[BUFFER_SIZE + 1]; /* and a NUL behind the last line */
};

/* ---- opening ---- */

static int open_file(const char *path, bool may_be_pipe)
{
	/* A FIFO that nobody writes to would be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (may_be_pipe ? 0 : O_NONBLOCK));
	struct stat st;

	if (fd < 0 || may_be_pipe)
		return fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	return -1;
}

struct lines *lines_open(const char *path, bool may_be_pipe, char error[LINES_ERROR_MAX])
{
	struct lines *l = malloc(sizeof(*l));
	int saved;

	if (l != NULL) {
		*l = (struct lines){.path = path, .fd = open_file(path, may_be_pipe)};
		if (l->fd >= 0)
			return l;
	}
	saved = l == NULL ? ENOMEM : errno;
	snprintf(error, LINES_ERROR_MAX, "%.900s: cannot be read: %s", path,
		saved == EINVAL ? "it is not a regular file" : strerror(saved));
	free(l);
	errno = saved;
	return NULL;
}

void lines_close(struct lines *l)
{
	if (l == NULL)
		return;
	close(l->fd);
	free(l);
}

bool lines_had_mark(const struct lines *l)
{
	return l->had_mark;
}

int lines_fd(const struct lines *l)
{
	return l->fd;
}

/* ---- reading ---- */

static enum lines_result fail_reading(struct lines *l, const char *why)
{
	snprintf(l->problem, sizeof(l->problem), "%.880s: %s", l->path, why);
	return LINES_FAILED;
}

/* Of the line behind the one that was given last. */
static enum lines_result fail_line(struct lines *l, const char *why)
{
	snprintf(l->problem, sizeof(l->problem), "%.880s:%d: %s", l->path, l->number + 1, why);
	return LINES_FAILED;
}

/* Reads once more behind what there is; false when the system has not got it. */
static bool read_more(struct lines *l)
{
	ssize_t n;

	memmove(l->buffer, l->buffer + l->head, l->tail - l->head);
	l->tail -= l->head;
	l->head = 0;
	do
		n = read(l->fd, l->buffer + l->tail, BUFFER_SIZE - l->tail);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		char why[128];

		snprintf(why, sizeof(why), "cannot be read: %s", strerror(errno));
		fail_reading(l, why);
		return false;
	}
	l->ended = n == 0;
	l->tail += (size_t)n;
	return true;
}

enum lines_mark lines_mark_of(const char *text, size_t len)
{
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return LINES_FOREIGN_MARK;
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? LINES_MARK : LINES_NO_MARK;
}

/* Passes over the byte order mark; false for those of UTF-16, whose every other byte is NUL. */
static bool take_mark(struct lines *l)
{
	enum lines_mark mark = lines_mark_of(l->buffer + l->head, l->tail - l->head);

	if (mark == LINES_FOREIGN_MARK) {
		fail_reading(l, "not a text file: UTF-16 (save it as UTF-8)");
		return false;
	}
	l->had_mark = mark == LINES_MARK;
	if (l->had_mark)
		l->head += 3;
	return true;
}

/* Has the buffer hold a whole line, or the whole rest; false on failure. `*end` receives its LF,
 * NULL for a rest without one. */
static bool have_line(struct lines *l, char **end)
{
	size_t looked_at = 0;

	for (;;) {
		size_t n = l->tail - l->head;

		*end = memchr(l->buffer + l->head + looked_at, '\n', n - looked_at);
		if (*end != NULL || l->ended)
			return true;
		if (n == BUFFER_SIZE)
			return true; /* take_line() says that it is too long */
		looked_at = n;
		if (!read_more(l))
			return false;
	}
}

static enum lines_result take_line(struct lines *l, char *lf, struct line *out)
{
	char *text = l->buffer + l->head, *end = lf == NULL ? l->buffer + l->tail : lf;
	const char *how = lf == NULL ? "" : "\n";
	char why[64];

	if (lf != NULL && end > text && end[-1] == '\r') {
		end--;
		how = "\r\n";
	}
	if (end - text > LINES_MAX) {
		snprintf(why, sizeof(why), "the line is longer than %d bytes", LINES_MAX);
		return fail_line(l, why);
	}
	if (memchr(text, '\0', (size_t)(end - text)) != NULL) {
		snprintf(why, sizeof(why), "not a text file: NUL byte in line %d", l->number + 1);
		return fail_reading(l, why);
	}
	*end = '\0';
	*out = (struct line){
		.text = text, .len = (size_t)(end - text), .end = how, .number = ++l->number};
	l->head = lf == NULL ? l->tail : (size_t)(lf + 1 - l->buffer);
	return LINES_LINE;
}

/* Enough to tell a mark from what is none, unless the file is shorter. */
static bool read_beginning(struct lines *l)
{
	while (!l->ended && l->tail < 3) {
		if (!read_more(l))
			return false;
	}
	return take_mark(l);
}

static enum lines_result next_line_of(struct lines *l, struct line *out)
{
	char *lf;

	if (l->problem[0] != '\0')
		return LINES_FAILED;
	if (l->number == 0 && l->tail == 0 && !l->ended && !read_beginning(l))
		return LINES_FAILED;
	if (!have_line(l, &lf))
		return LINES_FAILED;
	if (lf == NULL && l->head == l->tail)
		return LINES_END;
	return take_line(l, lf, out);
}

enum lines_result lines_next(struct lines *l, struct line *out, char error[LINES_ERROR_MAX])
{
	enum lines_result result = next_line_of(l, out);

	if (result == LINES_FAILED)
		snprintf(error, LINES_ERROR_MAX, "%s", l->problem);
	return result;
}
