/*
 * Entries have numbers that rise for ever; number n lies in place n modulo the size of the ring.
 * An entry is a block of memory of just its size, made and freed outside the lock, so that a writer
 * holds it for the exchange of a pointer and a reader for a few copies.
 *
 * A line of the file has seven words: the time with its zone, user, client, command, target,
 * SUCCESS or FAIL, and the number that the client was told (of SOCKS5: REP, RFC 1928 section 6).
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
#define LINE_WORDS 7
/* Bytes beside user, command and target. */
#define LINE_REST (TIMESTAMP_DATE + TIMESTAMP_ZONE + ADDR_TEXT_MAX + 32)
#define LINE_USUAL 256 /* bytes; most are shorter */

struct entry {
	int64_t time;
	struct addr client;
	bool success;
	uint16_t user_len;
	uint16_t target_len;
	char text[]; /* user, target */
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

/* The line in memory of its own, to be freed, since workers' stacks are small. NULL without memory.
 */
static char *format_line(const struct access_record *r, int64_t now, size_t *len)
{
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];
	size_t user_size = 4 * r->user_len + 1;
	char *line = malloc(user_size + strlen(r->command) + strlen(r->target) + LINE_REST), *end;

	if (line == NULL)
		return NULL;
	timestamp_format(now, date, zone);
	end = mempcpy(line, date, sizeof(date));
	end = mempcpy(end, zone, sizeof(zone));
	*end++ = ' ';
	escape_word(r->user, r->user_len, end, user_size);
	end += strlen(end);
	*end++ = ' ';
	addr_format(r->client, end);
	end += strlen(end);
	*end++ = ' ';
	end = stpcpy(end, r->command);
	*end++ = ' ';
	end = stpcpy(end, r->target);
	end = stpcpy(end, was_granted(r) ? " SUCCESS " : " FAIL ");
	end = digits_put(end, r->code);
	*end++ = '\n';
	*len = (size_t)(end - line);
	return line;
}

static bool write_line(struct access_log *log, const struct access_record *r, int64_t now)
{
	size_t len;
	char *line = format_line(r, now, &len);
	bool written =
		line != NULL && sink_takes_line(&log->file) && sink_write(&log->file, line, len);

	free(line);
	if (!written)
		atomic_fetch_add(&log->lost, 1);
	return written;
}

uint64_t access_log_lost(struct access_log *log)
{
	return atomic_load(&log->lost);
}

/* ---- adding ---- */

static struct entry *entry_new(int64_t when, bool success, const struct addr *client,
	const char *user, size_t user_len, const char *target, size_t target_len)
{
	struct entry *e = malloc(sizeof(*e) + user_len + target_len);

	if (e == NULL)
		return NULL;
	e->time = when;
	e->client = *client;
	e->success = success;
	e->user_len = (uint16_t)user_len;
	e->target_len = (uint16_t)target_len;
	memcpy(e->text, user, user_len);
	memcpy(e->text + user_len, target, target_len);
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

bool access_log_add(struct access_log *log, const struct access_record *record)
{
	int64_t now = time(NULL);

	remember(log,
		entry_new(now, was_granted(record), record->client, record->user, record->user_len,
			record->target, strlen(record->target)));
	return !atomic_load(&log->has_file) || write_line(log, record, now);
}

/* ---- reading ---- */

static bool is_wanted(const struct access_cursor *c, const struct entry *e)
{
	if (c->by_client)
		return network_contains_on_link(&c->client, &e->client);
	return c->everybody ||
		(e->user_len == c->user_len && memcmp(e->text, c->user, c->user_len) == 0);
}

static void copy_out(const struct entry *e, struct access_entry *out)
{
	out->time = e->time;
	out->success = e->success;
	out->user_len = e->user_len;
	memcpy(out->user, e->text, e->user_len);
	out->user[e->user_len] = '\0';
	memcpy(out->target, e->text + e->user_len, e->target_len);
	out->target[e->target_len] = '\0';
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

/* Cuts the line up in place; NULL when it is none of ours. */
static struct entry *parse_line(char *line)
{
	char *words[LINE_WORDS], *rest = line;
	struct addr client;
	bool has_port;
	int64_t when;
	size_t user_len, target_len;

	for (size_t i = 0; i < LINE_WORDS; i++) {
		words[i] = strsep(&rest, " ");
		if (words[i] == NULL || *words[i] == '\0')
			return NULL;
	}
	if (rest != NULL || !parse_time(words[0], &when) ||
		!addr_parse_port(words[2], strlen(words[2]), &client, &has_port))
		return NULL;
	if (strcmp(words[5], "SUCCESS") != 0 && strcmp(words[5], "FAIL") != 0)
		return NULL;
	user_len = escape_decode(words[1], strlen(words[1]), words[1]);
	target_len = strlen(words[4]);
	if (user_len > USERS_NAME_MAX || target_len >= ACCESS_TARGET_MAX)
		return NULL;
	return entry_new(
		when, words[5][0] == 'S', &client, words[1], user_len, words[4], target_len);
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
