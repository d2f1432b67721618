/*
 * The protocol has grown for twenty years: old programs say "ERR" with a sentence behind it, newer
 * ones message="a sentence", and both are taken. What is strict is whatever decides: a channel, the
 * verdict, who the user is. Keys that are of no use here, and words behind the keys of an OK, are
 * passed over.
 */
#include "wire/helper_line.h"

#include <stdio.h>
#include <string.h>

#include "base/percent.h"

/* ---- questions ---- */

/* Coded, a word is three times as long at most. */
static bool can_be_put(const char *text, size_t *room)
{
	size_t len = strlen(text);

	if (len == 0 || 3 * len > *room || auth_line_has_control(text, len))
		return false;
	*room -= 3 * len;
	return true;
}

size_t helper_line_put(int channel, const char *name, const char *behind, char out[HELPER_LINE_MAX])
{
	size_t room = HELPER_LINE_MAX - 16; /* a channel, two blanks and LF */
	char *at = out;

	if (!can_be_put(name, &room) || !can_be_put(behind, &room))
		return 0;
	if (channel != HELPER_NO_CHANNEL)
		at += sprintf(at, "%d ", channel);
	at = percent_put(at, name, strlen(name));
	*at++ = ' ';
	at = percent_put(at, behind, strlen(behind));
	*at++ = '\n';
	return (size_t)(at - out);
}

/* ---- answers ---- */

struct rest {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks_of(struct rest *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

/* Up to the next blank, or the end. */
static size_t word_length(const struct rest *r)
{
	const char *at = r->at;

	while (at < r->end && !is_blank(*at))
		at++;
	return (size_t)(at - r->at);
}

static bool take_channel(struct rest *r, int *channel)
{
	size_t len = word_length(r);

	*channel = 0;
	if (len == 0 || len > 6)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (r->at[i] < '0' || r->at[i] > '9')
			return false;
		*channel = *channel * 10 + (r->at[i] - '0');
	}
	r->at += len;
	skip_blanks_of(r);
	return true;
}

static bool take_verdict(struct rest *r, enum auth_verdict *out)
{
	static const char *const words[] = {[AUTH_OK] = "OK", [AUTH_ERR] = "ERR", [AUTH_BH] = "BH"};
	size_t len = word_length(r);

	for (int v = AUTH_OK; v <= AUTH_BH; v++) {
		if (len != strlen(words[v]) || memcmp(r->at, words[v], len) != 0)
			continue;
		*out = (enum auth_verdict)v;
		r->at += len;
		skip_blanks_of(r);
		return true;
	}
	return false;
}

/* How long the key is in front of the next '='; 0 when no key stands there. */
static size_t key_length(const struct rest *r)
{
	const char *at = r->at;

	while (at < r->end &&
		((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			(*at >= '0' && *at <= '9') || *at == '-' || *at == '_'))
		at++;
	return at < r->end && *at == '=' ? (size_t)(at - r->at) : 0;
}

struct value {
	char text[HELPER_LINE_MAX];
	size_t len;
};

/* Behind the first quote, up to and with the last one; false when there is none. */
static bool take_quoted(struct rest *r, struct value *value)
{
	while (r->at < r->end && *r->at != '"') {
		if (*r->at == '\\' && ++r->at == r->end)
			return false;
		value->text[value->len++] = *r->at++;
	}
	if (r->at == r->end)
		return false;
	r->at++;
	return r->at == r->end || is_blank(*r->at);
}

/* A % that codes nothing stands for itself, as in squid. */
static void take_plain(struct rest *r, struct value *value)
{
	size_t len = word_length(r);
	int decoded = percent_decode(r->at, len, value->text, sizeof(value->text));

	if (decoded < 0)
		memcpy(value->text, r->at, len);
	value->len = decoded < 0 ? len : (size_t)decoded;
	r->at += len;
}

static bool take_value(struct rest *r, struct value *value)
{
	value->len = 0;
	if (r->at == r->end || *r->at != '"') {
		take_plain(r, value);
		return true;
	}
	r->at++;
	return take_quoted(r, value);
}

/* A user that is empty says as much as none. */
static bool keep_user(const char *text, size_t len, char out[AUTH_LINE_FIELD_MAX + 1])
{
	if (len == 0)
		return true;
	if (!auth_line_can_ask(text, len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static void keep_message(const char *text, size_t len, char out[AUTH_LINE_FIELD_MAX + 1])
{
	if (len > AUTH_LINE_FIELD_MAX)
		len = AUTH_LINE_FIELD_MAX;
	for (size_t i = 0; i < len; i++)
		out[i] = auth_line_has_control(&text[i], 1) ? '?' : text[i];
	out[len] = '\0';
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

/* The first user and the first message count. */
static bool read_answer_pair(struct rest *r, size_t key_len, struct helper_answer *out)
{
	const char *key = r->at;
	struct value value;

	r->at += key_len + 1;
	if (!take_value(r, &value))
		return false;
	skip_blanks_of(r);
	if (is_key(key, key_len, "user") && out->user[0] == '\0')
		return keep_user(value.text, value.len, out->user);
	if (is_key(key, key_len, "message") && out->message[0] == '\0')
		keep_message(value.text, value.len, out->message);
	return true;
}

/* squid's basic_ldap_auth says BH and "Success" of a wrong password, or of a name that is not
 * there, where it looks for the reason at a connection on which nothing has failed. */
static bool is_wrong_after_all(const struct helper_answer *a)
{
	return a->verdict == AUTH_BH && strcmp(a->message, "Success") == 0;
}

static bool read_answer(struct rest *r, bool has_channel, struct helper_answer *out)
{
	size_t key_len;

	*out = (struct helper_answer){.channel = HELPER_NO_CHANNEL};
	if (has_channel && !take_channel(r, &out->channel))
		return false;
	if (!take_verdict(r, &out->verdict))
		return false;
	while ((key_len = key_length(r)) > 0) {
		if (!read_answer_pair(r, key_len, out))
			return false;
	}
	if (out->message[0] == '\0')
		keep_message(r->at, (size_t)(r->end - r->at), out->message);
	if (is_wrong_after_all(out))
		out->verdict = AUTH_ERR;
	return true;
}

int helper_line_parse(const char *p, size_t n, bool has_channel, struct helper_answer *out)
{
	const char *lf = memchr(p, '\n', n < HELPER_LINE_MAX ? n : HELPER_LINE_MAX);
	struct rest r = {.at = p, .end = lf};

	if (lf == NULL)
		return n < HELPER_LINE_MAX ? HELPER_LINE_MORE : HELPER_LINE_MALFORMED;
	while (r.end > r.at && (r.end[-1] == '\r' || is_blank(r.end[-1])))
		r.end--;
	return read_answer(&r, has_channel, out) ? (int)(lf - p) + 1 : HELPER_LINE_MALFORMED;
}
