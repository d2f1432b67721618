/*
 * The columns are the keys of the lines, in the order in which they are first seen, so that a key
 * that a later server adds has its place. What is known of keys, their units and which to do
 * without first, are two lists; the others are texts, or numbers where all values are. Lines are
 * taken apart anew for each column: a table is printed once, and this way it takes no memory but
 * that of the reply.
 */
#include "client/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "client/columns.h"
#include "client/text.h"

#define COLUMNS_MAX 32
#define LEAST_TEXT 16 /* columns of a text that is cut, while there are others to do without */
#define LEAST_NAME 32 /* the same for the first column, by which a reader finds the line */
#define TITLE_MAX 32
#define ADVICE "advice" /* the key of what stands beneath a record */
#define ADVICE_INDENT 4
#define FITTED 4 /* times as long as its value, at most: a fitted text */

enum kind { KIND_NUMBER, KIND_TEXT, KIND_BYTES, KIND_RATE, KIND_SECONDS };

struct known_key {
	const char *key;
	enum kind kind;
};

/* Numbers without a unit need no line here. */
static const struct known_key known_keys[] = {
	{"sent", KIND_BYTES},
	{"received", KIND_BYTES},
	{"sent_rate", KIND_RATE},
	{"received_rate", KIND_RATE},
	{"age", KIND_SECONDS},
	{"idle", KIND_SECONDS},
	{"ago", KIND_SECONDS},
	{"last", KIND_SECONDS},
	{"rest", KIND_SECONDS},
};

/* What a reader misses least, in this order; then who says what, and then whatever stands last.
 * What a setting is set to is asked to see it or to change it: what the file has is mostly the
 * same. */
static const char *const least_wanted[] = {"address", "command", "limits", "default", "file",
	"takes_effect", "waits", "sent_rate", "received_rate", "idle", "total"};

#define WHO_SAYS "_by" /* ends the key beside another one, as rate_by beside rate */

struct table_column {
	struct monitor_line key;
	enum kind kind;
	char title[TITLE_MAX];
	int natural;
	bool is_left_out;
	int width;
};

struct table {
	const struct answer *reply;
	size_t count;
	int width;
	int least_text;
	struct table_column columns[COLUMNS_MAX];
	char *cell; /* room for the longest value */
	char *fitted; /* the same, filled up */
	size_t size;
};

/* ---- lines ---- */

bool table_fits(const struct answer *reply)
{
	for (size_t i = 0; i < reply->count; i++) {
		if (answer_is_record(&reply->lines[i]))
			return true;
	}
	return false;
}

/* ---- columns ---- */

static bool is_whole_number(const struct monitor_line *value)
{
	long long number;

	return answer_is(value, "-") || answer_number(value, &number);
}

/* "takes_effect" is TAKES EFFECT, "sent_rate" SENT/s. */
static void make_title(struct table_column *c)
{
	size_t len = c->key.len, i;

	if (c->kind == KIND_RATE)
		len -= strlen("_rate");
	for (i = 0; i < len && i + 3 < TITLE_MAX; i++)
		c->title[i] = c->key.text[i] == '_' ? ' ' : (char)toupper(c->key.text[i]);
	strcpy(c->title + i, c->kind == KIND_RATE ? "/s" : "");
}

static enum kind kind_of_key(const struct monitor_line *key)
{
	for (size_t i = 0; i < sizeof(known_keys) / sizeof(known_keys[0]); i++) {
		if (answer_is(key, known_keys[i].key))
			return known_keys[i].kind;
	}
	return KIND_NUMBER; /* until a value says otherwise */
}

/* What of a setting stands in the manual, too, and has no room in a table. */
static bool is_for_reference(const struct monitor_line *key)
{
	return answer_is(key, "legal") || answer_is(key, "help");
}

/* The column of the key, made if it is new; NULL: there are too many, or it has none. */
static struct table_column *column_of(struct table *t, const struct monitor_line *key)
{
	struct table_column *c;

	if (answer_is(key, ADVICE) || is_for_reference(key))
		return NULL;
	for (size_t i = 0; i < t->count; i++) {
		if (answer_is_same(&t->columns[i].key, key))
			return &t->columns[i];
	}
	if (t->count == COLUMNS_MAX)
		return NULL;
	c = &t->columns[t->count++];
	*c = (struct table_column){.key = *key, .kind = kind_of_key(key)};
	make_title(c);
	c->natural = text_width(c->title);
	return c;
}

/* ---- cells ---- */

/* A text as a person reads it: what stands behind the \xNN, where a terminal can show that. */
static const char *plain_text(const struct table *t, const struct monitor_line *value)
{
	size_t len = escape_decode(value->text, value->len, t->cell);

	t->cell[len] = '\0';
	if (strlen(t->cell) == len && text_is_shown(t->cell))
		return t->cell;
	memcpy(t->cell, value->text, value->len);
	t->cell[value->len] = '\0';
	return t->cell;
}

/* In the table's own memory, until the next one. */
static const char *cell_text_of(
	const struct table *t, const struct table_column *c, const struct monitor_line *value)
{
	long long number;

	if (c->kind == KIND_TEXT || c->kind == KIND_NUMBER || !answer_number(value, &number))
		return plain_text(t, value);
	return c->kind == KIND_SECONDS ? text_duration(number, t->cell)
				       : text_amount((double)number, t->cell);
}

/* All kinds first: the width of a cell depends on it. */
static void find_columns(struct table *t, const struct monitor_line *line)
{
	struct monitor_line rest = *line;
	struct answer_field field;
	struct table_column *c;

	while (answer_next_field(&rest, &field)) {
		c = column_of(t, &field.name);
		if (c != NULL && c->kind == KIND_NUMBER && !is_whole_number(&field.value))
			c->kind = KIND_TEXT;
		if (field.value.len >= t->size)
			t->size = field.value.len + 1;
	}
}

static void measure_cells(struct table *t, const struct monitor_line *line)
{
	struct monitor_line rest = *line;
	struct answer_field field;

	while (answer_next_field(&rest, &field)) {
		struct table_column *c = column_of(t, &field.name);
		int width = c == NULL ? 0 : text_width(cell_text_of(t, c, &field.value));

		if (c != NULL && width > c->natural)
			c->natural = width;
	}
}

static void each_record(struct table *t, void (*take)(struct table *, const struct monitor_line *))
{
	for (size_t i = 0; i < t->reply->count; i++) {
		if (answer_is_record(&t->reply->lines[i]))
			take(t, &t->reply->lines[i]);
	}
}

/* ---- widths ---- */

/* What a column can do with. */
static int least_of(const struct table *t, const struct table_column *c)
{
	int least = t->least_text;

	if (c->kind != KIND_TEXT)
		return c->natural;
	if (c == t->columns && least > 1)
		least = LEAST_NAME;
	return c->natural < least ? c->natural : least;
}

/* Does it fit, with the columns that are left? */
static bool share_width(struct table *t, int width)
{
	struct column shares[COLUMNS_MAX];
	size_t n = 0;
	bool fits;

	for (size_t i = 0; i < t->count; i++) {
		const struct table_column *c = &t->columns[i];

		if (!c->is_left_out)
			shares[n++] =
				(struct column){.natural = c->natural, .least = least_of(t, c)};
	}
	fits = columns_share(shares, n, width);
	n = 0;
	for (size_t i = 0; i < t->count; i++) {
		if (!t->columns[i].is_left_out)
			t->columns[i].width = shares[n++].width;
	}
	return fits;
}

/* The last one that is there and whose key ends so, but for the first two. */
static struct table_column *last_column(struct table *t, const char *end)
{
	size_t len = strlen(end);

	for (size_t j = t->count; j > 2; j--) {
		struct table_column *c = &t->columns[j - 1];

		if (!c->is_left_out && c->key.len >= len &&
			memcmp(c->key.text + c->key.len - len, end, len) == 0)
			return c;
	}
	return NULL;
}

/* The one to do without next; NULL when only the first two are left. */
static struct table_column *least_wanted_of(struct table *t)
{
	struct table_column *last;

	for (size_t i = 0; i < sizeof(least_wanted) / sizeof(least_wanted[0]); i++) {
		for (size_t j = 0; j < t->count; j++) {
			if (!t->columns[j].is_left_out &&
				answer_is(&t->columns[j].key, least_wanted[i]))
				return &t->columns[j];
		}
	}
	last = last_column(t, WHO_SAYS);
	return last != NULL ? last : last_column(t, "");
}

static void fit_columns(struct table *t, int width)
{
	struct table_column *c;

	t->least_text = LEAST_TEXT;
	while (!share_width(t, width) && (c = least_wanted_of(t)) != NULL)
		c->is_left_out = true;
	t->least_text = 1;
	share_width(t, width);
}

/* ---- printing ---- */

/* `text` in its column, `*blanks` behind the one before; those at the end of a line are left out.
 */
static void print_cell(FILE *out, const struct table *t, const struct table_column *c,
	const char *text, int *blanks)
{
	int width = text_width(text), free_columns = c->width - width;
	bool is_left = c->kind == KIND_TEXT;

	if (free_columns < 0)
		width = c->width;
	text_fit(text, width, t->fitted, FITTED * t->size);
	*blanks += is_left || free_columns < 0 ? 0 : free_columns;
	if (*text != '\0')
		fprintf(out, "%*s%s", *blanks, "", t->fitted);
	*blanks = (*text != '\0' ? 0 : *blanks + width) +
		(is_left && free_columns > 0 ? free_columns : 0) + 1;
}

/* What is advised stands beneath its record, in whole lines. */
static void print_advice(FILE *out, const struct table *t, const struct monitor_line *line)
{
	struct monitor_line advice, word;
	int column = 0;

	if (!answer_find(line, ADVICE, &advice))
		return;
	while (monitor_next_word(&advice, &word)) {
		bool fits = column > 0 && column + 1 + (int)word.len <= t->width;

		if (column > 0 && !fits)
			putc('\n', out);
		column = fits ? column + 1 : ADVICE_INDENT;
		fprintf(out, "%*s%.*s", fits ? 1 : ADVICE_INDENT, "", (int)word.len, word.text);
		column += (int)word.len;
	}
	if (column > 0)
		putc('\n', out);
}

/* A record, or the titles without one. */
static void print_row(FILE *out, const struct table *t, const struct monitor_line *line)
{
	int blanks = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct table_column *c = &t->columns[i];
		struct monitor_line rest = line == NULL ? c->key : *line;
		struct answer_field field = {.name.len = 0};
		const char *text = line == NULL ? c->title : "";

		if (c->is_left_out)
			continue;
		while (line != NULL && answer_next_field(&rest, &field)) {
			if (answer_is_same(&field.name, &c->key)) {
				text = cell_text_of(t, c, &field.value);
				break;
			}
		}
		print_cell(out, t, c, text, &blanks);
	}
	putc('\n', out);
}

static void name_left_out(FILE *out, const struct table *t)
{
	const char *before = "(no room for: ";
	bool any = false;

	for (size_t i = 0; i < t->count; i++) {
		if (t->columns[i].is_left_out)
			fprintf(out, "%s%s", any ? ", " : before, t->columns[i].title);
		any = any || t->columns[i].is_left_out;
	}
	if (any)
		fputs(")\n", out);
}

static void print_others(FILE *out, const struct answer *reply)
{
	answer_print_line(out, &reply->status);
	for (size_t i = 0; i < reply->count; i++) {
		if (!answer_is_record(&reply->lines[i]))
			answer_print_line(out, &reply->lines[i]);
	}
}

static void print_record(FILE *out, const struct table *t, const struct monitor_line *line)
{
	print_row(out, t, line);
	print_advice(out, t, line);
}

static void print_table(FILE *out, const struct table *t)
{
	print_others(out, t->reply);
	print_row(out, t, NULL);
	for (size_t i = 0; i < t->reply->count; i++) {
		if (answer_is_record(&t->reply->lines[i]))
			print_record(out, t, &t->reply->lines[i]);
	}
	name_left_out(out, t);
}

bool table_print(FILE *out, const struct answer *reply, int width)
{
	struct table t = {.reply = reply, .width = width, .size = TITLE_MAX};
	char *memory;

	each_record(&t, find_columns);
	memory = malloc((1 + FITTED) * t.size);
	if (memory == NULL)
		return false;
	t.cell = memory;
	t.fitted = memory + t.size;
	each_record(&t, measure_cells);
	fit_columns(&t, width);
	print_table(out, &t);
	free(memory);
	return true;
}
