/*
 * The stamp is taken before the file is read, so that a change in between is one that is still to
 * be seen. A failure is tried again even though the file stays the same: what lacked may have been
 * a descriptor, or memory.
 */
#include "net/followed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void followed_init(struct followed *f, const char *path, followed_say *say)
{
	f->path = path;
	f->say = say;
}

static bool is_due(struct followed *f)
{
	struct stamp now = stamp_of(f->path);
	bool due = !f->was_read || !stamp_equal(&now, &f->stamp) ||
		(f->has_failed && clock_ms() >= f->again);

	f->stamp = now;
	return due;
}

bool followed_claim(struct followed *f, bool anyway)
{
	if (atomic_exchange(&f->is_claimed, true))
		return false;
	if (is_due(f) || anyway)
		return true;
	atomic_store(&f->is_claimed, false);
	return false;
}

int followed_no_memory(const struct followed *f, char why[LINES_ERROR_MAX])
{
	snprintf(why, LINES_ERROR_MAX, "%.900s: cannot be read: %s", f->path, strerror(ENOMEM));
	return -1;
}

int followed_read(
	const struct followed *f, followed_take_line *take, void *arg, char why[LINES_ERROR_MAX])
{
	struct lines *file = lines_open(f->path, false, why);
	enum lines_result result = LINES_LINE;
	struct line line;
	int status = 0;

	if (file == NULL)
		return errno == ENOENT ? 0 : -1;
	while (status == 0 && (result = lines_next(file, &line, why)) == LINES_LINE) {
		if (take(arg, line.text) < 0)
			status = followed_no_memory(f, why);
	}
	lines_close(file);
	return result == LINES_FAILED ? -1 : status;
}

void followed_release(struct followed *f, const char *why)
{
	if (why != NULL && !f->has_failed && f->say != NULL)
		f->say(why);
	f->was_read = true;
	f->has_failed = why != NULL;
	f->again = clock_deadline(FOLLOWED_AGAIN_MS);
	atomic_store(&f->is_claimed, false);
}
