/*
 * Bytes that are no text keep their \xNN, so that no field has a line's end or a control byte in
 * it; the commas and quotes of names and targets are what is left to be quoted.
 */
#include "wire/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "wire/records.h"

static bool is_taken_for_formula(const char *text)
{
	return *text != '\0' && strchr("=+-@\t\r\n", *text) != NULL;
}

static void put_quoted(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void put_plain(FILE *out, char *text)
{
	if (is_taken_for_formula(text)) {
		memmove(text + 1, text, strlen(text) + 1);
		text[0] = '\'';
	}
	if (strpbrk(text, ",\"\r\n") != NULL)
		put_quoted(out, text);
	else
		fputs(text, out);
}

/* Nothing for what is not known, and without memory. */
static void put_field(FILE *out, const struct monitor_line *value)
{
	size_t size = 4 * value->len + 2; /* and the ' */
	char *plain, *text;

	if (value->text == NULL || answer_is(value, "-"))
		return;
	plain = malloc(value->len + 1);
	text = malloc(size);
	if (plain != NULL && text != NULL) {
		escape_line(plain, escape_decode(value->text, value->len, plain), text, size - 1);
		put_plain(out, text);
	}
	free(plain);
	free(text);
}

static void put_line(FILE *out, const struct monitor_line *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			putc(',', out);
		put_field(out, &cells[i]);
	}
	fputs("\r\n", out);
}

static void put_records(FILE *out, const struct records *t)
{
	struct monitor_line cells[RECORDS_COLUMNS];
	struct records_walk walk = {.line = 0};

	for (size_t i = 0; i < t->columns; i++)
		cells[i] = t->column[i].name;
	put_line(out, cells, t->columns);
	while (records_next(t, &walk, cells))
		put_line(out, cells, t->columns);
}

static void put_values(FILE *out, const struct records *t)
{
	struct answer_field field;

	fputs("name,value\r\n", out);
	for (size_t i = 0; i < t->reply->count; i++) {
		const struct monitor_line *line = &t->reply->lines[i];

		if (records_is_value(t, line) && answer_split(line, &field))
			put_line(out, (const struct monitor_line[]){field.name, field.value}, 2);
	}
}

void csv_print(FILE *out, const char *request, const struct answer *reply)
{
	struct records t;

	records_find(&t, request, reply);
	if (t.columns > 0)
		put_records(out, &t);
	else
		put_values(out, &t);
}
