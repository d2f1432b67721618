/*
 * What can be done with limits by the table of their keys (limit_keys.h): read, write, and put
 * together what several say.
 */
#include "state/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/writing.h"
#include "base/nearest.h"
#include "state/limit_keys.h"

#define BLANKS " \t"

static const char *const key_words[LIMIT_KEYS] = {
#define LIMIT_KEY(name, word) [LIMIT_##name] = (word),
	LIMIT_KEY_LIST(LIMIT_KEY)
#undef LIMIT_KEY
};

const char *limit_key_word(enum limit_key key)
{
	return key_words[key];
}

static int key_of(const char *word, size_t len)
{
	for (int i = 0; i < LIMIT_KEYS; i++) {
		if (strlen(key_words[i]) == len && memcmp(key_words[i], word, len) == 0)
			return i;
	}
	return -1;
}

/* ---- reading ---- */

static void put_legal_keys(unsigned legal, char *out, size_t size)
{
	size_t at = 0;

	for (unsigned i = 0; i < LIMIT_KEYS; i++) {
		if ((legal & LIMIT_BIT(i)) != 0 && at < size)
			at += (size_t)snprintf(
				out + at, size - at, "%s%s", at == 0 ? "" : ", ", key_words[i]);
	}
}

static bool refuse_key(const char *word, size_t len, unsigned legal, char *why)
{
	struct nearest nearest = nearest_to(word, len);
	char hint[NEAREST_HINT_MAX], all[160];
	bool is_key = key_of(word, len) >= 0;

	for (unsigned i = 0; i < LIMIT_KEYS && !is_key; i++) {
		if ((legal & LIMIT_BIT(i)) != 0)
			nearest_try(&nearest, key_words[i]);
	}
	put_legal_keys(legal, all, sizeof(all));
	snprintf(why, LIMITS_ERROR_MAX, "%.*s: %s; the keys are %s%s",
		(int)(len < LIMITS_SHOWN ? len : LIMITS_SHOWN), word,
		is_key ? "not possible here" : "there is no such key", all,
		nearest_hint(&nearest, "", hint));
	return false;
}

/* Takes one KEY=VALUE in. */
static bool take_value(struct limits *out, enum limit_key key, const struct limit_value *v,
	bool is_change, char *why)
{
	char reason[LIMITS_ERROR_MAX] = "";

	if (v->len > 0 && is_change && limit_value_is(v, "default")) {
		out->said[key] = LIMIT_UNSAID;
		return true;
	}
	if (limit_key_types[key].can_be_lifted && limit_value_is(v, "none")) {
		out->said[key] = LIMIT_LIFTED;
		return true;
	}
	out->said[key] = LIMIT_SAID;
	if (v->len == 0)
		snprintf(reason, sizeof(reason), "a value is missing");
	else if (limit_key_types[key].read(v, out, reason))
		return true;
	snprintf(why, LIMITS_ERROR_MAX, "%s=%.*s: %.380s", key_words[key],
		(int)(v->len < LIMITS_SHOWN ? v->len : LIMITS_SHOWN), v->text, reason);
	return false;
}

static bool take_item(struct limits *out, const char *item, size_t len, unsigned legal,
	unsigned *seen, bool is_change, char *why)
{
	const char *sign = memchr(item, '=', len);
	size_t key_len = sign == NULL ? len : (size_t)(sign - item);
	int key = key_of(item, key_len);
	struct limit_value v;

	/* What it is then may be a password that was typed in the wrong place. */
	if (sign == NULL && key < 0) {
		snprintf(why, LIMITS_ERROR_MAX, "limits are KEY=VALUE KEY=VALUE ...");
		return false;
	}
	if (key < 0 || (legal & LIMIT_BIT(key)) == 0)
		return refuse_key(item, key_len, legal, why);
	if ((*seen & LIMIT_BIT(key)) != 0) {
		snprintf(why, LIMITS_ERROR_MAX, "%s: it was said already", key_words[key]);
		return false;
	}
	*seen |= LIMIT_BIT(key);
	v = sign == NULL ? (struct limit_value){"", 0}
			 : (struct limit_value){sign + 1, len - key_len - 1};
	return take_value(out, (enum limit_key)key, &v, is_change, why);
}

static bool take_items(struct limits *limits, const char *text, unsigned legal, bool is_change,
	char why[LIMITS_ERROR_MAX])
{
	struct limits read = *limits;
	unsigned seen = 0;

	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		size_t len = strcspn(text, BLANKS);

		if (!take_item(&read, text, len, legal, &seen, is_change, why))
			return false;
		text += len;
	}
	*limits = read;
	return true;
}

bool limits_parse(const char *text, unsigned legal, struct limits *out, char why[LIMITS_ERROR_MAX])
{
	struct limits read = {.said = {0}};

	if (!take_items(&read, text, legal, false, why))
		return false;
	*out = read;
	return true;
}

bool limits_change(
	const char *text, unsigned legal, struct limits *limits, char why[LIMITS_ERROR_MAX])
{
	return take_items(limits, text, legal, true, why);
}

/* ---- writing ---- */

void limits_put_key(const struct limits *limits, enum limit_key key, FILE *out)
{
	if (limits->said[key] == LIMIT_UNSAID)
		return;
	fprintf(out, "%s=", key_words[key]);
	if (limits->said[key] == LIMIT_LIFTED)
		fputs("none", out);
	else
		limit_key_types[key].put(limits, out);
}

void limits_put(const struct limits *limits, FILE *out)
{
	const char *separator = "";

	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (limits->said[key] == LIMIT_UNSAID)
			continue;
		fputs(separator, out);
		limits_put_key(limits, key, out);
		separator = " ";
	}
}

char *limits_format(const struct limits *limits)
{
	struct writing w;

	if (writing_begin(&w) == NULL)
		return NULL;
	limits_put(limits, w.out);
	(void)writing_end(&w);
	return w.text;
}

/* ---- several ---- */

/* What stands beside the key, from one to another. */
static void copy_value(struct limits *to, const struct limits *from, enum limit_key key)
{
	struct limits before = *to;

	to->said[key] = from->said[key];
	switch (key) {
	case LIMIT_SESSIONS:
		to->sessions = from->sessions;
		break;
	case LIMIT_SESSIONS_CLIENT:
		to->sessions_client = from->sessions_client;
		break;
	case LIMIT_RATE:
		to->down = from->down;
		to->up = from->up;
		break;
	case LIMIT_QUOTA:
		to->quota = from->quota;
		break;
	case LIMIT_OVER:
		to->over = from->over;
		to->slow_down = from->slow_down;
		to->slow_up = from->slow_up;
		break;
	case LIMIT_EXPIRES:
		to->expires = from->expires;
		break;
	case LIMIT_FROM:
		to->from_count = from->from_count;
		memcpy(to->from, from->from, sizeof(to->from));
		break;
	case LIMIT_GROUPS:
	case LIMIT_DISABLED:
	case LIMIT_GUEST:
	case LIMIT_KEYS:
		*to = before;
		break;
	}
}

void limits_inherit(struct limits *limits, const struct limits *farther)
{
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (limits->said[key] == LIMIT_UNSAID && farther->said[key] != LIMIT_UNSAID)
			copy_value(limits, farther, key);
	}
}

void limits_widen(struct limits *limits, const struct limits *other)
{
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (limit_key_types[key].widen == NULL || other->said[key] == LIMIT_UNSAID)
			continue;
		if (limits->said[key] == LIMIT_UNSAID)
			copy_value(limits, other, key);
		else if (other->said[key] == LIMIT_LIFTED)
			limits->said[key] = LIMIT_LIFTED;
		else if (limits->said[key] == LIMIT_SAID)
			limit_key_types[key].widen(limits, other);
	}
}

bool limits_say_nothing(const struct limits *limits)
{
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (limits->said[key] != LIMIT_UNSAID)
			return false;
	}
	return true;
}

/* As they would be written. */
bool limits_equal(const struct limits *a, const struct limits *b)
{
	char *one = limits_format(a), *other = limits_format(b);
	bool equal = one != NULL && other != NULL && strcmp(one, other) == 0;

	free(one);
	free(other);
	return equal;
}
