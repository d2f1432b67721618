/*
 * inih cuts lines into names and values; it is given one line at a time, so that each can be
 * counted and what it would misread can be refused. The first mistake is the one that is told: it
 * may be the cause of those behind it.
 */
#include "state/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	FILE *file;
	const char *path;
	unsigned line;
	const struct setting *table;
	size_t count;
	void *values;
	bool *given; /* by index in the table: the file has set it */
	char *error;
};

/* Keeps the first complaint. */
static void complain(struct reading *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct reading *r, const char *format, ...)
{
	va_list ap;
	int len;

	if (r->error[0] != '\0')
		return;
	len = snprintf(r->error, CONFIG_FILE_ERROR_MAX, "%.512s:%u: ", r->path, r->line);
	va_start(ap, format);
	vsnprintf(r->error + len, CONFIG_FILE_ERROR_MAX - (size_t)len, format, ap);
	va_end(ap);
}

static bool at_end(FILE *file)
{
	int c = getc(file);

	return c == EOF || ungetc(c, file) == EOF;
}

/* inih would take an indented line for the rest of the one before it. */
static void skip_indentation(char *line)
{
	size_t blanks = strspn(line, " \t");

	memmove(line, line + blanks, strlen(line + blanks) + 1);
}

/* inih's reader: as fgets(3), and keeps count of the lines. */
static char *read_line(char *line, int size, void *user)
{
	struct reading *r = user;

	if (fgets(line, size, r->file) == NULL)
		return NULL;
	r->line++;
	if (strchr(line, '\n') == NULL && !at_end(r->file))
		complain(r,
			"the line is longer than %d bytes (repeat a setting to continue a list)",
			size - 2);
	skip_indentation(line);
	return line;
}

static void take_value(
	struct reading *r, const struct setting *setting, const char *name, const char *value)
{
	bool *given = &r->given[setting - r->table];
	const struct setting_input in = {
		.text = value, .adds = *given, .place = {.file = r->path, .line = r->line}};
	char why[SETTING_ERROR_MAX];

	if (*given && !setting->type->is_list)
		complain(r, "%s: \"%s\": it was set already further up", name, value);
	else if (!setting_set(setting, r->values, &in, why))
		complain(r, "%s: %s", name, why);
	*given = true;
}

/* inih's handler: 1 = accepted. */
static int accept_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct setting *setting = setting_find(r->table, r->count, name);

	if (*section != '\0')
		complain(r, "[%s]: there are no sections in this file", section);
	else if (setting == NULL)
		complain(r, "%s: there is no such setting (socks5d --help lists them)", name);
	else
		take_value(r, setting, name, value);
	return r->error[0] == '\0';
}

static int read_stream(struct reading *r)
{
	int status;

	errno = 0;
	status = ini_parse_stream(read_line, r, accept_pair, r);
	if (ferror(r->file) && r->error[0] == '\0')
		snprintf(r->error, CONFIG_FILE_ERROR_MAX, "%s: cannot be read: %s", r->path,
			strerror(errno));
	if (r->error[0] == '\0' && status != 0) {
		r->line = (unsigned)status;
		complain(r, "this is no line of the form: name = value");
	}
	return r->error[0] == '\0' ? 0 : -1;
}

int config_file_read(const char *path, const struct setting *table, size_t count, void *values,
	char error[CONFIG_FILE_ERROR_MAX])
{
	struct reading r = {
		.path = path, .table = table, .count = count, .values = values, .error = error};
	int result = -1;

	error[0] = '\0';
	r.given = calloc(count, sizeof(*r.given));
	r.file = fopen(path, "re");
	if (r.file == NULL)
		snprintf(error, CONFIG_FILE_ERROR_MAX, "%s: cannot be read: %s", path,
			strerror(errno));
	else if (r.given == NULL)
		snprintf(error, CONFIG_FILE_ERROR_MAX, "out of memory");
	else
		result = read_stream(&r);
	if (r.file != NULL)
		fclose(r.file);
	free(r.given);
	return result;
}
