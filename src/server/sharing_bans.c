/*
 * Bans are put where those of this node are, so doors know of one table only. What is said of a
 * client, that it is banned or is so no more, has a number: the second in which it was said, and
 * more than what was said before. So the same words may come twice, late and out of order.
 *
 * All times are by the engine's clock, which nodes measure their monotonic one by: their own of the
 * day may be wrong, or be set meanwhile.
 */
#include "server/sharing_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"

/* A ban that ends so much earlier or later is the same. */
#define SAME_END_MS 2500

/* No time that is said is further off than the year 5138. */
#define LAST_SECOND INT64_C(99999999999)

int64_t sharing_engine_ms(const struct sharing *s)
{
	return s->engine_ahead_ms + clock_ms();
}

int64_t sharing_engine_now(const struct sharing *s)
{
	return sharing_engine_ms(s) / 1000;
}

int sharing_read_clock(struct sharing *s, char *error)
{
	static const char no_clock[] = "it has no clock";
	int64_t seconds, microseconds;
	redisReply *r;
	bool is_time;

	ENGINE_ASK(s->engine, "TIME");
	r = engine_reply_of(s->engine, REDIS_REPLY_ARRAY, no_clock, error);
	if (r == NULL)
		return -1;
	is_time = r->elements == 2 && parse_number(engine_text(r->element[0]), &seconds) &&
		parse_number(engine_text(r->element[1]), &microseconds) && seconds <= LAST_SECOND &&
		microseconds < 1000000;
	s->knows_clock |= is_time;
	if (is_time)
		s->engine_ahead_ms = seconds * 1000 + microseconds / 1000 - clock_ms();
	else
		snprintf(error, SHARING_ERROR_MAX, "%s", no_clock);
	freeReplyObject(r);
	return is_time ? 0 : -1;
}

/* ---- words ---- */

static bool next_number(const char **cursor, int64_t most, int64_t *out)
{
	const char *word;
	char digits[24];
	size_t len;

	if (!parse_next_word(cursor, &word, &len) || len >= sizeof(digits))
		return false;
	memcpy(digits, word, len);
	digits[len] = '\0';
	return parse_number(digits, out) && *out <= most;
}

static bool next_word_is(const char **cursor, const char *expected)
{
	const char *word;
	size_t len;

	return parse_next_word(cursor, &word, &len) && len == strlen(expected) &&
		memcmp(word, expected, len) == 0;
}

static bool is_at_end(const char *cursor)
{
	const char *word;
	size_t len;

	return !parse_next_word(&cursor, &word, &len);
}

static const char *identify(const struct ban_info *ban, struct bans_time now, char *out)
{
	snprintf(out, SHARING_BAN_IDENTITY_MAX, "%lld %lld %s",
		ban->left == CLOCK_NEVER ? 0LL : (long long)(now.ms + ban->left),
		(long long)ban->begun, ban_cause_word(ban->by));
	return out;
}

/* When it began. Of one from an earlier run only clocks of the day tell that, of which that of then
 * or that of now may be wrong: it is no younger than either says, so that it does not come back
 * where it was lifted since. */
static int64_t begun_of(const struct sharing *s, const struct ban_info *ban, struct bans_time now)
{
	int64_t ago, begun;

	if (ban->since != CLOCK_NEVER)
		return (sharing_engine_ms(s) - (now.ms - ban->since)) / 1000;
	ago = ban->lasts == CLOCK_NEVER ? now.wall - ban->begun : (ban->lasts - ban->left) / 1000;
	begun = sharing_engine_now(s) - (ago > 0 ? ago : 0);
	return begun < ban->begun ? begun : ban->begun;
}

/* ---- what others say ---- */

static void log_ban(const char *msg, const char *client, const char *node)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, msg);
	log_text(&line, "client", client);
	log_text(&line, "node", node);
	log_end(&line);
}

/* A word that another node has said of a client, under a name that may be another here. */
struct word {
	const char *node, *name;
	struct network client;
	char text[NETWORK_TEXT_MAX]; /* the client's name here */
	int64_t number;
};

/* What is here of the client began behind that, and nobody was told of it yet. */
static bool is_later(struct sharing *s, const struct ban_info *ban, struct bans_time now,
	const struct word *word)
{
	char identity[SHARING_BAN_IDENTITY_MAX];

	return !told_is(s->bans, word->text, identify(ban, now, identity)) &&
		begun_of(s, ban, now) > word->number;
}

/* A later ban stays, and is told behind that. */
static void take_lifted(struct sharing *s, const struct word *word)
{
	bool is_own_name = strcmp(word->name, word->text) == 0;
	struct bans_time now = bans_now();
	struct ban_info ban;

	if (word->number < sharing_ban_mark(s, word->text).number)
		return;
	sharing_mark_ban(
		s, word->text, word->number, is_own_name ? BAN_LIFTED : BAN_LIFTED_ELSEWHERE);
	if (is_own_name)
		told_drop(s->ban_doubts, word->text);
	if (bans_find_exactly(s->services->bans, &word->client, now, &ban) &&
		is_later(s, &ban, now, word))
		return;
	told_drop(s->bans, word->text);
	if (bans_lift(s->services->bans, &word->client, now, &ban))
		log_ban("unbanned by another node", word->text, word->node);
}

static bool is_same(const struct ban_info *ban, const struct ban_info *told)
{
	if (ban->by != told->by)
		return false;
	if (ban->left == CLOCK_NEVER || told->left == CLOCK_NEVER)
		return ban->left == told->left;
	return llabs((long long)(ban->left - told->left)) <= SAME_END_MS;
}

/* One by command gives way to none by failures, and in this run to none of before. */
static bool stays(struct sharing *s, const struct ban_info *ban, const struct ban_info *told,
	struct bans_time now, const struct word *word)
{
	if (ban->by != BAN_BY_COMMAND)
		return false;
	return told->by != BAN_BY_COMMAND ||
		(ban->since != CLOCK_NEVER && is_later(s, ban, now, word));
}

/* What is here is told behind that word, lest others have that for good. But where several are one
 * client here, what holds for all of them is no answer to what was said of one. */
static void answer(struct sharing *s, const struct ban_info *ban, struct bans_time now,
	const struct word *word)
{
	char identity[SHARING_BAN_IDENTITY_MAX];

	if (strcmp(word->name, word->text) == 0)
		told_drop(s->bans, word->text);
	else if (told_is(s->bans, word->text, identify(ban, now, identity)))
		told_note(s->bans, word->text, identity);
}

/* As by the command, live sessions end. */
static void end_sessions(struct sharing *s, const struct ban_info *told)
{
	if (told->by != BAN_BY_COMMAND)
		return;
	(void)registry_end_client(s->services->registry, &told->client, END_BANNED);
	users_wake_logins(s->services->users);
}

static void begin_ban(struct sharing *s, const struct ban_info *told, const struct word *word)
{
	char identity[SHARING_BAN_IDENTITY_MAX];
	struct bans_time now = bans_now();
	struct ban_info ban;
	bool is_here = bans_find_exactly(s->services->bans, &told->client, now, &ban);
	bool is_new = !is_here || !is_same(&ban, told);

	if (is_here && is_new && stays(s, &ban, told, now, word)) {
		answer(s, &ban, now, word);
		return;
	}
	/* Where it is full of bans by command, those have been before. */
	if (is_new && bans_take_over(s->services->bans, told, now) <= 0)
		return;
	if (bans_find_exactly(s->services->bans, &told->client, now, &ban))
		told_note(s->bans, word->text, identify(&ban, now, identity));
	if (is_new)
		log_ban("banned by another node", word->text, word->node);
	end_sessions(s, told);
}

/* Of two that have the same number: one by command, and of one cause that which ends later. */
static bool is_stronger(const struct ban_info *told, const struct ban_info *ban)
{
	if (told->by != ban->by)
		return told->by == BAN_BY_COMMAND;
	return told->left > ban->left;
}

/* What was heard before needs not be told again; if it was lifted here meanwhile, that is. When two
 * nodes have begun one within a second, the stronger is told behind both. What is older than what
 * is here has come late, and whoever comes next is not to find that. */
static void take_again(struct sharing *s, const struct ban_info *told, const struct word *word,
	const struct ban_mark *mark)
{
	bool is_older = word->number < mark->number;
	char identity[SHARING_BAN_IDENTITY_MAX];
	struct bans_time now = bans_now();
	struct ban_info ban;

	if (!bans_find_exactly(s->services->bans, &told->client, now, &ban) ||
		!told_is(s->bans, word->text, identify(&ban, now, identity)))
		return;
	if (!is_same(&ban, told) && !is_older && is_stronger(told, &ban))
		begin_ban(s, told, word);
	else if (!is_same(&ban, told))
		answer(s, &ban, now, word);
	else if (!is_older)
		told_note(s->bans, word->text, identity);
}

/* What is behind the cause of one by failures: how many logins failed, how often that happened,
 * how long it lasts and is remembered. */
static bool parse_failures(const char *text, struct ban_info *told)
{
	int64_t failures, times;

	if (!next_number(&text, BAN_MOST_FAILURES, &failures) ||
		!next_number(&text, UINT32_MAX, &times) ||
		!next_number(&text, BAN_LONGEST_MS, &told->lasts) || told->lasts < 1 ||
		!next_number(&text, BAN_LONGEST_MS, &told->memory) || !is_at_end(text))
		return false;
	told->failures = (unsigned)failures;
	told->times = (unsigned)times;
	return true;
}

/* The cause; moves to what is behind it. */
static bool parse_cause(const char **cursor, enum ban_cause *out)
{
	const char *rest = *cursor;

	*out = next_word_is(&rest, ban_cause_word(BAN_BY_FAILURES)) ? BAN_BY_FAILURES
								    : BAN_BY_COMMAND;
	return next_word_is(cursor, ban_cause_word(*out));
}

/* "UNTIL NUMBER CAUSE"; an UNTIL of 0 is never, and nobody is banned so but by command. */
static bool parse_ban(
	const struct sharing *s, const char *value, struct ban_info *told, int64_t *number)
{
	struct bans_time now = bans_now();
	int64_t until;

	if (!next_number(&value, sharing_engine_now(s) + BAN_LONGEST_MS / 1000, &until) ||
		!next_number(&value, LAST_SECOND, number) || !parse_cause(&value, &told->by))
		return false;
	told->left = until == 0 ? CLOCK_NEVER : (until - sharing_engine_now(s)) * 1000;
	told->until = until == 0 ? INT64_MAX : now.wall + told->left / 1000;
	told->begun = now.wall;
	told->lasts = told->left;
	if (told->by == BAN_BY_COMMAND)
		return true;
	if (until == 0 || told->left <= 0 || !parse_failures(value, told))
		return false;
	told->begun -= (told->lasts - told->left) / 1000;
	return true;
}

/* One whose end nobody was there to see is as good as lifted. */
static bool is_long_over(const struct sharing *s, const char *value, int64_t *number)
{
	int64_t until;

	return next_number(&value, sharing_engine_now(s) - SHARING_LIFTED_FOR, &until) &&
		until > 0 && next_number(&value, until, number);
}

static void take_begun(struct sharing *s, const char *value, struct word *word)
{
	struct ban_info told = {.client = word->client};
	struct ban_mark mark = sharing_ban_mark(s, word->text);

	if (!parse_ban(s, value, &told, &word->number))
		return;
	if (word->number <= mark.number && mark.word == BAN_STANDS) {
		take_again(s, &told, word, &mark);
		return;
	}
	if (told.left <= 0)
		return;
	if (word->number <= mark.number) {
		if (mark.word == BAN_LIFTED && strcmp(word->name, word->text) == 0)
			told_note(s->ban_doubts, word->text, "");
		return;
	}
	sharing_mark_ban(s, word->text, word->number, BAN_STANDS);
	begin_ban(s, &told, word);
}

static bool parse_lifted(const char *value, int64_t *number)
{
	return next_word_is(&value, "lifted") && next_number(&value, LAST_SECOND, number);
}

int sharing_take_ban(struct sharing *s, const char *node, const char *account, const char *value)
{
	struct word word = {.node = node, .name = account};

	if (!network_parse(account, strlen(account), &word.client))
		return 0;
	word.client = bans_whom(s->services->bans, &word.client);
	sharing_note_ban_name(s, account, network_format(&word.client, word.text));
	s->has_news = true;
	if (parse_lifted(value, &word.number) || is_long_over(s, value, &word.number))
		take_lifted(s, &word);
	else
		take_begun(s, value, &word);
	return 0;
}

/* ---- telling ---- */

static void format_ban(const struct sharing *s, const struct ban_info *ban, int64_t number,
	char out[SHARING_BAN_MAX])
{
	int len = snprintf(out, SHARING_BAN_MAX, "%lld %lld %s",
		ban->left == CLOCK_NEVER
			? 0LL
			: (long long)(sharing_engine_now(s) + (ban->left + 999) / 1000),
		(long long)number, ban_cause_word(ban->by));

	if (ban->by == BAN_BY_FAILURES)
		snprintf(out + len, SHARING_BAN_MAX - (size_t)len, " %u %u %lld %lld",
			ban->failures, ban->times, (long long)ban->lasts, (long long)ban->memory);
}

/* One that was told before, to whoever has lost it, is what it was. */
static int tell_begun(struct sharing *s, const char *key, const struct ban_info *ban,
	struct bans_time now, char *error)
{
	char client[NETWORK_TEXT_MAX], identity[SHARING_BAN_IDENTITY_MAX], value[SHARING_BAN_MAX];
	struct ban_mark mark = sharing_ban_mark(s, network_format(&ban->client, client));
	int64_t number = begun_of(s, ban, now);
	bool is_old =
		told_is(s->bans, client, identify(ban, now, identity)) && mark.word == BAN_STANDS;

	if (!told_differs(s->bans, client, identity))
		return 0;
	if (is_old || number <= mark.number)
		number = is_old ? mark.number : mark.number + 1;
	sharing_mark_ban(s, client, number, BAN_STANDS);
	format_ban(s, ban, number, value);
	return sharing_tell_field(s, key, "ban", client, value, error);
}

int sharing_tell_bans(struct sharing *s, char *error)
{
	struct bans_time now = bans_now();
	size_t count = 0;
	struct ban_info *list;
	char key[SHARING_KEY_MAX];
	int result = 0;

	if (!bans_any(s->services->bans) && !sharing_has_ban_ends(s))
		return 0;
	list = bans_list(s->services->bans, now, &count);
	if (list == NULL)
		return sharing_no_memory(error);
	sharing_key(s, "bans", NULL, key);
	for (size_t i = 0; i < count && result == 0; i++)
		result = tell_begun(s, key, &list[i], now, error);
	free(list);
	return result < 0 ? -1 : sharing_tell_ban_ends(s, key, error);
}
