/*
 * The shapes: a table says which command's replies look how. What a reply has in lines of a name
 * and a value are members of the object itself, beside its status; what it lists is an array.
 * Values lose the \xNN of the protocol first. Valid UTF-8 is written as it is, but for controls;
 * bytes that are none become \u00NN, one each.
 */
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "wire/access_line.h"

/* ---- strings ---- */

static size_t put_character(FILE *out, const unsigned char *p, size_t n)
{
	size_t len = utf8_length(p, n);

	if (*p == '"' || *p == '\\')
		fprintf(out, "\\%c", *p);
	else if (len == 0 || utf8_is_control(p, len))
		fprintf(out, "\\u%04x", len == 2 ? p[1] : *p);
	else
		fwrite(p, 1, len, out);
	return len == 0 ? 1 : len;
}

/* How many bytes may be written as they are, which most are: one write for all of them. */
static size_t plain_length(const unsigned char *p, size_t n)
{
	size_t len = 0;

	while (len < n && p[len] >= ' ' && p[len] < 0x7f && p[len] != '"' && p[len] != '\\')
		len++;
	return len;
}

static void put_bytes(FILE *out, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	putc('"', out);
	for (size_t i = 0; i < len;) {
		size_t plain = plain_length(p + i, len - i);

		fwrite(p + i, 1, plain, out);
		i += plain;
		if (i < len)
			i += put_character(out, p + i, len - i);
	}
	putc('"', out);
}

/* With the \xNN decoded; without memory, as it came. */
void json_put_text(FILE *out, const struct monitor_line *text)
{
	char *plain = malloc(text->len + 1);

	if (plain == NULL) {
		put_bytes(out, text->text, text->len);
		return;
	}
	put_bytes(out, plain, escape_decode(text->text, text->len, plain));
	free(plain);
}

/* ---- pieces ---- */

/* "45s", "12ms", "1h": in milliseconds. What has no unit is none: a number says what it counts. */
static bool parse_time(const struct monitor_line *value, int64_t *ms)
{
	char text[32];

	if (value->len == 0 || value->len >= sizeof(text) ||
		strchr("smhd", value->text[value->len - 1]) == NULL)
		return false;
	memcpy(text, value->text, value->len);
	text[value->len] = '\0';
	return parse_duration(text, ms);
}

/* In seconds, with as many digits behind the point as there are. */
static void put_seconds(FILE *out, int64_t ms)
{
	char fraction[8];
	size_t len = (size_t)snprintf(fraction, sizeof(fraction), ".%03d", (int)(ms % 1000));

	while (len > 0 && fraction[len - 1] == '0')
		len--;
	if (len == 1)
		len = 0; /* the point alone */
	fprintf(out, "%lld%.*s", (long long)(ms / 1000), (int)len, fraction);
}

static void put_value(FILE *out, const struct monitor_line *value)
{
	long long number;
	int64_t ms;

	if (answer_number(value, &number))
		fprintf(out, "%lld", number);
	else if (parse_time(value, &ms))
		put_seconds(out, ms);
	else
		json_put_text(out, value);
}

/* With _ for its blanks, so that a program can write it without quotes. */
static void put_name(FILE *out, const struct monitor_line *name)
{
	char *words = calloc(1, name->len + 1);
	struct monitor_line key = {.text = words, .len = name->len};

	if (words == NULL) {
		json_put_text(out, name);
		return;
	}
	for (size_t i = 0; i < key.len; i++)
		words[i] = name->text[i] == ' ' ? '_' : name->text[i];
	json_put_text(out, &key);
	free(words);
}

/* {"id":7,"user":"alice"}. What is not known is null. */
static void put_record(FILE *out, const struct monitor_line *line)
{
	struct monitor_line rest = *line;
	struct answer_field field;
	bool first = true;

	putc('{', out);
	for (; answer_next_field(&rest, &field); first = false) {
		if (!first)
			putc(',', out);
		put_name(out, &field.name);
		putc(':', out);
		if (answer_is(&field.value, "-"))
			fputs("null", out);
		else if (answer_is_name(&field.name))
			json_put_text(out, &field.value);
		else
			put_value(out, &field.value);
	}
	putc('}', out);
}

/* A record's line begins with its key; the others are "some name:value". */
static bool is_record(const struct monitor_line *line)
{
	struct monitor_line rest = *line, word;

	return monitor_next_word(&rest, &word) && word.len > 3 && memcmp(word.text, "id:", 3) == 0;
}

/* Each line "some name:value" as a member. */
static void put_values(FILE *out, const struct answer *reply)
{
	struct answer_field field;

	for (size_t i = 0; i < reply->count; i++) {
		if (is_record(&reply->lines[i]) || !answer_split(&reply->lines[i], &field))
			continue;
		putc(',', out);
		put_name(out, &field.name);
		putc(':', out);
		put_value(out, &field.value);
	}
}

typedef void put_line_function(FILE *out, const char *request, const struct monitor_line *line);

static void put_array(FILE *out, const char *name, const char *request, const struct answer *reply,
	bool (*wanted)(const struct monitor_line *), put_line_function *put_line)
{
	bool first = true;

	fprintf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < reply->count; i++) {
		if (wanted != NULL && !wanted(&reply->lines[i]))
			continue;
		if (!first)
			putc(',', out);
		put_line(out, request, &reply->lines[i]);
		first = false;
	}
	putc(']', out);
}

static void put_record_line(FILE *out, const char *request, const struct monitor_line *line)
{
	(void)request;
	put_record(out, line);
}

static void put_text_line(FILE *out, const char *request, const struct monitor_line *line)
{
	(void)request;
	json_put_text(out, line);
}

/* ---- ACCESS_LOG ---- */

static void put_member(FILE *out, const char *name, const struct monitor_line *value, bool first)
{
	fprintf(out, "%s\"%s\":", first ? "" : ",", name);
	if (answer_is(value, "-"))
		fputs("null", out);
	else
		json_put_text(out, value);
}

static void put_failure(FILE *out, const struct access_line *e)
{
	if (e->client.len == 0)
		return;
	put_member(out, "reason", &e->reason, false);
	put_member(out, "client", &e->client, false);
}

static void put_access_entry(FILE *out, const char *request, const struct monitor_line *line)
{
	struct access_line e;

	putc('{', out);
	if (access_line_split(request, line, &e)) {
		put_member(out, "user", &e.user, true);
		put_member(out, "target", &e.target, false);
		put_member(out, "time", &e.time, false);
		put_member(out, "outcome", &e.outcome, false);
		put_failure(out, &e);
	} else {
		put_member(out, "line", line, true);
	}
	putc('}', out);
}

/* ---- shapes ---- */

/* What stands behind OK. */
static void put_message(FILE *out, const struct answer *reply)
{
	fputs(",\"message\":", out);
	json_put_text(out, &reply->message);
}

static void shape_values(FILE *out, const char *request, const struct answer *reply)
{
	(void)request;
	if (reply->message.len > 0)
		put_message(out, reply);
	put_values(out, reply);
}

static bool is_advice(const struct monitor_line *line)
{
	return line->len >= 5 && memcmp(line->text, "text:", 5) == 0;
}

static bool is_no_advice(const struct monitor_line *line)
{
	return !is_advice(line);
}

static void put_advice(FILE *out, const char *request, const struct monitor_line *line)
{
	struct monitor_line text = {.text = line->text + 5, .len = line->len - 5};

	put_text_line(out, request, &text);
}

static void shape_guests(FILE *out, const char *request, const struct answer *reply)
{
	put_message(out, reply);
	put_array(out, "guests", request, reply, is_no_advice, put_record_line);
	put_array(out, "text", request, reply, is_advice, put_advice);
}

/* What stands behind OK is from where the next ones are to be asked for. */
static void shape_events(FILE *out, const char *request, const struct answer *reply)
{
	fputs(",\"cursor\":", out);
	json_put_text(out, &reply->message);
	put_array(out, "events", request, reply, NULL, put_record_line);
}

static void shape_entries(FILE *out, const char *request, const struct answer *reply)
{
	put_array(out, "entries", request, reply, NULL, put_access_entry);
}

/* The names stand behind OK. */
static void shape_users(FILE *out, const char *request, const struct answer *reply)
{
	struct monitor_line rest = reply->message, word;
	bool first = true;

	(void)request;
	if (answer_is(&rest, "No active users"))
		rest.len = 0;
	fputs(",\"users\":[", out);
	for (; monitor_next_word(&rest, &word); first = false) {
		if (!first)
			putc(',', out);
		json_put_text(out, &word);
	}
	putc(']', out);
}

static void shape_lines(FILE *out, const char *request, const struct answer *reply)
{
	put_message(out, reply);
	put_array(out, "lines", request, reply, NULL, put_text_line);
}

/* What a reply is: an array of its lines, each an object, with what else it has; or else what
 * `put` puts. */
struct shape {
	const char *command;
	const char *array; /* its name */
	bool has_message; /* behind OK, in front of it */
	bool has_values; /* in front of it: lines that are no records */
	void (*put)(FILE *out, const char *request, const struct answer *reply);
};

static const struct shape shapes[] = {
	{"STATS", .put = shape_values},
	{"CONFIG", .put = shape_values},
	{"CONNECTIONS", .array = "sessions", .has_values = true},
	{"ACCOUNTS", .array = "accounts"},
	{"TRAFFIC", .array = "traffic"},
	{"CLIENTS", .array = "clients"},
	{"WHY", .array = "failures"},
	{"BANS", .array = "bans"},
	{"NODES", .array = "nodes"},
	{"UPSTREAMS", .array = "upstreams"},
	{"RULES", .array = "rules"},
	{"EXPLAIN", .array = "explanation"}, /* the last line is the verdict */
	{"LIMITS", .array = "limits", .has_message = true},
	{"GUEST", .put = shape_guests},
	{"GUESTS", .put = shape_guests},
	{"SETTINGS", .array = "settings"},
	{"USAGE", .array = "usage", .has_message = true},
	{"DAYS", .array = "days", .has_message = true},
	{"SITES", .array = "sites", .has_message = true},
	{"ALARMS", .array = "alarms"},
	{"ACCESS_LOG", .put = shape_entries},
	{"WATCH", .put = shape_events},
	{"USERS", .put = shape_users},
};

static const struct shape *shape_of(const char *request)
{
	static const struct shape other = {.put = shape_lines};
	struct monitor_line rest = {.text = request, .len = strlen(request)}, word;

	monitor_next_word(&rest, &word);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (monitor_is_word(&word, shapes[i].command))
			return &shapes[i];
	}
	return &other;
}

static void put_shape(
	FILE *out, const struct shape *shape, const char *request, const struct answer *reply)
{
	if (shape->put != NULL) {
		shape->put(out, request, reply);
		return;
	}
	if (shape->has_message)
		put_message(out, reply);
	if (shape->has_values)
		put_values(out, reply);
	put_array(out, shape->array, request, reply, shape->has_values ? is_record : NULL,
		put_record_line);
}

void json_put(FILE *out, const char *request, const struct answer *reply)
{
	fprintf(out, "{\"status\":\"%s\"", reply->ok ? "OK" : "ERR");
	if (reply->ok) {
		put_shape(out, shape_of(request), request, reply);
	} else {
		put_message(out, reply);
	}
	putc('}', out);
}

void json_print(FILE *out, const char *request, const struct answer *reply)
{
	json_put(out, request, reply);
	putc('\n', out);
}

void json_print_line(FILE *out, const struct monitor_line *line)
{
	put_record(out, line);
	putc('\n', out);
}
