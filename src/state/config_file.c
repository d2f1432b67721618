/*
 * A line is a name, = and a value, and is read as people mean it: blanks around either do not
 * count, # or ; at the beginning or behind a blank begins a comment, and quotes keep what would
 * otherwise be lost. The first mistake is the one that is told: it may be the cause of those behind
 * it.
 */
#include "state/config_file.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"

#define BLANKS " \t\r"

_Static_assert(CONFIG_FILE_ERROR_MAX >= LINES_ERROR_MAX, "what lines_next() says fits");

struct reading {
	const char *path;
	unsigned line;
	const struct setting *table;
	size_t count;
	void *values;
	unsigned *lines; /* by index in the table: the first that has set it; 0: none has */
	char *error;
};

/* Always false. */
static bool refuse_line(struct reading *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse_line(struct reading *r, const char *format, ...)
{
	int len = snprintf(r->error, CONFIG_FILE_ERROR_MAX, "%.512s:%u: ", r->path, r->line);
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->error + len, CONFIG_FILE_ERROR_MAX - (size_t)len, format, ap);
	va_end(ap);
	return false;
}

/* ---- taking a line apart; all of it in place ---- */

static char *behind_blanks(char *text)
{
	return text + strspn(text, BLANKS);
}

static bool begins_comment(const char *text)
{
	return *text == '#' || *text == ';';
}

static void trim_blanks(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
}

/* A value up to the end of the line, or up to a blank with a comment behind it. */
static void cut_comment(char *value)
{
	for (char *p = value; *p != '\0'; p++) {
		if (begins_comment(p) && (p == value || strchr(BLANKS, p[-1]) != NULL)) {
			*p = '\0';
			break;
		}
	}
	trim_blanks(value);
}

/* A value in quotes, which may hold everything; \" and \\ stand for a quote and a backslash. NULL,
 * or what is wrong with it. */
static const char *unquote(char *value)
{
	char *to = value, *from = value + 1;

	for (; *from != '"'; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		if (*from == '\0')
			return "the closing quote is missing";
		*to++ = *from;
	}
	from = behind_blanks(from + 1);
	*to = '\0';
	return *from == '\0' || begins_comment(from)
		? NULL
		: "nothing but a comment may stand behind the closing quote";
}

/* Cuts "name = value # comment" apart. False when it is none, which is told. */
static bool split_line(struct reading *r, char *line, char **name, char **value)
{
	char *sign = line + strcspn(line, "=:");
	const char *why = NULL;

	if (*line == '[')
		return refuse_line(r, "%s: there are no sections in this file", line);
	if (*sign == '\0' || sign == line)
		return refuse_line(r, "this is no line of the form: name = value");
	*sign = '\0';
	*name = line;
	trim_blanks(*name);
	*value = behind_blanks(sign + 1);
	if (**value == '"')
		why = unquote(*value);
	else
		cut_comment(*value);
	return why == NULL ? true : refuse_line(r, "%.255s: %s", *name, why);
}

/* ---- values ---- */

static bool take_value(
	struct reading *r, const struct setting *setting, const char *name, const char *value)
{
	unsigned *first = &r->lines[setting - r->table];
	const struct setting_input in = {
		.text = value, .adds = *first != 0, .place = {.file = r->path, .line = r->line}};
	char why[SETTING_ERROR_MAX];

	if (*first != 0 && !setting->type->is_list)
		return refuse_line(r, "%s: \"%s\": it was set already further up", name, value);
	if (!setting_set(setting, r->values, &in, why))
		return refuse_line(r, "%s: %s", name, why);
	if (*first == 0)
		*first = r->line;
	return true;
}

/* False when it is wrong, which is told. */
static bool take_config_line(struct reading *r, char *line)
{
	const struct setting *setting;
	char *name = NULL, *value = NULL, hint[NEAREST_HINT_MAX];

	line = behind_blanks(line);
	if (*line == '\0' || begins_comment(line))
		return true;
	if (!split_line(r, line, &name, &value))
		return false;
	setting = setting_find(r->table, r->count, name);
	if (setting == NULL)
		return refuse_line(r,
			"%.255s: there is no such setting (socks5d --help lists them)%s", name,
			setting_name_hint(r->table, r->count, name, hint));
	return take_value(r, setting, name, value);
}

static int read_lines_of(struct reading *r, struct lines *lines)
{
	enum lines_result result;
	struct line line;

	while ((result = lines_next(lines, &line, r->error)) == LINES_LINE) {
		r->line = (unsigned)line.number;
		if (!take_config_line(r, line.text))
			return -1;
	}
	return result == LINES_END ? 0 : -1;
}

int config_file_read(const char *path, bool may_be_pipe, const struct setting *table, size_t count,
	void *values, unsigned *lines, char error[CONFIG_FILE_ERROR_MAX])
{
	struct reading r = {.path = path,
		.table = table,
		.count = count,
		.values = values,
		.lines = lines,
		.error = error};
	struct lines *file = lines_open(path, may_be_pipe, error);
	int result;

	if (file == NULL)
		return -1;
	memset(lines, 0, count * sizeof(*lines));
	result = read_lines_of(&r, file);
	lines_close(file);
	return result;
}

/* ---- writing a line ---- */

/* Would it be read as something else without quotes? */
static bool needs_quotes(const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || *value == '"' || strchr(BLANKS, *value) != NULL ||
		strchr(BLANKS, value[len - 1]) != NULL)
		return true;
	for (const char *p = value; *p != '\0'; p++) {
		if (begins_comment(p) && (p == value || strchr(BLANKS, p[-1]) != NULL))
			return true;
	}
	return false;
}

static void put_quoted(char *out, const char *value)
{
	*out++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*out++ = '\\';
		*out++ = *value;
	}
	*out++ = '"';
	*out = '\0';
}

char *config_file_line(const struct setting *setting, const void *values)
{
	char *value = setting_format(setting, values), *line = NULL, *end;

	if (value != NULL)
		line = malloc(strlen(setting->name) + 3 + 2 * strlen(value) + 3);
	if (line != NULL) {
		end = stpcpy(stpcpy(line, setting->name), " = ");
		if (needs_quotes(value))
			put_quoted(end, value);
		else
			strcpy(end, value);
	}
	free(value);
	return line;
}
