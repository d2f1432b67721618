/*
 * For each key three functions: read, put, and widen where a group may say it. What is put is read
 * as the same; for times that is said in local time.
 */
#include "state/limit_keys.h"

#include <string.h>

#include "base/calendar.h"
#include "base/parse.h"

bool limit_value_is(const struct limit_value *v, const char *word)
{
	return strlen(word) == v->len && memcmp(word, v->text, v->len) == 0;
}

/* ---- groups ---- */

const char *limits_group_problem(const char *name, size_t len)
{
	if (len == 0 || len > 64)
		return "the name of a group has 1 to 64 bytes";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || strchr(":,\"@#=;", c) != NULL)
			return "the name of a group has no blanks, commas, colons, quotes, @, #, = "
			       "or ;";
	}
	return NULL;
}

/* One name of a list, which is moved behind it; false at its end. */
static bool next_name(struct limit_value *list, struct limit_value *name)
{
	const char *comma;

	if (list->len == 0)
		return false;
	comma = memchr(list->text, ',', list->len);
	name->text = list->text;
	name->len = comma == NULL ? list->len : (size_t)(comma - list->text);
	list->text += name->len + (comma != NULL);
	list->len -= name->len + (comma != NULL);
	return true;
}

bool limits_in_group(const char *groups, const char *name, size_t len)
{
	struct limit_value list = {groups, strlen(groups)}, one;

	while (next_name(&list, &one)) {
		if (one.len == len && memcmp(one.text, name, len) == 0)
			return true;
	}
	return false;
}

static bool read_groups(const struct limit_value *v, struct limits *out, char *why)
{
	struct limit_value list = *v, name;
	size_t at = 0;

	if (v->len >= LIMITS_GROUPS_MAX || v->text[v->len - 1] == ',')
		return snprintf(why, LIMITS_ERROR_MAX,
			       "legal are names of groups such as "
			       "staff,night, at most 255 bytes") < 0;
	while (next_name(&list, &name)) {
		const char *problem = limits_group_problem(name.text, name.len);

		if (problem != NULL)
			return snprintf(why, LIMITS_ERROR_MAX, "%s", problem) < 0;
		out->groups[at] = '\0';
		if (limits_in_group(out->groups, name.text, name.len))
			continue;
		if (at > 0)
			out->groups[at++] = ',';
		memcpy(out->groups + at, name.text, name.len);
		at += name.len;
	}
	out->groups[at] = '\0';
	return true;
}

static void put_groups(const struct limits *limits, FILE *out)
{
	fputs(limits->groups, out);
}

/* ---- numbers of sessions ---- */

static bool read_count(const struct limit_value *v, uint32_t *out, char *why)
{
	char text[16];
	int64_t n = 0;

	snprintf(text, sizeof(text), "%.*s", (int)(v->len < 15 ? v->len : 15), v->text);
	if (v->len > 15 || !parse_number(text, &n) || n < 1 || n > LIMITS_NUMBER_MAX)
		return snprintf(why, LIMITS_ERROR_MAX, "legal is none or a number from 1 to %lld",
			       (long long)LIMITS_NUMBER_MAX) < 0;
	*out = (uint32_t)n;
	return true;
}

static bool read_sessions(const struct limit_value *v, struct limits *out, char *why)
{
	return read_count(v, &out->sessions, why);
}

static void put_sessions(const struct limits *limits, FILE *out)
{
	fprintf(out, "%u", limits->sessions);
}

static bool read_sessions_client(const struct limit_value *v, struct limits *out, char *why)
{
	return read_count(v, &out->sessions_client, why);
}

static void put_sessions_client(const struct limits *limits, FILE *out)
{
	fprintf(out, "%u", limits->sessions_client);
}

static uint64_t more(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void widen_sessions(struct limits *limits, const struct limits *other)
{
	limits->sessions = (uint32_t)more(limits->sessions, other->sessions);
}

static void widen_sessions_client(struct limits *limits, const struct limits *other)
{
	limits->sessions_client = (uint32_t)more(limits->sessions_client, other->sessions_client);
}

/* ---- rates ---- */

static bool read_rate(const struct limit_value *v, struct limits *out, char *why)
{
	return amount_parse_rate(v->text, v->len, &out->down, &out->up, why);
}

static void put_rate(const struct limits *limits, FILE *out)
{
	char text[AMOUNT_TEXT_MAX];

	fputs(amount_format_rate(limits->down, limits->up, text), out);
}

/* No limit, which is 0, is the most. */
static uint64_t faster(uint64_t a, uint64_t b)
{
	return a == 0 || b == 0 ? 0 : more(a, b);
}

static void widen_rate(struct limits *limits, const struct limits *other)
{
	limits->down = faster(limits->down, other->down);
	limits->up = faster(limits->up, other->up);
	if (limits->down == 0 && limits->up == 0)
		limits->said[LIMIT_RATE] = LIMIT_LIFTED;
}

/* ---- quotas ---- */

#define LEGAL_QUOTA                                                                                \
	"legal is none or a size and its period: 50GB/month, 1GB/day, 5GB/week, "                  \
	"50GB/month@15"

static const char *const period_words[] = {
	[QUOTA_DAY] = "day", [QUOTA_WEEK] = "week", [QUOTA_MONTH] = "month"};

static bool read_period(const struct limit_value *v, struct quota *out)
{
	const char *at = memchr(v->text, '@', v->len);
	struct limit_value word = {v->text, at == NULL ? v->len : (size_t)(at - v->text)};
	struct limit_value day = {
		at == NULL ? NULL : at + 1, at == NULL ? 0 : v->len - word.len - 1};
	size_t i = 0;

	while (i < 3 && !limit_value_is(&word, period_words[i]))
		i++;
	if (i == 3)
		return false;
	out->period = (enum quota_period)i;
	out->day = 1;
	if (at == NULL)
		return true;
	if (i != QUOTA_MONTH || day.len < 1 || day.len > 2)
		return false;
	out->day = 0;
	for (i = 0; i < day.len; i++) {
		if (day.text[i] < '0' || day.text[i] > '9')
			return false;
		out->day = out->day * 10 + (unsigned)(day.text[i] - '0');
	}
	return out->day >= 1 && out->day <= 31;
}

static bool read_quota(const struct limit_value *v, struct limits *out, char *why)
{
	const char *slash = memchr(v->text, '/', v->len);
	struct limit_value period;

	if (slash == NULL) {
		snprintf(why, LIMITS_ERROR_MAX, LEGAL_QUOTA);
		return false;
	}
	period = (struct limit_value){slash + 1, v->len - (size_t)(slash - v->text) - 1};
	if (!amount_parse_size(v->text, (size_t)(slash - v->text), &out->quota.bytes, why))
		return false;
	if (!read_period(&period, &out->quota)) {
		snprintf(why, LIMITS_ERROR_MAX, LEGAL_QUOTA);
		return false;
	}
	return true;
}

static void put_quota(const struct limits *limits, FILE *out)
{
	const struct quota *q = &limits->quota;
	char text[AMOUNT_TEXT_MAX];

	fprintf(out, "%s/%s", amount_format_size(q->bytes, text), period_words[q->period]);
	if (q->period == QUOTA_MONTH && q->day != 1)
		fprintf(out, "@%u", q->day);
}

/* In the long run, so that quotas of different periods can be compared. */
static long double bytes_a_day(const struct quota *q)
{
	static const long double days[] = {1, 7, 365.2425L / 12};

	return (long double)q->bytes / days[q->period];
}

static void widen_quota(struct limits *limits, const struct limits *other)
{
	if (bytes_a_day(&other->quota) > bytes_a_day(&limits->quota))
		limits->quota = other->quota;
}

static bool read_over(const struct limit_value *v, struct limits *out, char *why)
{
	if (limit_value_is(v, "cut") || limit_value_is(v, "refuse")) {
		out->over = limit_value_is(v, "cut") ? OVER_CUT : OVER_REFUSE;
		return true;
	}
	if (v->len > 5 && memcmp(v->text, "slow:", 5) == 0) {
		out->over = OVER_SLOW;
		if (!amount_parse_rate(
			    v->text + 5, v->len - 5, &out->slow_down, &out->slow_up, why))
			return false;
		if (out->slow_down != 0 || out->slow_up != 0)
			return true;
	}
	snprintf(why, LIMITS_ERROR_MAX, "legal is cut, refuse or slow:RATE, as in slow:256kbit");
	return false;
}

static void put_over(const struct limits *limits, FILE *out)
{
	char text[AMOUNT_TEXT_MAX];

	if (limits->over == OVER_SLOW)
		fprintf(out, "slow:%s",
			amount_format_rate(limits->slow_down, limits->slow_up, text));
	else
		fputs(limits->over == OVER_CUT ? "cut" : "refuse", out);
}

static void widen_over(struct limits *limits, const struct limits *other)
{
	if (limits->over == OVER_SLOW && other->over == OVER_SLOW) {
		limits->slow_down = faster(limits->slow_down, other->slow_down);
		limits->slow_up = faster(limits->slow_up, other->slow_up);
	} else if (other->over > limits->over) {
		limits->over = other->over;
		limits->slow_down = other->slow_down;
		limits->slow_up = other->slow_up;
	}
}

/* ---- an end ---- */

static bool read_expires(const struct limit_value *v, struct limits *out, char *why)
{
	if (calendar_parse_end(v->text, v->len, &out->expires))
		return true;
	snprintf(why, LIMITS_ERROR_MAX,
		"legal is none, a date such as 2026-12-31, at whose end it expires, or a local "
		"time such as 2026-12-31T18:00");
	return false;
}

static void put_expires(const struct limits *limits, FILE *out)
{
	char text[CALENDAR_END_MAX];

	fputs(calendar_format_end(limits->expires, text), out);
}

static void widen_expires(struct limits *limits, const struct limits *other)
{
	if (other->expires > limits->expires)
		limits->expires = other->expires;
}

/* ---- where from ---- */

static bool read_from(const struct limit_value *v, struct limits *out, char *why)
{
	struct limit_value list = *v, name;

	out->from_count = 0;
	while (next_name(&list, &name)) {
		if (out->from_count < LIMITS_FROM_MAX &&
			network_parse(name.text, name.len, &out->from[out->from_count])) {
			out->from_count++;
			continue;
		}
		snprintf(why, LIMITS_ERROR_MAX,
			"\"%.*s\": legal are none or at most %d networks such as "
			"192.168.1.0/24,2001:db8::/32 (no bits set behind the prefix)",
			(int)(name.len < LIMITS_SHOWN ? name.len : LIMITS_SHOWN), name.text,
			LIMITS_FROM_MAX);
		return false;
	}
	return true;
}

static void put_from(const struct limits *limits, FILE *out)
{
	char text[NETWORK_TEXT_MAX];

	for (size_t i = 0; i < limits->from_count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ",", network_format(&limits->from[i], text));
}

static void widen_from(struct limits *limits, const struct limits *other)
{
	for (size_t i = 0; i < other->from_count; i++) {
		if (limits->from_count == LIMITS_FROM_MAX)
			return;
		limits->from[limits->from_count++] = other->from[i];
	}
}

/* ---- yes ---- */

static bool read_yes(const struct limit_value *v, bool *out, char *why)
{
	*out = limit_value_is(v, "yes");
	if (*out || limit_value_is(v, "no"))
		return true;
	snprintf(why, LIMITS_ERROR_MAX, "legal is yes or no");
	return false;
}

static bool read_disabled(const struct limit_value *v, struct limits *out, char *why)
{
	return read_yes(v, &out->is_disabled, why);
}

static void put_disabled(const struct limits *limits, FILE *out)
{
	fputs(limits->is_disabled ? "yes" : "no", out);
}

static bool read_guest(const struct limit_value *v, struct limits *out, char *why)
{
	return read_yes(v, &out->is_guest, why);
}

static void put_guest(const struct limits *limits, FILE *out)
{
	fputs(limits->is_guest ? "yes" : "no", out);
}

/* ---- the table ---- */

const struct limit_key_type limit_key_types[LIMIT_KEYS] = {
	[LIMIT_GROUPS] = {.read = read_groups, .put = put_groups},
	[LIMIT_SESSIONS] = {read_sessions, put_sessions, widen_sessions, true},
	[LIMIT_SESSIONS_CLIENT] = {read_sessions_client, put_sessions_client, widen_sessions_client,
		true},
	[LIMIT_RATE] = {read_rate, put_rate, widen_rate, true},
	[LIMIT_QUOTA] = {read_quota, put_quota, widen_quota, true},
	[LIMIT_OVER] = {read_over, put_over, widen_over, false},
	[LIMIT_EXPIRES] = {read_expires, put_expires, widen_expires, true},
	[LIMIT_FROM] = {read_from, put_from, widen_from, true},
	[LIMIT_DISABLED] = {.read = read_disabled, .put = put_disabled},
	[LIMIT_GUEST] = {.read = read_guest, .put = put_guest},
};
