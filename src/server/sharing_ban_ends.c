/*
 * That a ban was lifted is a word like that of a ban, and stays known when there is nothing left in
 * the table of bans that would tell it again. What was lifted here is to be told until the engine
 * has it, over a restart, too. What was lifted by whomever is told again where the engine has lost
 * it or says what was before.
 *
 * It is remembered for who was away, but neither for ever nor of however many: whoever joins, and
 * each node once a day, takes the oldest away.
 */
#include "server/sharing_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"

/* What was said of a client last, by whomever: "NUMBER WORD". */
#define MARK_MAX 40

static const char *const words[] = {
	[BAN_STANDS] = "ban", [BAN_LIFTED] = "lifted", [BAN_LIFTED_ELSEWHERE] = "elsewhere"};

/* Of how many clients it is remembered that they were lifted. */
#define LIFTED_MOST BANS_MOST

/* ---- what was said last ---- */

static struct ban_mark parse_mark(const char *value)
{
	struct ban_mark m = {.word = BAN_LIFTED_ELSEWHERE};
	char *end;

	m.number = strtoll(value, &end, 10);
	while (m.word != BAN_STANDS && strcmp(end + 1, words[m.word]) != 0)
		m.word--;
	return m;
}

struct ban_mark sharing_ban_mark(const struct sharing *s, const char *client)
{
	const char *value = told_value(s->ban_marks, client);
	const struct ban_mark none = {0};

	return value == NULL ? none : parse_mark(value);
}

void sharing_mark_ban(struct sharing *s, const char *client, int64_t number, enum ban_word word)
{
	char value[MARK_MAX];

	snprintf(value, sizeof(value), "%lld %s", (long long)number, words[word]);
	told_note(s->ban_marks, client, value);
}

static bool is_lifted(struct ban_mark mark)
{
	return mark.number > 0 && mark.word == BAN_LIFTED;
}

/* ---- what has ended here ---- */

/* How: before its time; or, with the number of what was said last, as all know that it would, of
 * which nothing is said any more. */
#define LIFTED "lifted"

/* Behind all that was said of the client. It stands until it is told. */
static void note_lift(struct sharing *s, const char *client)
{
	int64_t number = sharing_engine_now(s);
	struct ban_mark mark = sharing_ban_mark(s, client);
	char value[24];

	if (number <= mark.number)
		number = mark.number + 1;
	sharing_mark_ban(s, client, number, BAN_LIFTED);
	snprintf(value, sizeof(value), "%lld", (long long)number);
	(void)!standing_put(s->services->standing, STANDING_LIFTED, client, value);
	told_note(s->ban_ends, client, LIFTED);
	s->has_news = true;
}

static void note_over(struct sharing *s, const char *client)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)sharing_ban_mark(s, client).number);
	told_drop(s->ban_marks, client);
	told_note(s->ban_ends, client, number);
}

static bool note_end(void *context, const char *client, const char *identity)
{
	struct sharing *s = context;
	int64_t until = strtoll(identity, NULL, 10);
	struct network who;
	struct ban_info ban;

	if (!network_parse(client, strlen(client), &who) ||
		bans_find_exactly(s->services->bans, &who, bans_now(), &ban))
		return false;
	if (until != 0 && until <= clock_ms())
		note_over(s, client);
	else
		note_lift(s, client);
	return true;
}

static void recall_lift(struct sharing *s, const struct standing_fact *fact)
{
	int64_t number;

	if (!parse_number(fact->value, &number))
		return;
	sharing_mark_ban(s, fact->key, number, BAN_LIFTED);
	told_note(s->ban_ends, fact->key, LIFTED);
}

static void recall_lifts(struct sharing *s)
{
	size_t count = 0;
	struct standing_fact *facts = standing_list(s->services->standing, STANDING_LIFTED, &count);

	for (size_t i = 0; facts != NULL && i < count; i++)
		recall_lift(s, &facts[i]);
	free(facts);
}

/* Others may know of what an earlier run has left, so its end is to be told. */
static void recall_bans(struct sharing *s)
{
	char client[NETWORK_TEXT_MAX], identity[SHARING_BAN_IDENTITY_MAX];
	struct bans_time now = bans_now();
	size_t count = 0;
	struct ban_info *list = bans_list(s->services->bans, now, &count);

	for (size_t i = 0; list != NULL && i < count; i++) {
		if (list[i].since != CLOCK_NEVER)
			continue;
		snprintf(identity, sizeof(identity), "%lld kept",
			list[i].left == CLOCK_NEVER ? 0LL : (long long)(now.ms + list[i].left));
		told_note(s->bans, network_format(&list[i].client, client), identity);
	}
	free(list);
}

/* Until the engine's clock is known, the own one of the day has to do, as it is by now. */
void sharing_note_ban_ends(struct sharing *s)
{
	if (!s->knows_clock)
		s->engine_ahead_ms = (int64_t)time(NULL) * 1000 - clock_ms();
	if (!s->has_recalled_bans) {
		recall_lifts(s);
		recall_bans(s);
		s->has_recalled_bans = true;
	}
	told_sift(s->bans, note_end, s);
}

/* ---- what the engine may not know ---- */

static bool doubt_lift(void *context, const char *client, const char *value)
{
	struct sharing *s = context;

	if (is_lifted(parse_mark(value)))
		told_note(s->ban_doubts, client, "");
	return false;
}

void sharing_doubt_lifts(struct sharing *s)
{
	told_sift(s->ban_marks, doubt_lift, s);
}

/* ---- telling ---- */

bool sharing_has_ban_ends(const struct sharing *s)
{
	return told_count(s->ban_ends) > 0 || told_count(s->ban_doubts) > 0;
}

struct telling {
	struct sharing *s;
	const char *key;
	char *error;
	int result;
};

static const char *format_lifted(struct ban_mark mark, char out[SHARING_BAN_MAX])
{
	snprintf(out, SHARING_BAN_MAX, "lifted %lld", (long long)mark.number);
	return out;
}

/* Nothing is said of the client any more, under whichever name. */
static int tell_nothing_of(struct sharing *s, const char *key, const char *client, char *error)
{
	SHARING_ASK(s, "HDEL", key, client);
	if (sharing_tell_ban_names(s, key, client, NULL, error) < 0)
		return -1;
	return sharing_settle_batch(s, error);
}

static int tell_over(const struct telling *t, const char *client)
{
	told_drop(t->s->ban_marks, client);
	return tell_nothing_of(t->s, t->key, client, t->error);
}

static int tell_lifted(const struct telling *t, const char *client, struct ban_mark mark)
{
	char value[SHARING_BAN_MAX];

	format_lifted(mark, value);
	if (sharing_tell_ban_names(t->s, t->key, client, value, t->error) < 0)
		return -1;
	return sharing_tell_field(t->s, t->key, "ban", client, value, t->error);
}

/* Unless something was said since: of one that was over, anything that is later. */
static bool tell_end(void *context, const char *client, const char *how)
{
	struct telling *t = context;
	struct ban_mark mark = sharing_ban_mark(t->s, client);
	bool is_lift = strcmp(how, LIFTED) == 0;

	if (t->result < 0)
		return false;
	if (is_lift && mark.number > 0 && mark.word != BAN_STANDS)
		t->result = tell_lifted(t, client, mark);
	else if (!is_lift && mark.number <= strtoll(how, NULL, 10))
		t->result = tell_over(t, client);
	return false;
}

/* The same, and only what was said under this node's name: of others several may be one client
 * here, who were not all lifted. */
static bool tell_doubt(void *context, const char *client, const char *ignored)
{
	struct telling *t = context;
	struct ban_mark mark = sharing_ban_mark(t->s, client);
	char value[SHARING_BAN_MAX];

	(void)ignored;
	if (t->result == 0 && is_lifted(mark) && told_value(t->s->ban_ends, client) == NULL)
		t->result = sharing_tell_field(
			t->s, t->key, "ban", client, format_lifted(mark, value), t->error);
	return false;
}

static bool forget_end(void *context, const char *client, const char *ignored)
{
	struct sharing *s = context;

	(void)ignored;
	(void)!standing_put(s->services->standing, STANDING_LIFTED, client, NULL);
	return true;
}

static bool forget_doubt(void *context, const char *client, const char *ignored)
{
	(void)context;
	(void)client;
	(void)ignored;
	return true;
}

int sharing_tell_ban_ends(struct sharing *s, const char *key, char *error)
{
	struct telling t = {.s = s, .key = key, .error = error};

	told_sift(s->ban_ends, tell_end, &t);
	told_sift(s->ban_doubts, tell_doubt, &t);
	if (t.result < 0 || sharing_settle(s, error) < 0)
		return -1;
	told_sift(s->ban_ends, forget_end, s);
	told_sift(s->ban_doubts, forget_doubt, NULL);
	return 0;
}

/* ---- what is forgotten ---- */

struct sweep {
	struct sharing *s;
	const char *key;
	int64_t *numbers; /* of those that were lifted */
	size_t count;
	int64_t last; /* that goes */
	char *error;
	int result;
};

static bool note_number(void *context, const char *client, const char *value)
{
	struct sweep *sweep = context;
	struct ban_mark mark = parse_mark(value);

	(void)client;
	if (mark.word != BAN_STANDS)
		sweep->numbers[sweep->count++] = mark.number;
	return false;
}

static int compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Where there are too many, the oldest go: of those of one second, all. */
static int bound_lifted(struct sweep *sweep)
{
	size_t count = told_count(sweep->s->ban_marks);

	if (count <= LIFTED_MOST)
		return 0;
	sweep->numbers = calloc(count, sizeof(*sweep->numbers));
	if (sweep->numbers == NULL)
		return sharing_no_memory(sweep->error);
	told_sift(sweep->s->ban_marks, note_number, sweep);
	qsort(sweep->numbers, sweep->count, sizeof(*sweep->numbers), compare_numbers);
	if (sweep->count > LIFTED_MOST &&
		sweep->numbers[sweep->count - LIFTED_MOST - 1] > sweep->last)
		sweep->last = sweep->numbers[sweep->count - LIFTED_MOST - 1];
	free(sweep->numbers);
	return 0;
}

static bool take_away(void *context, const char *client, const char *value)
{
	struct sweep *sweep = context;
	struct ban_mark mark = parse_mark(value);

	if (sweep->result < 0 || mark.word == BAN_STANDS || mark.number > sweep->last)
		return false;
	sweep->result = tell_nothing_of(sweep->s, sweep->key, client, sweep->error);
	return sweep->result == 0;
}

int sharing_sweep_bans(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];
	struct sweep sweep = {
		.s = s,
		.key = sharing_key(s, "bans", NULL, key),
		.last = sharing_engine_now(s) - SHARING_LIFTED_FOR,
		.error = error,
	};

	if (bound_lifted(&sweep) < 0)
		return -1;
	told_sift(s->ban_marks, take_away, &sweep);
	return sweep.result < 0 ? -1 : sharing_settle(s, error);
}
