/*
 * Each line is read when the setting is, so that what is wrong with it is said with its file and
 * line, and kept as it was written: upstreams_compile() reads it again. What is shown of it never
 * has a login.
 */
#include "state/upstream_types.h"

#include <string.h>

#include "state/upstream_line.h"

static bool refuse_upstream(char *why, const char *problem)
{
	snprintf(why, SETTING_ERROR_MAX, "%s", problem);
	return false;
}

static bool has_password(const struct upstream_line *line)
{
	for (size_t i = 0; i < line->count; i++) {
		if (line->urls[i].has_password)
			return true;
	}
	return false;
}

/* Why the line, which is right by itself, cannot be one more; NULL: it can. */
static const char *problem_of_line(const struct text_lines *l, const struct upstream_line *line,
	const struct setting_place *place)
{
	if (upstream_line_find(l, line->name) != NULL)
		return "there is an upstream of that name already: one line has all its URLs";
	if (l->count == UPSTREAM_LINES_MAX)
		return "there are 64 upstreams already";
	if (place->file == NULL && has_password(line))
		return "outside of a file others would see the password (ps shows the command "
		       "line): use password_file=PATH";
	return NULL;
}

static bool take_upstream(struct text_lines *l, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
{
	struct upstream_line line;
	const char *problem;
	bool is_taken = upstream_line_parse(text, len, &line, why);

	if (is_taken) {
		problem = problem_of_line(l, &line, place);
		is_taken = problem == NULL ? text_lines_add(l, text, len, place, why)
					   : refuse_upstream(why, problem);
	}
	explicit_bzero(&line, sizeof(line));
	return is_taken;
}

static bool read_upstreams(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)setting;
	return text_lines_read(value, in, take_upstream, why);
}

static void write_upstreams(const struct setting *setting, const void *value, FILE *out)
{
	const struct text_lines *l = value;
	char why[SETTING_ERROR_MAX];
	struct upstream_line line;

	(void)setting;
	for (size_t i = 0; i < l->count; i++) {
		const char *text = l->lines[i].text;

		fputs(i == 0 ? "" : "; ", out);
		if (upstream_line_parse(text, strlen(text), &line, why))
			upstream_line_put(&line, out);
	}
	explicit_bzero(&line, sizeof(line));
}

static void put_legal_upstreams(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("NAME URL[, URL] with socks5://, socks4a:// and http:// URLs", out);
}

const struct setting_type setting_upstreams = {
	.size = sizeof(struct text_lines),
	.is_list = true,
	.parse = read_upstreams,
	.format = write_upstreams,
	.equal = text_lines_equal,
	.copy = text_lines_copy,
	.free = text_lines_free,
	.legal = put_legal_upstreams,
	.mask = upstream_line_mask,
};
