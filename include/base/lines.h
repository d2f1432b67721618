/* lines: a text file a line at a time, as people and their editors write them. One thread's; no
 * lock. */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 65536 /* bytes of a line, without its end */
#define LINES_ERROR_MAX 1024

struct lines;

/* Opens the file at `path`, which must be a regular one unless `may_be_pipe` (what has no end
 * of itself is read until its writer leaves). The text must live as long. NULL with "PATH: why" in
 * `error`, and errno, ENOENT for a file that is missing. */
struct lines *lines_open(const char *path, bool may_be_pipe, char error[LINES_ERROR_MAX])
	__attribute__((warn_unused_result));

/* NULL is allowed. */
void lines_close(struct lines *l);

struct line {
	char *text; /* NUL-terminated, without its end; may be changed, and is valid until the next
		       call */
	size_t len; /* it holds no NUL */
	const char *end; /* how it ended: "\n", "\r\n", or "" for the last line of a file that lacks
			    it */
	int number; /* the first is 1 */
};

enum lines_result {
	LINES_LINE, /* one more */
	LINES_END, /* there are no more */
	LINES_FAILED, /* the file cannot be read on, or is no text: never the same as its end */
};

/* The next line. For LINES_FAILED, which stays so, "PATH: why" or "PATH:LINE: why" is in `error`:
 * the system's reason, a line that is too long, a NUL byte, UTF-16. */
enum lines_result lines_next(struct lines *l, struct line *out, char error[LINES_ERROR_MAX])
	__attribute__((warn_unused_result));

/* What a text may begin with that is none of it. */
enum lines_mark {
	LINES_NO_MARK,
	LINES_MARK, /* of UTF-8: EF BB BF */
	LINES_FOREIGN_MARK, /* of UTF-16, which is refused */
};
enum lines_mark lines_mark_of(const char *text, size_t len);

/* Did the file begin with the mark of UTF-8? It belongs to no line. Known from the first
 * lines_next() on. */
bool lines_had_mark(const struct lines *l);

/* The descriptor, for fstat(2) and the like. */
int lines_fd(const struct lines *l);

#endif
