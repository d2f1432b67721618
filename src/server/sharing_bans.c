/*
 * A ban is put where those of this node are, so doors know of one table only. What is told of one
 * is by the engine's clock, since those of nodes may differ: each node knows by how much its own
 * does.
 */
#include "server/sharing_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"

/* ---- as text ---- */

/* By the engine's clock. */
static int64_t engine_now(const struct sharing *s)
{
	return (int64_t)time(NULL) + s->ahead;
}

/* "UNTIL BEGUN LASTS FAILURES TIMES MEMORY CAUSE", where an UNTIL of 0 is never. */
const char *sharing_format_ban(
	const struct sharing *s, const struct ban_info *ban, char out[SHARING_BAN_MAX])
{
	bool ends = ban->until != INT64_MAX;

	snprintf(out, SHARING_BAN_MAX, "%" PRId64 " %" PRId64 " %" PRId64 " %u %u %" PRId64 " %s",
		ends ? ban->until + s->ahead : 0, ban->begun + s->ahead, ends ? ban->lasts : 0,
		ban->failures, ban->times, ban->memory, ban_cause_word(ban->by));
	return out;
}

enum ban_field { UNTIL, BEGUN, LASTS, FAILURES, TIMES, MEMORY, BAN_FIELDS };

static bool parse_fields(const char **text, int64_t fields[BAN_FIELDS])
{
	static const int64_t most[BAN_FIELDS] = {SHARING_LAST_SECOND, SHARING_LAST_SECOND,
		BAN_LONGEST_MS, BAN_MOST_FAILURES, UINT32_MAX, BAN_LONGEST_MS};
	const char *word;
	char copy[24];
	size_t len;

	for (size_t i = 0; i < BAN_FIELDS; i++) {
		if (!parse_next_word(text, &word, &len) || len >= sizeof(copy))
			return false;
		snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
		if (!parse_number(copy, &fields[i]) || fields[i] < 0 || fields[i] > most[i])
			return false;
	}
	return true;
}

static bool parse_cause(const char *text, enum ban_cause *cause)
{
	const char *word;
	size_t len;

	if (!parse_next_word(&text, &word, &len))
		return false;
	for (*cause = 0; *cause < BAN_CAUSES; (*cause)++) {
		if (strlen(ban_cause_word(*cause)) == len &&
			memcmp(ban_cause_word(*cause), word, len) == 0)
			return true;
	}
	return false;
}

#define LIFTED "lifted "

/* By the engine's clock. */
static bool parse_lifted(const char *text, int64_t *out)
{
	return strncmp(text, LIFTED, strlen(LIFTED)) == 0 &&
		parse_number(text + strlen(LIFTED), out) && *out <= SHARING_LAST_SECOND;
}

/* What has no end was said by somebody. */
static bool parse_ban(const struct sharing *s, const char *text, struct ban_info *out)
{
	int64_t fields[BAN_FIELDS];
	bool ends;

	if (!parse_fields(&text, fields) || !parse_cause(text, &out->by))
		return false;
	ends = fields[UNTIL] != 0;
	out->until = ends ? fields[UNTIL] - s->ahead : INT64_MAX;
	out->begun = fields[BEGUN] - s->ahead;
	out->lasts = ends ? fields[LASTS] : CLOCK_NEVER;
	out->failures = (unsigned)fields[FAILURES];
	out->times = (unsigned)fields[TIMES];
	out->memory = fields[MEMORY];
	return ends || out->by == BAN_BY_COMMAND;
}

/* ---- telling ---- */

/* A ban that is gone was lifted unless it has ended as all know that it would. Then it stays known
 * for when: later than it had begun by whichever clock. */
static int tell_lifted(struct sharing *s, const char *key, char *error)
{
	const char *client, *last;
	char value[SHARING_BAN_MAX];
	int64_t now = engine_now(s);
	int result = 0;

	while (result == 0 && (client = told_next_gone(s->bans, &last)) != NULL) {
		long long until = 0, begun = 0;

		(void)sscanf(last, "%lld %lld", &until, &begun);
		snprintf(value, sizeof(value), LIFTED "%lld",
			begun >= now ? begun + 1 : (long long)now);
		if (until != 0 && until <= now) {
			SHARING_ASK(s, "HDEL", key, client);
			result = sharing_settle_batch(s, error);
		} else {
			result = sharing_tell_field(s, key, "ban", client, value, error);
		}
	}
	return result;
}

int sharing_tell_bans(struct sharing *s, char *error)
{
	struct bans *bans = s->services->bans;
	size_t count = 0;
	struct ban_info *list;
	char key[SHARING_KEY_MAX], client[NETWORK_TEXT_MAX], value[SHARING_BAN_MAX];
	int result = 0;

	if (!bans_any(bans) && told_count(s->bans) == 0)
		return 0;
	list = bans_list(bans, bans_now(), &count);
	if (list == NULL)
		return sharing_no_memory(error);
	sharing_key(s, "bans", NULL, key);
	told_begin(s->bans);
	for (size_t i = 0; i < count && result == 0; i++) {
		network_format(&list[i].client, client);
		if (told_differs(s->bans, client, sharing_format_ban(s, &list[i], value)))
			result = sharing_tell_field(s, key, "ban", client, value, error);
	}
	free(list);
	if (result < 0 || tell_lifted(s, key, error) < 0)
		return -1;
	return sharing_settle(s, error);
}

/* ---- hearing ---- */

static void log_ban(const char *msg, const char *client, const char *node)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, msg);
	log_text(&line, "client", client);
	log_text(&line, "node", node);
	log_end(&line);
}

/* The ban of exactly that client, if there is one. */
static bool find_ban(struct sharing *s, const struct network *client, struct ban_info *out)
{
	struct network whom = bans_whom(s->services->bans, client);

	return bans_find(s->services->bans, &whom, bans_now(), out) &&
		out->client.prefix == whom.prefix;
}

/* `lifted`: when, by this host's clock. */
static void lift(struct sharing *s, const struct network *client, int64_t lifted, const char *node)
{
	char text[NETWORK_TEXT_MAX];
	struct ban_info info;

	if (!find_ban(s, client, &info) || info.begun > lifted ||
		!bans_lift(s->services->bans, client, bans_now(), &info))
		return;
	told_drop(s->bans, network_format(client, text));
	log_ban("unbanned by another node", text, node);
}

/* Clocks are read at different times. */
#define SAME_S 2

static bool is_same_end(int64_t a, int64_t b)
{
	return a == b || (a != INT64_MAX && b != INT64_MAX && llabs(a - b) <= SAME_S);
}

/* Who is banned by command loses his sessions, as he does where the command was given. */
static void put_ban(struct sharing *s, const struct ban_info *told, const char *node)
{
	char text[NETWORK_TEXT_MAX], own[SHARING_BAN_MAX];
	struct services *v = s->services;
	struct ban_info info;

	if (find_ban(s, &told->client, &info) && info.by == told->by &&
		is_same_end(info.until, told->until))
		return;
	/* Or full of bans by command: those here have been before. */
	if (bans_take_over(v->bans, told, bans_now()) <= 0)
		return;
	network_format(&told->client, text);
	if (find_ban(s, &told->client, &info))
		told_note(s->bans, text, sharing_format_ban(s, &info, own));
	log_ban("banned by another node", text, node);
	if (told->by == BAN_BY_COMMAND) {
		(void)registry_end_client(v->registry, &told->client, END_BANNED);
		users_wake_logins(v->users);
	}
}

int sharing_take_ban(struct sharing *s, const char *node, const char *account, const char *value)
{
	struct ban_info told = {.refused = 0};
	int64_t lifted;

	if (!network_parse(account, strlen(account), &told.client))
		return 0;
	if (parse_lifted(value, &lifted))
		lift(s, &told.client, lifted - s->ahead, node);
	else if (!told_is(s->bans, account, value) && parse_ban(s, value, &told))
		put_ban(s, &told, node);
	return 0;
}
