/*
 * A failure takes three lines: who wanted what and when, why it came to nothing, and what to do. A
 * line of WHY and a row of the view have the same fields under other names, so both are brought to
 * one struct first.
 */
#include "client/top_why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

#define FIELD_MAX 600 /* bytes of advice, or of a target */

enum why_field {
	WHY_TIME,
	WHY_USER,
	WHY_CLIENT,
	WHY_NAME,
	WHY_COMMAND,
	WHY_TARGET,
	WHY_REASON,
	WHY_RULE,
	WHY_ERROR,
	WHY_ADVICE,
	WHY_FIELDS
};

static const enum top_column why_columns[WHY_FIELDS] = {[WHY_TIME] = TOP_TIME,
	[WHY_USER] = TOP_USER,
	[WHY_CLIENT] = TOP_CLIENT,
	[WHY_NAME] = TOP_NAME,
	[WHY_COMMAND] = TOP_COMMAND,
	[WHY_TARGET] = TOP_TARGET,
	[WHY_REASON] = TOP_REASON,
	[WHY_RULE] = TOP_RULE,
	[WHY_ERROR] = TOP_ERROR,
	[WHY_ADVICE] = TOP_ADVICE};

struct failure_texts {
	char text[WHY_FIELDS][FIELD_MAX]; /* "": not known */
};

__attribute__((format(printf, 2, 3))) static void add_why_text(
	char out[TOP_WHY_MAX], const char *format, ...)
{
	size_t len = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + len, TOP_WHY_MAX - len, format, args);
	va_end(args);
}

static void tell_failure(const struct failure_texts *f, char out[TOP_WHY_MAX])
{
	const char(*t)[FIELD_MAX] = f->text;

	add_why_text(out, "%s: %s from %s%s%s%s", t[WHY_TIME],
		*t[WHY_USER] == '\0' ? "somebody without a login" : t[WHY_USER], t[WHY_CLIENT],
		*t[WHY_NAME] == '\0' ? "" : " (", t[WHY_NAME], *t[WHY_NAME] == '\0' ? "" : ")");
	if (*t[WHY_TARGET] != '\0')
		add_why_text(out, " wanted %s %s", t[WHY_COMMAND], t[WHY_TARGET]);
	add_why_text(out, "\n  why: %s", t[WHY_REASON]);
	if (*t[WHY_RULE] != '\0')
		add_why_text(out, ", rule %s", t[WHY_RULE]);
	if (*t[WHY_ERROR] != '\0')
		add_why_text(out, ", %s", t[WHY_ERROR]);
	add_why_text(out, "\n  what to do: %s\n", *t[WHY_ADVICE] == '\0' ? "-" : t[WHY_ADVICE]);
}

static void set_why_field(
	struct failure_texts *f, enum why_field field, const char *text, size_t len)
{
	if ((len == 1 && *text == '-') || len >= FIELD_MAX)
		len = 0;
	memcpy(f->text[field], text, len);
	f->text[field][len] = '\0';
	if (field == WHY_TIME && len > 10)
		f->text[field][10] = ' '; /* for the T between date and time */
}

void top_why_tell_row(const struct top_row *row, char out[TOP_WHY_MAX])
{
	struct failure_texts f = {.text = {{0}}};

	*out = '\0';
	for (enum why_field i = 0; i < WHY_FIELDS; i++) {
		const char *text = row->text[why_columns[i]];

		set_why_field(&f, i, text, strlen(text));
	}
	tell_failure(&f, out);
}

static void tell_line(const struct monitor_line *line, char out[TOP_WHY_MAX])
{
	struct failure_texts f = {.text = {{0}}};
	struct monitor_line value;

	for (enum why_field i = 0; i < WHY_FIELDS; i++) {
		if (!answer_find(line, top_model_columns[why_columns[i]].key, &value))
			value.len = 0;
		set_why_field(&f, i, value.text, value.len);
	}
	tell_failure(&f, out);
}

void top_why_tell_reply(const struct answer *reply, const char *about, char out[TOP_WHY_MAX])
{
	*out = '\0';
	if (!reply->ok || reply->count == 0) {
		add_why_text(
			out, "%s: %.*s\n", about, (int)reply->message.len, reply->message.text);
		return;
	}
	for (size_t i = 0; i < reply->count; i++)
		tell_line(&reply->lines[i], out);
}

/* Without its port and the brackets of that. */
static void take_host(const char *client, char *out, size_t size)
{
	const char *end = strrchr(client, ':');
	size_t len = end == NULL ? strlen(client) : (size_t)(end - client);

	if (len > 1 && client[0] == '[' && client[len - 1] == ']') {
		client++;
		len -= 2;
	}
	snprintf(out, size, "%.*s", (int)len, client);
}

bool top_why_ask_about(enum top_view view, const struct top_row *row, char *out, size_t size)
{
	const char *user = row->text[TOP_USER], *client = row->text[TOP_CLIENT];
	size_t len = strlen(user);

	if (view == TOP_SITE_VIEW || strcmp(user, "-") == 0 || len >= size)
		return false;
	if (strcmp(user, "Anonymous") == 0 && strcmp(client, "-") != 0)
		take_host(client, out, size);
	else
		out[escape_decode(user, len, out)] = '\0';
	return true;
}
