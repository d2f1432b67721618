/*
 * The columns are the keys of the lines, in the order in which they are first seen, so that a key
 * that is added later has its place. Lines are taken apart anew for each walk: the reply is all
 * the memory that it takes.
 */
#include "wire/records.h"

#include <string.h>

#include "wire/access_line.h"

/* ---- what is a row ---- */

static bool is_reply_to(const struct records *t, const char *command)
{
	struct monitor_line rest = {.text = t->request, .len = strlen(t->request)}, word;

	return monitor_next_word(&rest, &word) && monitor_is_word(&word, command);
}

static bool is_none(const struct monitor_line *line)
{
	(void)line;
	return false;
}

static bool is_any(const struct monitor_line *line)
{
	(void)line;
	return true;
}

/* The commands whose lines are not simply records, or not all of them. */
static const struct {
	const char *command;
	bool (*is_row)(const struct monitor_line *line);
	bool is_of_entries, is_of_words;
} shapes[] = {
	{"STATS", is_none, false, false},
	{"CONFIG", is_none, false, false},
	{"ACCESS_LOG", is_any, true, false},
	{"USERS", is_none, false, true},
};

static void find_shape(struct records *t)
{
	t->is_row = answer_is_record;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (!is_reply_to(t, shapes[i].command))
			continue;
		t->is_row = shapes[i].is_row;
		t->is_of_entries = shapes[i].is_of_entries;
		t->is_of_words = shapes[i].is_of_words;
	}
}

bool records_is_value(const struct records *t, const struct monitor_line *line)
{
	struct answer_field field;

	return !t->is_row(line) && answer_split(line, &field);
}

/* ---- columns ---- */

static const struct known {
	const char *name;
	enum records_kind kind;
	const char *command; /* of whose reply only; NULL: of all others */
} known_columns[] = {
	{"used", RECORDS_BYTES, "LIMITS"},
	{"left", RECORDS_BYTES, "LIMITS"},
	{"sent", RECORDS_BYTES, NULL},
	{"received", RECORDS_BYTES, NULL},
	{"known_sent", RECORDS_BYTES, NULL},
	{"known_received", RECORDS_BYTES, NULL},
	{"sent_rate", RECORDS_RATE, NULL},
	{"received_rate", RECORDS_RATE, NULL},
	{"age", RECORDS_SECONDS, NULL},
	{"idle", RECORDS_SECONDS, NULL},
	{"ago", RECORDS_SECONDS, NULL},
	{"last", RECORDS_SECONDS, NULL},
	{"left", RECORDS_SECONDS, NULL},
	{"seconds", RECORDS_SECONDS, NULL},
	{"known_seconds", RECORDS_SECONDS, NULL},
	{"ms", RECORDS_MS, NULL},
	{"time", RECORDS_TIME, NULL},
	{"begun", RECORDS_TIME, NULL},
	{"until", RECORDS_TIME, NULL},
	{"last_seen", RECORDS_TIME, NULL},
	{"text", RECORDS_SENTENCE, NULL},
	{"advice", RECORDS_SENTENCE, NULL},
	{"legal", RECORDS_SENTENCE, NULL},
	{"help", RECORDS_SENTENCE, NULL},
};

static enum records_kind kind_of(const struct records *t, const struct monitor_line *name)
{
	for (size_t i = 0; i < sizeof(known_columns) / sizeof(known_columns[0]); i++) {
		const struct known *k = &known_columns[i];

		if (answer_is(name, k->name) && (k->command == NULL || is_reply_to(t, k->command)))
			return k->kind;
	}
	return RECORDS_NUMBER; /* until a value says otherwise */
}

/* Its place; `columns`: it has none yet. */
static size_t find_column(const struct records *t, const struct monitor_line *name)
{
	size_t i = 0;

	while (i < t->columns &&
		(t->column[i].name.len != name->len ||
			memcmp(t->column[i].name.text, name->text, name->len) != 0))
		i++;
	return i;
}

static bool is_number(const struct monitor_line *value)
{
	long long number;

	return answer_is(value, "-") || answer_number(value, &number);
}

static void see_field(struct records *t, const struct answer_field *field)
{
	size_t i = find_column(t, &field->name);

	if (i == RECORDS_COLUMNS)
		return;
	if (i == t->columns)
		t->column[t->columns++] = (struct records_column){
			.name = field->name, .kind = kind_of(t, &field->name)};
	/* A name may be 123. */
	if (t->column[i].kind == RECORDS_NUMBER &&
		(!is_number(&field->value) || answer_is_name(&field->name)))
		t->column[i].kind = RECORDS_TEXT;
}

static void see_records(struct records *t)
{
	struct monitor_line rest;
	struct answer_field field;

	for (size_t i = 0; i < t->reply->count; i++) {
		rest = t->reply->lines[i];
		if (!t->is_row(&rest))
			continue;
		t->rows++;
		while (answer_next_field(&rest, &field))
			see_field(t, &field);
	}
}

/* All of them are texts. */
static void add_columns(struct records *t, const char *const names[], size_t count)
{
	for (t->columns = 0; t->columns < count; t->columns++)
		t->column[t->columns] = (struct records_column){
			.name = {.text = names[t->columns], .len = strlen(names[t->columns])}};
}

static bool has_words(const struct answer *reply)
{
	return reply->message.len > 0 && !answer_is(&reply->message, "No active users");
}

static void see_words(struct records *t)
{
	static const char *const name[] = {"user"};
	struct monitor_line rest = t->reply->message, word;

	if (!has_words(t->reply))
		return;
	add_columns(t, name, 1);
	while (monitor_next_word(&rest, &word))
		t->rows++;
}

static void see_entries(struct records *t)
{
	static const char *const names[] = {
		"time", "user", "target", "outcome", "reason", "client"};

	t->rows = t->reply->count;
	if (t->rows > 0) {
		add_columns(t, names, sizeof(names) / sizeof(names[0]));
		t->column[0].kind = RECORDS_TIME;
	}
}

void records_find(struct records *t, const char *request, const struct answer *reply)
{
	*t = (struct records){.reply = reply, .request = request};
	find_shape(t);
	if (!reply->ok)
		t->is_row = is_none;
	else if (t->is_of_words)
		see_words(t);
	else if (t->is_of_entries)
		see_entries(t);
	else
		see_records(t);
}

/* ---- rows ---- */

static void take_record(
	const struct records *t, struct monitor_line rest, struct monitor_line *cells)
{
	struct answer_field field;

	while (answer_next_field(&rest, &field)) {
		size_t i = find_column(t, &field.name);

		if (i < t->columns && cells[i].text == NULL)
			cells[i] = field.value;
	}
}

static void take_entry(
	const struct records *t, const struct monitor_line *line, struct monitor_line *cells)
{
	struct access_line e;

	if (!access_line_split(t->request, line, &e)) {
		cells[2] = *line;
		return;
	}
	cells[0] = e.time;
	cells[1] = e.user;
	cells[2] = e.target;
	cells[3] = e.outcome;
	if (e.reason.len > 0) {
		cells[4] = e.reason;
		cells[5] = e.client;
	}
}

static bool next_word_row(
	const struct records *t, struct records_walk *w, struct monitor_line *cells)
{
	if (w->line++ == 0)
		w->rest = t->reply->message;
	return has_words(t->reply) && monitor_next_word(&w->rest, &cells[0]);
}

bool records_next(
	const struct records *t, struct records_walk *w, struct monitor_line cells[RECORDS_COLUMNS])
{
	const struct answer *reply = t->reply;

	memset(cells, 0, RECORDS_COLUMNS * sizeof(*cells));
	if (t->columns == 0)
		return false;
	if (t->is_of_words)
		return next_word_row(t, w, cells);
	while (w->line < reply->count && !t->is_row(&reply->lines[w->line]))
		w->line++;
	if (w->line == reply->count)
		return false;
	if (t->is_of_entries)
		take_entry(t, &reply->lines[w->line], cells);
	else
		take_record(t, reply->lines[w->line], cells);
	w->line++;
	return true;
}
