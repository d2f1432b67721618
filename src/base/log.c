/*
 * A line is built in memory of the caller's and leaves with one write(2), so that threads need no
 * lock and lines never mix. Room for what ends a line is kept from the beginning: however long the
 * values are, the line is a whole one. A log that cannot be written loses lines, counts them, and
 * holds up nobody for long: when it takes some again the first says how many, and meanwhile
 * standard error says why.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digits.h"
#include "base/sink.h"
#include "base/timestamp.h"

#define FIELD_MAX 600 /* escaped bytes of one value */
#define KEY_MARKS 4 /* bytes around a key: a comma, two quotes, a colon */
#define CLOSING 3 /* room kept for what ends a line: a quote, a brace, LF */

static _Atomic(int) threshold = LOG_INFO;
static _Atomic(int) style = LOG_TEXT;

/* Two, since the number of a sink's descriptor is for life, and that of standard error is not ours
 * to replace: it serves before log_open() and after log_close(). */
static struct sink standard_error = {.fd = STDERR_FILENO};
static struct sink opened = SINK_NONE;
static _Atomic(struct sink *) current = &standard_error;

/* What log_prepare() has opened; -1: nothing. */
static int prepared = -1;
static bool prepared_is_file;

static _Atomic(uint64_t) lost_lines;
static struct log_limit refused_limit;

static _Atomic(bool) is_file; /* `current` is not what standard error is */

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

int log_prepare(const char *path)
{
	log_abandon();
	prepared_is_file = path != NULL && *path != '\0';
	prepared = prepared_is_file ? sink_open_file(path) : sink_open_same(STDERR_FILENO);
	return prepared < 0 ? -1 : 0;
}

int log_switch(void)
{
	int fd = prepared;

	prepared = -1;
	if (sink_adopt(&opened, fd) < 0)
		return -1;
	atomic_store(&current, &opened);
	atomic_store(&is_file, prepared_is_file);
	atomic_store(&refused_limit.next, 0); /* another file is another matter */
	return 0;
}

void log_abandon(void)
{
	if (prepared >= 0)
		close(prepared);
	prepared = -1;
}

int log_open(const char *path)
{
	return log_prepare(path) < 0 ? -1 : log_switch();
}

void log_close(void)
{
	atomic_store(&current, &standard_error);
	atomic_store(&is_file, false);
	sink_close(&opened);
}

static size_t room(const struct log_line *line)
{
	size_t usable = sizeof(line->text) - CLOSING;

	/* A closing quote may stand in the room that was kept. */
	return line->len < usable ? usable - line->len : 0;
}

/* All of it or nothing. */
static bool put_whole(struct log_line *line, const char *bytes, size_t len)
{
	if (len > room(line))
		return false;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
	return true;
}

static void put_string(struct log_line *line, const char *text)
{
	put_whole(line, text, strlen(text));
}

/* The bytes that stand for `c` inside quotes: in JSON \u00XX, in text \xXX. */
static size_t escape(unsigned char c, bool json, char out[6])
{
	char *end = out;

	if (c >= 0x20 && c < 0x7f) {
		if (c == '"' || c == '\\')
			*end++ = '\\';
		*end++ = (char)c;
	} else {
		end = digits_put_hex(stpcpy(end, json ? "\\u00" : "\\x"), c);
	}
	return (size_t)(end - out);
}

static void put_quoted(struct log_line *line, const unsigned char *value, size_t len)
{
	size_t start = line->len;
	char piece[6];

	put_whole(line, "\"", 1);
	for (size_t i = 0; i < len && line->len - start < FIELD_MAX; i++) {
		if (!put_whole(line, piece, escape(value[i], line->json, piece)))
			break;
	}
	line->text[line->len++] = '"'; /* CLOSING keeps the room */
}

static bool needs_quotes(const unsigned char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = value[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return true;
	}
	return len == 0 || len > FIELD_MAX;
}

/* The key and what stands between it and its value; false when the pair would not fit. */
static bool put_key(struct log_line *line, const char *key)
{
	size_t len = strlen(key);

	if (!line->wanted || room(line) < len + KEY_MARKS + DIGITS_MAX)
		return false;
	put_string(line, line->json ? ",\"" : " ");
	put_whole(line, key, len);
	put_string(line, line->json ? "\":" : "=");
	return true;
}

void log_bytes(struct log_line *line, const char *key, const void *value, size_t len)
{
	if (!put_key(line, key))
		return;
	if (line->json || needs_quotes(value, len))
		put_quoted(line, value, len);
	else
		put_whole(line, value, len);
}

void log_text(struct log_line *line, const char *key, const char *value)
{
	log_bytes(line, key, value, strlen(value));
}

void log_number(struct log_line *line, const char *key, int64_t value)
{
	char digits[DIGITS_MAX];
	const char *end = digits_put(digits, value);

	if (put_key(line, key))
		put_whole(line, digits, (size_t)(end - digits));
}

/* "2025-07-15T12:40:39.123+0200" */
static void put_time(struct log_line *line)
{
	struct timespec now;
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE], ms[DIGITS_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(now.tv_sec, date, zone);
	digits_put(ms, 1000 + now.tv_nsec / 1000000);
	ms[0] = '.'; /* in the place of the 1 that kept the zeros */
	put_whole(line, date, sizeof(date));
	put_whole(line, ms, 4);
	put_whole(line, zone, sizeof(zone));
}

void log_begin(struct log_line *line, enum log_level level, const char *msg)
{
	line->len = 0;
	line->json = atomic_load_explicit(&style, memory_order_relaxed) == LOG_JSON;
	line->wanted = (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
	if (!line->wanted)
		return;
	put_string(line, line->json ? "{\"time\":\"" : "time=");
	put_time(line);
	put_string(line, line->json ? "\",\"level\":\"" : " level=");
	put_string(line, level_words[level]);
	put_string(line, line->json ? "\"" : "");
	log_text(line, "msg", msg);
}

static void finish_line(struct log_line *line)
{
	if (line->json)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
}

static void begin_message(struct log_line *line, enum log_level level, const char *format,
	va_list ap) __attribute__((format(printf, 3, 0)));

static void begin_message(
	struct log_line *line, enum log_level level, const char *format, va_list ap)
{
	char msg[512];

	vsnprintf(msg, sizeof(msg), format, ap);
	log_begin(line, level, msg);
}

/* ---- lines that are lost ---- */

static bool write_message(struct sink *sink, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As it is: what it says of the sink is said nowhere else. */
static bool write_message(struct sink *sink, enum log_level level, const char *format, ...)
{
	struct log_line line;
	va_list ap;

	va_start(ap, format);
	begin_message(&line, level, format, ap);
	va_end(ap);
	if (!line.wanted)
		return true;
	finish_line(&line);
	return sink_write(sink, line.text, line.len);
}

/* Where lines were lost before, that they were comes first. */
static bool say_lost(struct sink *sink)
{
	uint64_t lost;

	if (!sink_recovered(sink, &lost) ||
		write_message(sink, LOG_WARN, "the log took no more for a while: %llu line%s lost",
			(unsigned long long)lost, lost == 1 ? " is" : "s are"))
		return true;
	/* And the one that was to be written, in the place of what said so. */
	sink_lose(sink, lost);
	return false;
}

/* Who looks into the file finds nothing there. */
static void say_refused(const struct sink *sink, int error)
{
	char words[64];
	uint64_t held_back;

	if (sink == &opened && atomic_load(&is_file) &&
		log_limit_pass(&refused_limit, LOG_LIMIT_PERIOD_MS, &held_back) &&
		sink_takes_line(&standard_error))
		(void)write_message(&standard_error, LOG_ERROR,
			"log_file: %s; lines are lost until it takes some again",
			sink_problem(error, words, sizeof(words)));
}

/* A log that cannot be written must not take the service with it. */
static void write_line(struct sink *sink, const struct log_line *line)
{
	if (sink_takes_line(sink) && say_lost(sink) && sink_write(sink, line->text, line->len))
		return;
	atomic_fetch_add(&lost_lines, 1);
	say_refused(sink, errno);
}

uint64_t log_lost(void)
{
	return atomic_load(&lost_lines);
}

/* ---- whole lines ---- */

void log_end(struct log_line *line)
{
	if (!line->wanted)
		return;
	finish_line(line);
	write_line(atomic_load(&current), line);
}

void log_message(enum log_level level, const char *format, ...)
{
	struct log_line line;
	va_list ap;

	va_start(ap, format);
	begin_message(&line, level, format, ap);
	va_end(ap);
	log_end(&line);
}

void log_message_beside(enum log_level level, const char *format, ...)
{
	struct log_line line;
	va_list ap;

	va_start(ap, format);
	begin_message(&line, level, format, ap);
	va_end(ap);
	log_end(&line);
	if (line.wanted && atomic_load(&is_file))
		write_line(&standard_error, &line);
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

void log_failure(struct log_limit *limit, const char *what, int error)
{
	uint64_t held_back;
	char words[64];

	if (!log_limit_pass(limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	if (held_back == 0)
		log_message(LOG_ERROR, "%s: %s", what, strerror_r(error, words, sizeof(words)));
	else
		log_message(LOG_ERROR, "%s: %s (%llu times more since this was said last)", what,
			strerror_r(error, words, sizeof(words)), (unsigned long long)held_back);
}
