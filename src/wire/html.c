/*
 * What a reply has of "name:value" becomes a list of them, its records a table, and anything else
 * lines. What scripts take over has the keys of the reply beside the words for people: data-key of
 * a column, data-name of a value.
 */
#include "wire/html.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/template.h"
#include "base/writing.h"
#include "wire/records.h"

#define TITLE_MAX 64 /* bytes; what is longer is cut */

/* ---- texts ---- */

/* With the \xNN decoded, but where that is no text; without memory, as nothing. */
static void put_text(FILE *out, const struct monitor_line *text)
{
	char *plain = malloc(text->len + 1), *shown = malloc(4 * text->len + 1);
	size_t len;

	if (plain != NULL && shown != NULL) {
		len = escape_decode(text->text, text->len, plain);
		template_put_html(escape_line(plain, len, shown, 4 * text->len + 1), out);
	}
	free(plain);
	free(shown);
}

/* "takes_effect" is "Takes effect". */
static void put_title(FILE *out, const struct monitor_line *name)
{
	char title[TITLE_MAX];

	escape_line(name->text, name->len, title, sizeof(title));
	for (char *p = title; *p != '\0'; p++)
		*p = *p == '_' ? ' ' : *p;
	title[0] = (char)toupper((unsigned char)title[0]);
	template_put_html(title, out);
}

/* `unit` is what one of them is called. */
static void put_scaled(FILE *out, long long number, const char *unit)
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
	double value = (double)number;
	size_t i = 0;

	/* As it is rounded: 999.9 is shown as 1000, which is 1.0 of the next. */
	for (; value >= 999.5 && i + 1 < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		value /= 1000;
	fprintf(out, i > 0 && value < 9.95 ? "%.1f %s%s" : "%.0f %s%s", value, prefixes[i], unit);
}

static void put_seconds(FILE *out, long long s)
{
	if (s < 60)
		fprintf(out, "%lld s", s);
	else if (s < 3600)
		fprintf(out, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		fprintf(out, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		fprintf(out, "%lld d %lld h", s / 86400, s / 3600 % 24);
}

/* With a blank between day and hour. */
static void put_time(FILE *out, const struct monitor_line *value)
{
	const char *mark = memchr(value->text, 'T', value->len);
	size_t day = mark == NULL ? value->len : (size_t)(mark - value->text);

	put_text(out, &(struct monitor_line){.text = value->text, .len = day});
	if (mark == NULL)
		return;
	putc(' ', out);
	put_text(out, &(struct monitor_line){.text = mark + 1, .len = value->len - day - 1});
}

static void put_value(FILE *out, enum records_kind kind, const struct monitor_line *value)
{
	long long number;

	if (kind == RECORDS_TIME)
		put_time(out, value);
	else if (kind <= RECORDS_NUMBER || !answer_number(value, &number))
		put_text(out, value);
	else if (kind == RECORDS_SECONDS)
		put_seconds(out, number);
	else if (kind == RECORDS_MS)
		fprintf(out, "%lld ms", number);
	else if (kind == RECORDS_RATE)
		put_scaled(out, 8 * number, "bit/s"); /* as lines and limits are told */
	else
		put_scaled(out, number, "B");
}

/* ---- the list of values ---- */

static void put_pair(FILE *out, const struct answer_field *field)
{
	fputs("<div><dt>", out);
	put_title(out, &field->name);
	fputs("</dt><dd data-name=\"", out);
	put_text(out, &field->name);
	fputs("\">", out);
	put_text(out, &field->value);
	fputs("</dd></div>\n", out);
}

static void put_values(FILE *out, const struct records *t, const struct html_view *view)
{
	struct answer_field field;
	bool is_open = false;

	for (size_t i = 0; i < t->reply->count; i++) {
		if (!records_is_value(t, &t->reply->lines[i]))
			continue;
		if (!is_open)
			fprintf(out, "<dl class=\"values\" id=\"%s-values\">\n", view->id);
		is_open = true;
		answer_split(&t->reply->lines[i], &field);
		put_pair(out, &field);
	}
	if (is_open)
		fputs("</dl>\n", out);
}

/* ---- the table ---- */

static const char *class_of(enum records_kind kind)
{
	static const char *const classes[] = {
		[RECORDS_TEXT] = "is-text",
		[RECORDS_SENTENCE] = "is-sentence",
		[RECORDS_TIME] = "is-time",
		[RECORDS_NUMBER] = "is-count",
		[RECORDS_BYTES] = "is-bytes",
		[RECORDS_RATE] = "is-rate",
		[RECORDS_SECONDS] = "is-duration",
		[RECORDS_MS] = "is-duration",
	};

	return classes[kind];
}

static void put_head(FILE *out, const struct records *t)
{
	fputs("<thead><tr>", out);
	for (size_t i = 0; i < t->columns; i++) {
		const struct records_column *c = &t->column[i];

		fprintf(out, "<th scope=\"col\" class=\"%s\" data-key=\"", class_of(c->kind));
		put_text(out, &c->name);
		fputs("\">", out);
		put_title(out, &c->name);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
}

static void put_row(FILE *out, const struct records *t, const struct monitor_line *cells)
{
	fputs("<tr>", out);
	for (size_t i = 0; i < t->columns; i++) {
		fprintf(out, "<td class=\"%s\" data-label=\"", class_of(t->column[i].kind));
		put_title(out, &t->column[i].name);
		fputs("\">", out);
		if (cells[i].text != NULL && !answer_is(&cells[i], "-"))
			put_value(out, t->column[i].kind, &cells[i]);
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

/* Of the newest first there is no walk backwards: they are printed apart and put together. */
struct row_texts {
	struct writing texts;
	size_t *ends; /* of each */
	size_t count;
};

static void put_backwards(FILE *out, const struct row_texts *rows)
{
	for (size_t i = rows->count; i > 0; i--) {
		size_t begin = i > 1 ? rows->ends[i - 2] : 0;

		fwrite(rows->texts.text + begin, 1, rows->ends[i - 1] - begin, out);
	}
}

static void walk_rows(FILE *out, const struct records *t, size_t skip, size_t most, size_t *ends)
{
	struct monitor_line cells[RECORDS_COLUMNS];
	struct records_walk walk = {.line = 0};

	for (size_t i = 0; i < skip + most && records_next(t, &walk, cells); i++) {
		if (i < skip)
			continue;
		put_row(out, t, cells);
		if (ends != NULL)
			ends[i - skip] = (size_t)ftello(out);
	}
}

/* Without memory there are none. */
static void put_rows_backwards(FILE *out, const struct records *t, size_t skip, size_t most)
{
	struct row_texts rows = {.count = most, .ends = calloc(most + 1, sizeof(*rows.ends))};

	if (writing_begin(&rows.texts) != NULL && rows.ends != NULL)
		walk_rows(rows.texts.out, t, skip, most, rows.ends);
	if (writing_end(&rows.texts) && rows.ends != NULL)
		put_backwards(out, &rows);
	free(rows.texts.text);
	free(rows.ends);
}

static void put_rows(
	FILE *out, const struct records *t, size_t from, size_t count, bool is_newest_first)
{
	fputs("<tbody>\n", out);
	if (is_newest_first)
		put_rows_backwards(out, t, t->rows - from - count, count);
	else
		walk_rows(out, t, from, count, NULL);
	fputs("</tbody>\n", out);
}

static void put_link(FILE *out, const struct html_view *view, size_t from, const char *text)
{
	fputs(" <a href=\"", out);
	template_put_html(view->link, out);
	fprintf(out, "%zu#%s\">%s</a>", from, view->id, text);
}

/* Which rows these are, and where the others are. */
static void put_pages(
	FILE *out, const struct records *t, const struct html_view *view, size_t from, size_t count)
{
	if (from == 0 && count == t->rows)
		return;
	fprintf(out, "<p class=\"pages\">%zu to %zu of %zu", from + 1, from + count, t->rows);
	if (view->link != NULL && from > 0)
		put_link(out, view, from > view->most ? from - view->most : 0, "before");
	if (view->link != NULL && from + count < t->rows)
		put_link(out, view, from + count, "next");
	fputs("</p>\n", out);
}

/* What has no room is scrolled, by the keys, too. */
static void open_table(FILE *out, const struct html_view *view)
{
	const char *caption = view->caption == NULL ? "" : view->caption;

	fputs("<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"", out);
	template_put_html(caption, out);
	fprintf(out, "\">\n<table id=\"%s\">\n<caption>", view->id);
	template_put_html(caption, out);
	fputs("</caption>\n", out);
}

static void put_table(FILE *out, const struct records *t, const struct html_view *view)
{
	size_t from = view->from < t->rows ? view->from : 0;
	size_t count = t->rows - from < view->most ? t->rows - from : view->most;

	open_table(out, view);
	put_head(out, t);
	put_rows(out, t, from, count, view->is_newest_first);
	fputs("</table></div>\n", out);
	put_pages(out, t, view, from, count);
}

/* The same with a place for rows that come. */
static void put_empty(FILE *out, const struct html_view *view)
{
	open_table(out, view);
	fputs("<tbody></tbody></table></div>\n<p class=\"none\">None.</p>\n", out);
}

/* ---- the reply ---- */

/* But for the heading of what has one here. */
static void put_message(FILE *out, const struct answer *reply)
{
	if (reply->message.len == 0 ||
		(reply->count > 0 && reply->message.text[reply->message.len - 1] == ':'))
		return;
	fputs(reply->ok ? "<p class=\"message\">" : "<p class=\"error\" role=\"alert\">", out);
	put_text(out, &reply->message);
	fputs("</p>\n", out);
}

/* What is neither a value nor a record. */
static void put_lines(FILE *out, const struct records *t)
{
	bool is_open = false;

	for (size_t i = 0; i < t->reply->count; i++) {
		const struct monitor_line *line = &t->reply->lines[i];

		if (t->is_row(line) || records_is_value(t, line))
			continue;
		fputs(is_open ? "" : "<ul class=\"lines\">\n", out);
		is_open = true;
		fputs("<li>", out);
		put_text(out, line);
		fputs("</li>\n", out);
	}
	if (is_open)
		fputs("</ul>\n", out);
}

void html_print(
	FILE *out, const char *request, const struct answer *reply, const struct html_view *view)
{
	struct records t;

	records_find(&t, request, reply);
	if (!t.is_of_words)
		put_message(out, reply);
	if (!reply->ok)
		return;
	put_values(out, &t, view);
	put_lines(out, &t);
	if (t.rows > 0)
		put_table(out, &t, view);
	else if (view->caption != NULL)
		put_empty(out, view);
}
