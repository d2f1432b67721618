/*
 * Each ban is put into `standing` as it is now, outside of the lock. Whoever has put it there looks
 * whether it became another meanwhile, and then puts that: so what stands there in the end is what
 * is in the map, whichever of two threads is late.
 */
#include "state/bans_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define VALUE_MAX 192
#define FIELDS 6

/* "failures BEGUN UNTIL LASTS FAILURES TIMES MEMORY", where 0 is an end that never comes. */
static void format_value(const struct ban *ban, char out[VALUE_MAX])
{
	bool ends = ban->until != CLOCK_NEVER;

	snprintf(out, VALUE_MAX, "%s %lld %lld %lld %u %u %lld", ban_cause_word(ban->by),
		(long long)ban->begun, ends ? (long long)ban->until_wall : 0,
		ends ? (long long)ban->lasts : 0, ban->failures, ban->times,
		(long long)ban->memory);
}

/* False when there is none under that name. */
static bool read_value(
	struct bans *b, const struct network *client, char out[VALUE_MAX], uint64_t *generation)
{
	const struct ban *ban;

	mutex_lock(&b->lock);
	ban = bans_get_exactly_locked(b, client);
	if (ban != NULL)
		format_value(ban, out);
	*generation = b->generation;
	mutex_unlock(&b->lock);
	return ban != NULL;
}

static bool is_outdated(struct bans *b, uint64_t generation)
{
	bool outdated;

	mutex_lock(&b->lock);
	outdated = b->generation != generation;
	mutex_unlock(&b->lock);
	return outdated;
}

int bans_let_stand(struct bans *b, const struct network *client)
{
	char key[NETWORK_TEXT_MAX], value[VALUE_MAX];
	uint64_t generation;
	int result;

	if (b->standing == NULL || client->base.sa.sa_family == AF_UNSPEC)
		return 0;
	network_format(client, key);
	do {
		bool is_there = read_value(b, client, value, &generation);

		result = standing_put(b->standing, STANDING_BAN, key, is_there ? value : NULL);
	} while (is_outdated(b, generation));
	return result;
}

static bool parse_cause(const char *word, size_t len, enum ban_cause *cause)
{
	for (enum ban_cause c = 0; c < BAN_CAUSES; c++) {
		if (strlen(ban_cause_word(c)) == len && memcmp(ban_cause_word(c), word, len) == 0) {
			*cause = c;
			return true;
		}
	}
	return false;
}

/* No time of it is further off than the year 5138. */
#define LAST_SECOND INT64_C(99999999999)

static bool parse_field(const char **text, int64_t most, int64_t *out)
{
	char copy[32];
	const char *word;
	size_t len;

	if (!parse_next_word(text, &word, &len) || len >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	return parse_number(copy, out) && *out <= most;
}

/* By the clock of this run; its end is never further off than it was at the beginning. */
static void set_end(struct ban *ban, struct bans_time now)
{
	int64_t left = (ban->until_wall - now.wall) * 1000;

	if (left > ban->lasts) {
		left = ban->lasts;
		ban->until_wall = now.wall + (left + 999) / 1000;
	}
	ban->until = now.ms + left;
}

static void set_no_end(struct ban *ban)
{
	ban->until_wall = INT64_MAX;
	ban->until = ban->lasts = CLOCK_NEVER;
}

/* What stood under a key. False when it is none, or none that could be. */
static bool parse_value(const char *text, struct bans_time now, struct ban *ban)
{
	static const int64_t most[FIELDS] = {LAST_SECOND, LAST_SECOND, BAN_LONGEST_MS,
		BAN_MOST_FAILURES, UINT32_MAX, BAN_LONGEST_MS};
	int64_t fields[FIELDS];
	const char *word;
	size_t len;

	if (!parse_next_word(&text, &word, &len) || !parse_cause(word, len, &ban->by))
		return false;
	for (size_t i = 0; i < FIELDS; i++) {
		if (!parse_field(&text, most[i], &fields[i]))
			return false;
	}
	ban->begun = fields[0];
	ban->since = CLOCK_NEVER;
	ban->until_wall = fields[1];
	ban->lasts = fields[2];
	ban->failures = (unsigned)fields[3];
	ban->times = (unsigned)fields[4];
	ban->memory = fields[5];
	if (ban->until_wall > 0)
		set_end(ban, now);
	else
		set_no_end(ban);
	return ban->until != CLOCK_NEVER || ban->by == BAN_BY_COMMAND;
}

static void set_locked(struct bans *b, struct ban *ban, const struct ban *was, struct bans_time now)
	REQUIRES(&b->lock)
{
	ban->by = was->by;
	ban->failures = was->failures;
	ban->times = was->times;
	ban->begun = was->begun;
	ban->since = was->since;
	ban->until_wall = was->until_wall;
	ban->until = was->until;
	ban->lasts = was->lasts;
	ban->memory = was->memory;
	bans_set_holds_locked(b, ban, now.ms < ban->until);
}

static void restore_locked(struct bans *b, const struct network *client, const struct ban *was,
	struct bans_time now, struct network *dropped) REQUIRES(&b->lock)
{
	struct ban *ban = bans_take_locked(b, client, dropped);

	if (ban != NULL)
		set_locked(b, ban, was, now);
}

/* It no longer stands as what was read, but as what it came to, if it came to anything. */
static void restore_fact(struct bans *b, const struct standing_fact *fact, struct bans_time now)
{
	struct network client, dropped = {.base = {.sa = {.sa_family = AF_UNSPEC}}};
	struct ban was = {.holds = false};

	if (standing_put(b->standing, STANDING_BAN, fact->key, NULL) < 0 ||
		!network_parse(fact->key, strlen(fact->key), &client) ||
		!parse_value(fact->value, now, &was) || now.ms >= bans_end_of_memory(&was))
		return;
	mutex_lock(&b->lock);
	restore_locked(b, &client, &was, now, &dropped);
	mutex_unlock(&b->lock);
	(void)bans_let_stand(b, &dropped);
	(void)bans_let_stand(b, &client);
}

void bans_restore(struct bans *b, struct bans_time now)
{
	struct standing_fact *facts;
	size_t count = 0;

	facts = b->standing == NULL ? NULL : standing_list(b->standing, STANDING_BAN, &count);
	for (size_t i = 0; facts != NULL && i < count; i++)
		restore_fact(b, &facts[i], now);
	free(facts);
}

/* ---- from other servers ---- */

static struct ban ban_of(const struct ban_info *told, struct bans_time now)
{
	struct ban ban = {.by = told->by,
		.failures = told->failures,
		.times = told->times,
		.begun = told->begun,
		.since = now.ms,
		.until_wall = told->until,
		.lasts = told->lasts,
		.memory = told->memory};

	if (told->until == INT64_MAX)
		set_no_end(&ban);
	else
		set_end(&ban, now);
	return ban;
}

static bool gives_way(const struct ban *here, const struct ban *there, int64_t now)
{
	return !here->holds || now >= here->until || here->by != BAN_BY_COMMAND ||
		there->by == BAN_BY_COMMAND;
}

/* As bans_take_over(). */
static int take_over_locked(struct bans *b, const struct network *client, const struct ban *there,
	struct bans_time now, struct network *dropped) REQUIRES(&b->lock)
{
	struct ban *ban = bans_get_exactly_locked(b, client);

	dropped->base.sa.sa_family = AF_UNSPEC;
	if (ban != NULL && !gives_way(ban, there, now.ms))
		return 0;
	ban = bans_take_locked(b, client, dropped);
	if (ban == NULL)
		return -1;
	ban->refused = 0;
	set_locked(b, ban, there, now);
	return 1;
}

int bans_take_over(struct bans *b, const struct ban_info *told, struct bans_time now)
{
	struct network client = bans_whom(b, &told->client), dropped;
	struct ban there = ban_of(told, now);
	struct ban_info lifted;
	int result;

	if (there.until <= now.ms)
		return 0;
	mutex_lock(&b->lock);
	result = take_over_locked(b, &client, &there, now, &dropped);
	mutex_unlock(&b->lock);
	if (result == 1 && bans_let_stand(b, &client) < 0) {
		(void)bans_lift(b, &client, now, &lifted);
		errno = ENOMEM;
		result = -1;
	}
	(void)bans_let_stand(b, &dropped);
	if (result == 1 && b->ring != NULL)
		b->ring(b->ring_context);
	return result;
}
