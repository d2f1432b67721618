/*
 * It has to be read, else a helper that says much waits for us while we wait for its answer. A line
 * of ours is worth more than the hundredth of theirs, so of each command only so many are logged a
 * minute, and then how many were not.
 */
#include "helper/sayings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void log_held_back(const char *name, uint64_t count)
{
	struct log_line line;

	log_begin(&line, LOG_WARN, "a helper said more than is logged");
	log_text(&line, "helper", name);
	log_number(&line, "lines", (int64_t)count);
	log_end(&line);
}

static bool may_be_logged(struct sayings_limit *limit, const char *name)
{
	int64_t now = clock_ms();

	if (now >= limit->ends) {
		if (limit->held_back > 0)
			log_held_back(name, limit->held_back);
		*limit = (struct sayings_limit){.ends = now + SAYINGS_PERIOD_MS};
	}
	if (limit->count < SAYINGS_MOST) {
		limit->count++;
		return true;
	}
	limit->held_back++;
	return false;
}

static void log_saying(
	const char *text, size_t len, const char *name, pid_t pid, struct sayings_limit *limit)
{
	struct log_line line;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len == 0 || !may_be_logged(limit, name))
		return;
	log_begin(&line, LOG_WARN, "a helper says");
	log_text(&line, "helper", name);
	log_number(&line, "pid", pid);
	log_bytes(&line, "text", text, len);
	log_end(&line);
}

bool sayings_read(
	struct sayings *s, int fd, const char *name, pid_t pid, struct sayings_limit *limit)
{
	ssize_t n = read(fd, s->text + s->len, sizeof(s->text) - s->len);
	char *from = s->text, *lf;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	s->len += (size_t)n;
	while ((lf = memchr(from, '\n', s->len)) != NULL) {
		log_saying(from, (size_t)(lf - from), name, pid, limit);
		s->len -= (size_t)(lf + 1 - from);
		from = lf + 1;
	}
	memmove(s->text, from, s->len);
	if (s->len == sizeof(s->text))
		sayings_end(s, name, pid, limit);
	return true;
}

void sayings_end(struct sayings *s, const char *name, pid_t pid, struct sayings_limit *limit)
{
	log_saying(s->text, s->len, name, pid, limit);
	s->len = 0;
}
