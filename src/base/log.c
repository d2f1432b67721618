/*
 * The log file's descriptor keeps its number for life: opening another file puts it under the same
 * number with dup3(2), so that writers need no lock and never meet a closed descriptor.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define FIELD_MAX 600 /* escaped bytes of one value */
#define CLOSING 3 /* room kept for what ends a line: a quote, a brace, LF */

static _Atomic(int) threshold = LOG_INFO;
static _Atomic(int) style = LOG_TEXT;
static _Atomic(int) descriptor = STDERR_FILENO;

/* How long the first line waits that the log does not take. */
#define STALL_MS 500
static _Atomic(bool) never_blocks; /* a regular file */
static _Atomic(bool) stalled;
static _Atomic(uint64_t) lost;

static const char *const level_words[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

void log_set_format(enum log_format format)
{
	atomic_store(&style, (int)format);
}

static int open_file(const char *path)
{
	int old = atomic_load(&descriptor);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return -1;
	if (old == STDERR_FILENO) {
		atomic_store(&descriptor, fd);
		return 0;
	}
	if (dup3(fd, old, O_CLOEXEC) < 0) {
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static void note_kind(void)
{
	struct stat st;

	atomic_store(
		&never_blocks, fstat(atomic_load(&descriptor), &st) == 0 && S_ISREG(st.st_mode));
}

int log_open(const char *path)
{
	int fd = atomic_load(&descriptor);

	if (path != NULL && *path != '\0') {
		if (open_file(path) < 0)
			return -1;
	} else if (fd != STDERR_FILENO && dup3(STDERR_FILENO, fd, O_CLOEXEC) < 0) {
		return -1;
	}
	note_kind();
	return 0;
}

void log_close(void)
{
	int fd = atomic_exchange(&descriptor, STDERR_FILENO);

	if (fd != STDERR_FILENO)
		close(fd);
	note_kind();
}

static size_t room(const struct log_line *line)
{
	size_t usable = sizeof(line->text) - CLOSING;

	/* A closing quote may stand in the room that was kept. */
	return line->len < usable ? usable - line->len : 0;
}

/* All of it or nothing. */
static bool put(struct log_line *line, const char *bytes, size_t len)
{
	if (len > room(line))
		return false;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
	return true;
}

/* The bytes that stand for `c` inside quotes: in JSON \u00XX, in text \xXX. */
static size_t escape(unsigned char c, bool json, char out[7])
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 7, "\\%c", c);
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	return (size_t)snprintf(out, 7, json ? "\\u%04x" : "\\x%02x", c);
}

static void put_quoted(struct log_line *line, const unsigned char *value, size_t len)
{
	size_t start = line->len;
	char piece[7];

	put(line, "\"", 1);
	for (size_t i = 0; i < len && line->len - start < FIELD_MAX; i++) {
		if (!put(line, piece, escape(value[i], line->json, piece)))
			break;
	}
	line->text[line->len++] = '"'; /* CLOSING keeps the room */
}

static bool needs_quotes(const unsigned char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] <= ' ' || value[i] >= 0x7f || strchr("\"\\=", value[i]) != NULL)
			return true;
	}
	return len == 0 || len > FIELD_MAX;
}

/* The key and what stands between it and its value; false when the pair would not fit. */
static bool put_key(struct log_line *line, const char *key)
{
	size_t len = strlen(key);

	if (!line->wanted || room(line) < len + 24)
		return false;
	if (line->json)
		line->len += (size_t)sprintf(line->text + line->len, ",\"%s\":", key);
	else
		line->len += (size_t)sprintf(line->text + line->len, " %s=", key);
	return true;
}

void log_bytes(struct log_line *line, const char *key, const void *value, size_t len)
{
	if (!put_key(line, key))
		return;
	if (line->json || needs_quotes(value, len))
		put_quoted(line, value, len);
	else
		put(line, value, len);
}

void log_text(struct log_line *line, const char *key, const char *value)
{
	log_bytes(line, key, value, strlen(value));
}

void log_number(struct log_line *line, const char *key, int64_t value)
{
	if (put_key(line, key))
		line->len += (size_t)sprintf(line->text + line->len, "%lld", (long long)value);
}

static size_t format_time(char *out, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(out + len, size - len, ".%03ld", now.tv_nsec / 1000000);
	len += strftime(out + len, size - len, "%z", &tm);
	return len;
}

void log_begin(struct log_line *line, enum log_level level, const char *msg)
{
	char stamp[64];

	line->len = 0;
	line->json = atomic_load_explicit(&style, memory_order_relaxed) == LOG_JSON;
	line->wanted = (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
	if (!line->wanted)
		return;
	format_time(stamp, sizeof(stamp));
	line->len = (size_t)snprintf(line->text, sizeof(line->text),
		line->json ? "{\"time\":\"%s\",\"level\":\"%s\"" : "time=%s level=%s", stamp,
		level_words[level]);
	log_text(line, "msg", msg);
}

/* A log that cannot be written must not take the service with it. A pipe, a terminal or a journal
 * that takes no more is waited for once; then lines are lost, and counted, until it does again. */
static bool takes_a_line(void)
{
	struct pollfd p = {.fd = atomic_load(&descriptor), .events = POLLOUT};

	if (atomic_load_explicit(&never_blocks, memory_order_relaxed))
		return true;
	if (poll(&p, 1, atomic_load(&stalled) ? 0 : STALL_MS) != 0)
		return true;
	atomic_store(&stalled, true);
	atomic_fetch_add(&lost, 1);
	return false;
}

static void write_line(const char *text, size_t len)
{
	ssize_t n;

	do
		n = write(atomic_load(&descriptor), text, len);
	while (n < 0 && errno == EINTR);
}

static void report_lost_lines(void)
{
	if (atomic_exchange(&stalled, false))
		log_message(LOG_WARN, "the log took no more for a while: %llu lines are lost",
			(unsigned long long)atomic_exchange(&lost, 0));
}

void log_end(struct log_line *line)
{
	if (!line->wanted)
		return;
	if (line->json)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
	if (!takes_a_line())
		return;
	if (atomic_load_explicit(&stalled, memory_order_relaxed))
		report_lost_lines();
	write_line(line->text, line->len);
}

void log_message(enum log_level level, const char *format, ...)
{
	struct log_line line;
	char msg[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(msg, sizeof(msg), format, ap);
	va_end(ap);
	log_begin(&line, level, msg);
	log_end(&line);
}

bool log_limit_pass(struct log_limit *limit, int64_t period_ms, uint64_t *held_back)
{
	int64_t now = clock_ms();
	int64_t next = atomic_load(&limit->next);

	if (now < next || !atomic_compare_exchange_strong(&limit->next, &next, now + period_ms)) {
		atomic_fetch_add(&limit->held_back, 1);
		return false;
	}
	*held_back = atomic_exchange(&limit->held_back, 0);
	return true;
}
