/*
 * Entries have numbers that rise for ever; number n lies in place n modulo the size of the ring.
 * An entry is a block of memory of just its size, made and freed outside the lock, so that a writer
 * holds it for the exchange of a pointer and a reader for a few copies.
 *
 * A line of the file has twelve words: the time with its zone, user, client, command, target,
 * SUCCESS or FAIL, the number that the client was told (of SOCKS5: REP, RFC 1928 section 6), why
 * the session ended, the rule that decided, bytes to and from the target, milliseconds. It is
 * written when all that is known, so its time is that of the end. Lines of older
 * versions have the first seven.
 */
#include "state/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digits.h"
#include "base/escape.h"
#include "base/lock.h"
#include "base/sink.h"
#include "base/timestamp.h"

#define LOOK_AT 256 /* entries that a reader looks at before it lets go of the lock */
#define BLOCK 65536 /* bytes of the file that are searched for line ends at once */
#define LINE_WORDS 12
#define LINE_WORDS_ONCE 7 /* that older lines have */
/* Bytes beside user, command and target: blanks, outcome, rule and LF, too. */
#define LINE_REST                                                                                  \
	(TIMESTAMP_DATE + TIMESTAMP_ZONE + ADDR_TEXT_MAX + ACCESS_REASON_MAX + 4 * DIGITS_MAX + 64)
#define LINE_USUAL 256 /* bytes; most are shorter */

struct entry {
	int64_t time;
	struct addr client;
	uint16_t user_len;
	uint16_t target_len;
	uint8_t reason_len; /* 0: it was granted */
	char text[]; /* user, target, reason */
};

struct access_log {
	struct rwlock lock; /* ring and numbers */
	struct entry **ring;
	size_t size;
	uint64_t end; /* the number of the next entry */
	uint64_t begin; /* of the oldest that is still there */

	struct sink file;
	_Atomic(bool) has_file;
	_Atomic(uint64_t) lost;
};

/* ---- making and ending ---- */

struct access_log *access_log_new(size_t entries)
{
	struct access_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->ring = calloc(entries, sizeof(struct entry *));
	if (log->ring == NULL) {
		free(log);
		return NULL;
	}
	log->size = entries;
	log->file = (struct sink)SINK_NONE;
	rwlock_init(&log->lock);
	return log;
}

void access_log_free(struct access_log *log)
{
	if (log == NULL)
		return;
	for (uint64_t n = log->begin; n < log->end; n++)
		free(log->ring[n % log->size]);
	free(log->ring);
	sink_close(&log->file);
	rwlock_destroy(&log->lock);
	free(log);
}

/* The entries that do not fit any more, to be freed outside the lock, stay in the old ring. */
static void move_locked(struct access_log *log, struct entry **ring, size_t size)
	REQUIRES(&log->lock)
{
	if (log->end - log->begin > size)
		log->begin = log->end - size;
	for (uint64_t n = log->begin; n < log->end; n++) {
		ring[n % size] = log->ring[n % log->size];
		log->ring[n % log->size] = NULL;
	}
	log->ring = ring;
	log->size = size;
}

int access_log_resize(struct access_log *log, size_t entries)
{
	struct entry **ring = calloc(entries, sizeof(struct entry *));
	struct entry **old;
	size_t old_size;

	if (ring == NULL)
		return -1;
	rwlock_write(&log->lock);
	old = log->ring;
	old_size = log->size;
	if (old_size != entries)
		move_locked(log, ring, entries);
	rwlock_write_unlock(&log->lock);
	if (old_size == entries) {
		free(ring);
		return 0;
	}
	for (size_t i = 0; i < old_size; i++)
		free(old[i]);
	free(old);
	return 0;
}

/* ---- the file ---- */

int access_log_open(struct access_log *log, const char *path)
{
	bool wanted = *path != '\0';

	/* Whoever is writing meanwhile keeps a descriptor that can be written to. */
	if ((wanted || atomic_load(&log->has_file)) &&
		sink_open(&log->file, wanted ? path : "/dev/null") < 0)
		return -1;
	atomic_store(&log->has_file, wanted);
	return 0;
}

static bool was_granted(const struct access_record *r)
{
	return r->failure == END_REASONS;
}

static char *put_word(char *end, const char *word)
{
	*end++ = ' ';
	return stpcpy(end, word);
}

static char *put_number(char *end, int64_t number)
{
	*end++ = ' ';
	return digits_put(end, number);
}

static char *put_end(char *end, const struct access_end *e)
{
	end = e->code < 0 ? put_word(end, ACCESS_NONE) : put_number(end, e->code);
	end = put_word(end, end_reason_word(e->reason));
	end = put_word(end, e->rule);
	end = put_number(end, (int64_t)e->sent);
	end = put_number(end, (int64_t)e->received);
	return put_number(end, e->total_ms);
}

/* The line in memory of its own, to be freed, since workers' stacks are small. NULL without memory.
 */
static char *format_line(
	const struct access_record *r, const struct access_end *e, int64_t now, size_t *len)
{
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE], client[ADDR_TEXT_MAX];
	size_t user_size = 4 * r->user_len + 1;
	char *line = malloc(user_size + strlen(e->command) + strlen(r->target) + LINE_REST), *end;

	if (line == NULL)
		return NULL;
	timestamp_format(now, date, zone);
	end = mempcpy(line, date, sizeof(date));
	end = mempcpy(end, zone, sizeof(zone));
	*end++ = ' ';
	escape_word(r->user, r->user_len, end, user_size);
	end += strlen(end);
	end = put_word(end, addr_format(r->client, client));
	end = put_word(end, e->command);
	end = put_word(end, r->target);
	end = put_word(end, was_granted(r) ? "SUCCESS" : "FAIL");
	end = put_end(end, e);
	*end++ = '\n';
	*len = (size_t)(end - line);
	return line;
}

static bool write_line(
	struct access_log *log, const struct access_record *r, const struct access_end *e)
{
	size_t len;
	char *line = format_line(r, e, time(NULL), &len);
	bool written =
		line != NULL && sink_takes_line(&log->file) && sink_write(&log->file, line, len);

	free(line);
	if (!written)
		atomic_fetch_add(&log->lost, 1);
	return written;
}

bool access_log_write(
	struct access_log *log, const struct access_record *record, const struct access_end *end)
{
	return !atomic_load(&log->has_file) || write_line(log, record, end);
}

uint64_t access_log_lost(struct access_log *log)
{
	return atomic_load(&log->lost);
}

/* ---- adding ---- */

/* What an entry is made of; the texts need no NUL at their ends. */
struct parts {
	int64_t time;
	struct addr client;
	const char *user, *target, *reason;
	size_t user_len, target_len, reason_len;
};

static struct entry *entry_new(const struct parts *p)
{
	struct entry *e = malloc(sizeof(*e) + p->user_len + p->target_len + p->reason_len);
	char *end;

	if (e == NULL)
		return NULL;
	e->time = p->time;
	e->client = p->client;
	e->user_len = (uint16_t)p->user_len;
	e->target_len = (uint16_t)p->target_len;
	e->reason_len = (uint8_t)p->reason_len;
	end = mempcpy(e->text, p->user, p->user_len);
	end = mempcpy(end, p->target, p->target_len);
	memcpy(end, p->reason, p->reason_len);
	return e;
}

/* Takes over `e`; without one (no memory) there is nothing to remember. */
static void remember(struct access_log *log, struct entry *e)
{
	struct entry **place, *old;

	if (e == NULL)
		return;
	rwlock_write(&log->lock);
	place = &log->ring[log->end % log->size];
	old = *place;
	*place = e;
	log->end++;
	if (log->end - log->begin > log->size)
		log->begin++;
	rwlock_write_unlock(&log->lock);
	free(old);
}

void access_log_add(struct access_log *log, const struct access_record *record)
{
	const char *reason = was_granted(record) ? "" : end_reason_word(record->failure);

	remember(log,
		entry_new(&(struct parts){.time = time(NULL),
			.client = *record->client,
			.user = record->user,
			.user_len = record->user_len,
			.target = record->target,
			.target_len = strlen(record->target),
			.reason = reason,
			.reason_len = strlen(reason)}));
}

/* ---- reading ---- */

static bool is_wanted(const struct access_cursor *c, const struct entry *e)
{
	if (c->by_client)
		return network_contains_on_link(&c->client, &e->client);
	return c->everybody ||
		(e->user_len == c->user_len && memcmp(e->text, c->user, c->user_len) == 0);
}

/* With a NUL behind it; returns what follows in `from`. */
static const char *copy_text(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	to[len] = '\0';
	return from + len;
}

static void copy_out(const struct entry *e, struct access_entry *out)
{
	const char *rest;

	out->time = e->time;
	out->client = e->client;
	out->success = e->reason_len == 0;
	out->user_len = e->user_len;
	rest = copy_text(out->user, e->text, e->user_len);
	rest = copy_text(out->target, rest, e->target_len);
	copy_text(out->reason, rest, e->reason_len);
}

/* Goes back from the end until `count` entries are behind, a few under each lock. */
static void find_newest(struct access_log *log, struct access_cursor *c, uint64_t count)
{
	uint64_t at = c->end, begin = 0;

	while (count > 0 && at > begin) {
		rwlock_read(&log->lock);
		begin = log->begin;
		for (int i = 0; i < LOOK_AT && count > 0 && at > begin; i++) {
			at--;
			if (is_wanted(c, log->ring[at % log->size]))
				count--;
		}
		rwlock_read_unlock(&log->lock);
	}
	c->next = at > begin ? at : begin;
}

/* Whose entries are wanted is in the cursor. */
static void begin_reading(struct access_log *log, struct access_cursor *cursor, uint64_t count)
{
	rwlock_read(&log->lock);
	cursor->end = log->end;
	cursor->next = log->begin;
	rwlock_read_unlock(&log->lock);
	if (count < cursor->end - cursor->next)
		find_newest(log, cursor, count);
}

void access_log_begin(struct access_log *log, struct access_cursor *cursor, const char *user,
	size_t user_len, uint64_t count)
{
	*cursor = (struct access_cursor){.everybody = user == NULL};
	if (user != NULL) {
		cursor->user_len = user_len < USERS_NAME_MAX ? user_len : USERS_NAME_MAX;
		memcpy(cursor->user, user, cursor->user_len);
	}
	begin_reading(log, cursor, count);
}

void access_log_begin_client(struct access_log *log, struct access_cursor *cursor,
	const struct network *client, uint64_t count)
{
	*cursor = (struct access_cursor){.by_client = true, .client = *client};
	begin_reading(log, cursor, count);
}

size_t access_log_read(struct access_log *log, struct access_cursor *cursor,
	struct access_entry *entries, size_t max)
{
	size_t n = 0;

	rwlock_read(&log->lock);
	if (cursor->next < log->begin)
		cursor->next = log->begin < cursor->end ? log->begin : cursor->end;
	for (int i = 0; i < LOOK_AT && n < max && cursor->next < cursor->end; i++) {
		const struct entry *e = log->ring[cursor->next++ % log->size];

		if (is_wanted(cursor, e))
			copy_out(e, &entries[n++]);
	}
	rwlock_read_unlock(&log->lock);
	return n;
}

/* ---- filling the memory from the file ---- */

/* Where the last `lines` lines of the file begin, or at least some: what has no line ends is not
 * read for ever. `*whole` tells whether the last one has its end.
 */
static off_t find_tail(int fd, off_t size, size_t lines, bool *whole)
{
	static char block[BLOCK]; /* only at start */
	off_t at = size, least = size - (off_t)lines * LINE_USUAL - BLOCK;

	*whole = true;
	while (at > 0 && at > least) {
		size_t len = at < BLOCK ? (size_t)at : BLOCK;

		at -= (off_t)len;
		if (pread(fd, block, len, at) != (ssize_t)len)
			return size; /* somebody else has cut it: nothing, then */
		if (at + (off_t)len == size)
			*whole = block[len - 1] == '\n';
		for (size_t i = len; i-- > 0;) {
			/* The end of the very last line begins none. */
			if (block[i] == '\n' && at + (off_t)i + 1 < size && lines-- == 1)
				return at + (off_t)i + 1;
		}
	}
	return at;
}

static bool parse_time(const char *text, int64_t *out)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S%z", &tm);
	long zone = tm.tm_gmtoff; /* which timegm(3) overwrites */

	if (end == NULL || *end != '\0')
		return false;
	*out = timegm(&tm) - zone;
	return true;
}

/* Cuts the line up in place; 0 when it has more words than there is room for, or empty ones. */
static size_t split_line(char *line, char *words[LINE_WORDS])
{
	size_t count = 0;

	for (char *rest = line, *word; (word = strsep(&rest, " ")) != NULL; count++) {
		if (count == LINE_WORDS || *word == '\0')
			return 0;
		words[count] = word;
	}
	return count;
}

/* Any version's, so that a word that is not known any more is still told. */
static bool is_reason(const char *word)
{
	size_t len = strlen(word);

	return len < ACCESS_REASON_MAX &&
		strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* False when the words do not say what became of it. */
static bool parse_outcome(char *const words[], size_t count, struct parts *p)
{
	bool granted = strcmp(words[5], "SUCCESS") == 0;

	p->reason = count == LINE_WORDS ? words[7] : ACCESS_NONE;
	if ((!granted && strcmp(words[5], "FAIL") != 0) || !is_reason(p->reason))
		return false;
	p->reason_len = granted ? 0 : strlen(p->reason);
	return true;
}

/* NULL when the line is none of ours. */
static struct entry *parse_line(char *line)
{
	char *words[LINE_WORDS];
	size_t count = split_line(line, words);
	struct parts p;
	bool has_port;

	if ((count != LINE_WORDS && count != LINE_WORDS_ONCE) || !parse_time(words[0], &p.time) ||
		!addr_parse_port(words[2], strlen(words[2]), &p.client, &has_port) ||
		!parse_outcome(words, count, &p))
		return NULL;
	p.user = words[1];
	p.user_len = escape_decode(words[1], strlen(words[1]), words[1]);
	p.target = words[4];
	p.target_len = strlen(words[4]);
	if (p.user_len > USERS_NAME_MAX || p.target_len >= ACCESS_TARGET_MAX)
		return NULL;
	return entry_new(&p);
}

static int read_tail(struct access_log *log, int fd, off_t from)
{
	FILE *file = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int result, saved;

	if (file == NULL || fseeko(file, from, SEEK_SET) < 0) {
		if (file != NULL)
			fclose(file);
		else
			close(fd);
		return -1;
	}
	while ((len = getdelim(&line, &size, '\n', file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		remember(log, parse_line(line));
	}
	/* An allocation that fails is no error of the file's. */
	result = feof(file) ? 0 : -1;
	saved = errno;
	free(line);
	fclose(file);
	errno = saved;
	return result;
}

int access_log_fill(struct access_log *log, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t from;
	bool whole;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	/* A pipe or a device has nothing to be read again. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	from = find_tail(fd, st.st_size, log->size, &whole);
	/* What a crash cut off must not run into the next line. */
	if (!whole && !sink_write(&log->file, "\n", 1))
		atomic_fetch_add(&log->lost, 1);
	return read_tail(log, fd, from);
}
