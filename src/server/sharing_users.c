/*
 * Each node has all users, and the engine does, too: whoever is behind is told. To join is to read
 * all that the engine has, and then to ask it for all that is known here, so that each hears what
 * the other has newer; that is done a slice at a time, so that a million users hold up neither
 * beats nor bans nor what has just changed. From then on changes are told at once, as one step of
 * the engine's that keeps the newer of two and tells it to the others (the script), and with each
 * beat a few of all are looked at again: so what went past everybody, or was written by hand, is
 * found, too.
 *
 * What comes is held against what a user may be by shared_users, and what cannot be one is passed
 * over; a node that knows better writes that in its place.
 */
#include "server/sharing_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/shared_record.h"
#include "state/shared_users.h"

#define AT_ONCE "1000" /* about how many are read by one command when a node joins */
#define AGAIN "200" /* likewise with each beat from then on */
#define SLICE 4 /* such commands, or batches, in one turn */
#define CHANGES 256 /* that are told in one turn */

/* That are told at once: the engine answers behind the last of them, and those of a hundred nodes
 * are to be done within the time that an answer may take. */
#define WORDS 32

/* KEYS: users, events; ARGV: name, value, version, node, a value that is to give way whatever it
 * is, instance, part, events kept. An empty value takes away the one that gives way. It answers 1,
 * or what stands there and stays. Names are compared by their bytes, as strcmp(3) does, and not by
 * the engine's language. */
static const char script[] =
	"local function is_after(a, b)\n"
	"  for i = 1, math.max(#a, #b) do\n"
	"    local x, y = string.byte(a, i) or -1, string.byte(b, i) or -1\n"
	"    if x ~= y then return x > y end\n"
	"  end\n"
	"  return false\n"
	"end\n"
	"local there = redis.call('HGET', KEYS[1], ARGV[1])\n"
	"if there and there ~= ARGV[5] then\n"
	"  local version, node = string.match(there, '^(%d+) ([^ ]+) .')\n"
	"  version = tonumber(version)\n"
	"  local ours = tonumber(ARGV[3])\n"
	"  if ARGV[2] == '' then return there end\n"
	"  if version and version <= 4503599627370496 and\n"
	"    (version > ours or version == ours and not is_after(ARGV[4], node)) then\n"
	"    return there\n"
	"  end\n"
	"end\n"
	"if ARGV[2] == '' then\n"
	"  redis.call('HDEL', KEYS[1], ARGV[1])\n"
	"  return 1\n"
	"end\n"
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], '*',\n"
	"  'i', ARGV[6], 'k', 'user', 'n', ARGV[7], 'a', ARGV[1], 'v', ARGV[2])\n"
	"return 1\n";

/* One that is to be told, or (value "") taken away. */
struct word {
	char *name, *value;
	char *bad; /* that gives way; NULL: nothing does */
};

/* Those that go at once. */
struct batch {
	struct word words[WORDS];
	size_t count;
};

static struct shared_users *users_of(const struct sharing *s)
{
	return s->services->shared_users;
}

/* ---- what was heard ---- */

static void log_bad(struct sharing *s, const char *name, const char *why, const char *node)
{
	struct log_line line;
	uint64_t held_back;

	if (!log_limit_pass(&s->users.bad_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_WARN,
		"shared: what the engine has of a user can be nobody's and is passed over");
	log_text(&line, "user", name);
	log_text(&line, "why", why);
	if (*node != '\0')
		log_text(&line, "node", node);
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

static enum shared_users_merge merge(
	struct sharing *s, const char *name, const char *value, const char *node)
{
	char why[SHARED_USERS_WHY_MAX];
	enum shared_users_merge result = shared_users_merge(users_of(s), name, value, why);

	if (result == MERGED_NEW) {
		s->users.has_arrivals = true;
		s->users.came++;
	} else if (result == MERGED_BAD) {
		log_bad(s, name, why, node);
	}
	return result;
}

int sharing_take_user(struct sharing *s, const char *node, const char *account, const char *value)
{
	if (users_of(s) == NULL)
		return 0;
	return merge(s, account, value, node) == MERGED_NO_MEMORY ? -1 : 0;
}

/* ---- telling ---- */

static int load_script(struct sharing *s, char *error)
{
	redisReply *r;

	ENGINE_ASK(s->engine, "SCRIPT", "LOAD", script);
	r = engine_reply_of(s->engine, REDIS_REPLY_STRING, "the engine names no script", error);
	if (r == NULL)
		return -1;
	snprintf(s->users.script, sizeof(s->users.script), "%s", engine_text(r));
	freeReplyObject(r);
	return 0;
}

static void free_word(struct word *w)
{
	free(w->name);
	free(w->value);
	free(w->bad);
}

static void drop_words(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free_word(&b->words[i]);
	b->count = 0;
}

static void ask_word(struct sharing *s, const struct word *w)
{
	char users[SHARING_KEY_MAX], events[SHARING_KEY_MAX], version[24];
	struct shared_record r = {.node = ""};

	(void)shared_record_parse(w->value, &r);
	snprintf(version, sizeof(version), "%" PRIu64, r.version);
	ENGINE_ASK(s->engine, "EVALSHA", s->users.script, "2", sharing_key(s, "users", NULL, users),
		sharing_key(s, "events", NULL, events), w->name, w->value, version, r.node,
		w->bad == NULL ? "" : w->bad, s->instance, s->part, SHARING_EVENTS_KEPT);
}

enum answer {
	SETTLED,
	IN_THE_WAY, /* something that can be nobody's stands there */
	NO_SCRIPT, /* the engine has forgotten it */
	FAILED,
};

/* What stands there has stayed: it is newer, and so the others are heard, or it is of no use. */
static enum answer hear_other(struct sharing *s, struct word *w, const char *there, char *error)
{
	enum shared_users_merge m = w->value[0] == '\0' ? MERGED_OLD : merge(s, w->name, there, "");

	if (m == MERGED_BAD) {
		free(w->bad);
		w->bad = strdup(there);
	}
	if (m == MERGED_NO_MEMORY || (m == MERGED_BAD && w->bad == NULL)) {
		(void)sharing_no_memory(error);
		return FAILED;
	}
	return m == MERGED_BAD ? IN_THE_WAY : SETTLED;
}

static enum answer read_answer(struct sharing *s, struct word *w, char *error)
{
	redisReply *r = engine_reply(s->engine, error);
	enum answer a = SETTLED;

	if (r == NULL)
		return FAILED;
	if (r->type == REDIS_REPLY_STRING) {
		a = hear_other(s, w, engine_text(r), error);
	} else if (r->type == REDIS_REPLY_ERROR) {
		a = strncmp(engine_text(r), "NOSCRIPT", 8) == 0 ? NO_SCRIPT : FAILED;
		snprintf(error, SHARING_ERROR_MAX, "%.500s", engine_text(r));
	}
	freeReplyObject(r);
	return a;
}

/* Those that are not settled yet stay. -1 with the reason. */
static int try_words(struct sharing *s, struct batch *b, bool *needs_script, char *error)
{
	size_t left = 0;

	*needs_script = false;
	for (size_t i = 0; i < b->count; i++)
		ask_word(s, &b->words[i]);
	for (size_t i = 0; i < b->count; i++) {
		enum answer a = read_answer(s, &b->words[i], error);
		struct word w = b->words[i];

		if (a == FAILED)
			return -1;
		*needs_script |= a == NO_SCRIPT;
		/* They change places, so that each is freed once. */
		b->words[i] = b->words[left];
		b->words[left] = w;
		left += a != SETTLED;
	}
	for (size_t i = left; i < b->count; i++)
		free_word(&b->words[i]);
	b->count = left;
	return 0;
}

#define TRIES 3 /* the script may be missing, and then something in the way */

/* Tells all of the batch, which is empty afterwards. */
static int tell_words(struct sharing *s, struct batch *b, char *error)
{
	bool needs_script = s->users.script[0] == '\0';
	int result = 0;

	for (int i = 0; i < TRIES && b->count > 0 && result == 0; i++) {
		if (needs_script && load_script(s, error) < 0)
			result = -1;
		else
			result = try_words(s, b, &needs_script, error);
	}
	drop_words(b);
	return result;
}

/* Takes over `name` and `value`, which are NULL without memory. `bad` gives way; NULL: nothing. */
static int add_word(
	struct sharing *s, struct batch *b, char *name, char *value, const char *bad, char *error)
{
	struct word w = {.name = name, .value = value, .bad = bad == NULL ? NULL : strdup(bad)};

	if (name == NULL || value == NULL || (bad != NULL && w.bad == NULL)) {
		free_word(&w);
		return sharing_no_memory(error);
	}
	b->words[b->count++] = w;
	s->users.told++;
	return b->count < WORDS ? 0 : tell_words(s, b, error);
}

/* Each is told before the next one is asked for: it comes again until then. */
static int tell_changes(struct sharing *s, bool *has_more, char *error)
{
	char *name, *value;
	int result = 0;

	for (size_t i = 0; i < CHANGES && result == 0; i++) {
		struct batch b = {.count = 0};

		name = shared_users_next_untold(users_of(s), &value);
		if (name == NULL)
			return 0;
		result = add_word(s, &b, strdup(name), strdup(value), NULL, error);
		if (result == 0)
			result = tell_words(s, &b, error);
		drop_words(&b);
		if (result == 0)
			shared_users_told(users_of(s), name, value);
		free(name);
		free(value);
	}
	*has_more = true;
	return result;
}

/* ---- comparing ---- */

static void copy_value(void *context, const char *value)
{
	*(char **)context = strdup(value);
}

/* What is known here, to be freed; NULL: nothing, or no memory. */
static char *find_own(struct sharing *s, const char *name)
{
	char *value = NULL;

	(void)standing_read(s->services->standing, STANDING_USER, name, copy_value, &value);
	return value;
}

static bool is_long_gone(const struct sharing *s, const char *value)
{
	struct shared_record r;

	return shared_record_parse(value, &r) == NULL && r.is_deleted &&
		(int64_t)r.version < sharing_engine_ms(s) - SHARED_USERS_GRAVE_MS;
}

/* `there` is what the engine has (NULL: nothing): it is heard, or what is known here is told. */
static int compare(
	struct sharing *s, struct batch *b, const char *name, const char *there, char *error)
{
	enum shared_users_merge m = there == NULL ? MERGED_OLD : merge(s, name, there, "");
	char *own;

	if (m == MERGED_NO_MEMORY)
		return sharing_no_memory(error);
	if (there != NULL && is_long_gone(s, there))
		return add_word(s, b, strdup(name), strdup(""), there, error);
	own = m == MERGED_NEW ? NULL : find_own(s, name);
	if (own == NULL || (there != NULL && strcmp(own, there) == 0) || is_long_gone(s, own)) {
		free(own);
		return 0;
	}
	return add_word(s, b, strdup(name), own, m == MERGED_BAD ? there : NULL, error);
}

static int compare_fields(struct sharing *s, const redisReply *fields, char *error)
{
	struct batch b = {.count = 0};
	int result = 0;

	for (size_t i = 0; i + 1 < fields->elements && result == 0; i += 2)
		result = compare(s, &b, engine_text(fields->element[i]),
			engine_text(fields->element[i + 1]), error);
	if (result == 0)
		result = tell_words(s, &b, error);
	drop_words(&b);
	return result;
}

/* Some more of what the engine has. The cursor is "0" again behind the last. */
static int compare_some(struct sharing *s, const char *count, char *error)
{
	char key[SHARING_KEY_MAX];
	redisReply *r;
	int result = 0;

	ENGINE_ASK(s->engine, "HSCAN", sharing_key(s, "users", NULL, key), s->users.cursor, "COUNT",
		count);
	r = sharing_reply_with_list(s, error);
	if (r == NULL)
		return -1;
	if (r->elements == 2 && r->element[1]->type == REDIS_REPLY_ARRAY) {
		snprintf(
			s->users.cursor, sizeof(s->users.cursor), "%s", engine_text(r->element[0]));
		result = compare_fields(s, r->element[1], error);
	} else {
		result = -1;
		snprintf(error, SHARING_ERROR_MAX, "an answer that is none");
	}
	freeReplyObject(r);
	return result;
}

/* ---- joining ---- */

static void drop_list(struct sharing *s)
{
	free(s->users.list);
	s->users.list = NULL;
}

static void begin_pass(struct sharing *s)
{
	drop_list(s);
	s->users.is_torn = false;
	strcpy(s->users.cursor, "0");
	s->users.script[0] = '\0';
	s->users.phase = USERS_READ;
	s->users.came = s->users.told = 0;
	s->users.begun = clock_ms();
}

/* What was heard and told is so still, and what was missed meanwhile another pass finds: so also
 * who is cut off again and again comes to the end of them. */
void sharing_begin_users(struct sharing *s)
{
	bool is_same = strcmp(s->users.epoch, s->epoch) == 0;

	strcpy(s->users.epoch, s->epoch);
	s->users.script[0] = '\0';
	if (is_same && s->users.phase != USERS_KNOWN)
		s->users.is_torn = true;
	else
		begin_pass(s);
}

void sharing_end_users(struct sharing *s)
{
	drop_list(s);
}

static int read_some(struct sharing *s, char *error)
{
	for (int i = 0; i < SLICE; i++) {
		if (compare_some(s, AT_ONCE, error) < 0)
			return -1;
		if (strcmp(s->users.cursor, "0") == 0)
			break;
	}
	if (strcmp(s->users.cursor, "0") != 0)
		return 0;
	s->users.list = shared_users_list(users_of(s), &s->users.count);
	s->users.at = 0;
	s->users.first = s->users.count == 0 ? 0 : randombytes_uniform((uint32_t)s->users.count);
	s->users.phase = USERS_ASK;
	return s->users.list == NULL ? sharing_no_memory(error) : 0;
}

/* Each node begins with another one, so that they share the telling where all have to. */
static const char *name_at(const struct sharing *s, size_t i)
{
	return s->users.list[(s->users.first + i) % s->users.count].key;
}

/* What the engine has of the next ones in the list. */
static int ask_batch(struct sharing *s, size_t count, char *error)
{
	size_t at = s->users.at;
	struct batch b = {.count = 0};
	char key[SHARING_KEY_MAX];
	redisReply *there[SHARING_BATCH] = {NULL};
	int result = 0;

	sharing_key(s, "users", NULL, key);
	for (size_t i = 0; i < count; i++)
		ENGINE_ASK(s->engine, "HGET", key, name_at(s, at + i));
	for (size_t i = 0; i < count && result == 0; i++) {
		there[i] = engine_reply_or_nil(s->engine, REDIS_REPLY_STRING, error);
		result = there[i] == NULL ? -1 : 0;
	}
	for (size_t i = 0; i < count && result == 0; i++)
		result = compare(s, &b, name_at(s, at + i),
			there[i]->type == REDIS_REPLY_STRING ? engine_text(there[i]) : NULL, error);
	for (size_t i = 0; i < count && there[i] != NULL; i++)
		freeReplyObject(there[i]);
	if (result == 0)
		result = tell_words(s, &b, error);
	drop_words(&b);
	return result;
}

static void log_joined(const struct sharing *s)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "shared: the users are those of the other nodes");
	log_number(&line, "users", (int64_t)s->users.count);
	log_number(&line, "came", (int64_t)s->users.came);
	log_number(&line, "told", (int64_t)s->users.told);
	log_number(&line, "ms", clock_ms() - s->users.begun);
	log_end(&line);
}

static int ask_some(struct sharing *s, char *error)
{
	for (int i = 0; i < SLICE && s->users.at < s->users.count; i++) {
		size_t left = s->users.count - s->users.at;
		size_t count = left < SHARING_BATCH ? left : SHARING_BATCH;

		if (ask_batch(s, count, error) < 0)
			return -1;
		s->users.at += count;
	}
	if (s->users.at < s->users.count)
		return 0;
	drop_list(s);
	s->users.phase = USERS_ARRIVE;
	return 0;
}

/* Whoever reads the line may log in. */
static void await_effect(struct sharing *s)
{
	if (s->users.is_torn) {
		begin_pass(s);
	} else if (shared_users_are_settled(users_of(s))) {
		log_joined(s);
		s->users.phase = USERS_KNOWN;
	}
}

int sharing_turn_users(struct sharing *s, bool *has_more, char *error)
{
	if (users_of(s) == NULL)
		return 0;
	if (tell_changes(s, has_more, error) < 0)
		return -1;
	if (s->users.phase == USERS_ARRIVE)
		await_effect(s);
	if (s->users.phase >= USERS_ARRIVE)
		return 0;
	*has_more = true;
	return s->users.phase == USERS_READ ? read_some(s, error) : ask_some(s, error);
}

int sharing_look_at_users(struct sharing *s, char *error)
{
	if (users_of(s) == NULL || s->users.phase != USERS_KNOWN)
		return 0;
	return compare_some(s, AGAIN, error);
}
