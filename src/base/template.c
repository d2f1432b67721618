/*
 * One walk through the text. A part that is left out is walked through all the same, writing
 * nothing, so that a mistake in it is found whatever the values are.
 */
#include "base/template.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	const char *begin, *at;
	const struct template_field *fields;
	FILE *out;
};

/* What stands between {{ and }}. */
struct mark {
	char kind; /* & # ^ / or 0 */
	const char *name;
	size_t len;
};

void template_put_html(const char *text, FILE *out)
{
	static const char *const entities[] = {['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;"};
	size_t plain;

	for (; *text != '\0'; text++) {
		plain = strcspn(text, "&<>\"'");
		fwrite(text, 1, plain, out);
		text += plain;
		if (*text == '\0')
			return;
		fputs(entities[(unsigned char)*text], out);
	}
}

static const struct template_field *field_of(const struct walk *w, const struct mark *m)
{
	for (const struct template_field *f = w->fields; f->name != NULL; f++) {
		if (strlen(f->name) == m->len && memcmp(f->name, m->name, m->len) == 0)
			return f;
	}
	return NULL;
}

static bool has_value(const struct template_field *f)
{
	return f->value != NULL && *f->value != '\0';
}

/* Goes on behind a mark, and behind the end of the line where there is nothing else on it. */
static void step_over(struct walk *w, const char *open, const char *close, char kind)
{
	bool is_alone = (open == w->begin || open[-1] == '\n') && close[2] == '\n';

	w->at = close + 2;
	if (is_alone && (kind == '#' || kind == '^' || kind == '/'))
		w->at++;
}

/* Writes the text in front of the next mark, and takes the mark. False at the end of the text, and
 * at a mark that has none. */
static bool next_mark(struct walk *w, bool is_shown, struct mark *m)
{
	const char *open = strstr(w->at, "{{");
	const char *close = open != NULL ? strstr(open, "}}") : NULL;
	size_t plain = open != NULL ? (size_t)(open - w->at) : strlen(w->at);

	if (is_shown)
		fwrite(w->at, 1, plain, w->out);
	w->at += plain;
	if (close == NULL)
		return false;
	m->kind = strchr("&#^/", open[2]) != NULL ? open[2] : '\0';
	m->name = open + 2 + (m->kind != '\0');
	m->len = (size_t)(close - m->name);
	step_over(w, open, close, m->kind);
	return true;
}

static bool is_end_of(const struct mark *m, const struct mark *part)
{
	return m->kind == '/' && part != NULL && m->len == part->len &&
		memcmp(m->name, part->name, m->len) == 0;
}

/* Up to the end of the part, or of the text. NOLINTNEXTLINE(misc-no-recursion): as deep as parts
 * are in each other in texts of our own. */
static bool put_part(struct walk *w, const struct mark *part, bool is_shown)
{
	const struct template_field *f;
	struct mark m;

	while (next_mark(w, is_shown, &m)) {
		if (is_end_of(&m, part))
			return true;
		f = field_of(w, &m);
		if (f == NULL || m.kind == '/')
			return false;
		if (m.kind == '#' || m.kind == '^') {
			if (!put_part(w, &m, is_shown && has_value(f) == (m.kind == '#')))
				return false;
		} else if (is_shown && has_value(f)) {
			if (m.kind == '&')
				fputs(f->value, w->out);
			else
				template_put_html(f->value, w->out);
		}
	}
	return part == NULL && *w->at == '\0';
}

bool template_put(const char *text, const struct template_field *fields, FILE *out)
{
	struct walk w = {.begin = text, .at = text, .fields = fields, .out = out};

	return put_part(&w, NULL, true);
}

bool template_write(const char *text, const struct template_field *fields, struct writing *out)
{
	bool is_whole = writing_begin(out) != NULL && template_put(text, fields, out->out);

	if (writing_end(out) && is_whole)
		return true;
	free(out->text);
	*out = (struct writing){.text = NULL};
	return false;
}
