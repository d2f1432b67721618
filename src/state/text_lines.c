/*
 * What a line means may depend on others that stand further down, so that what is kept is its text.
 * Some lines hold passwords: what is given up is wiped.
 */
#include "state/text_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define BETWEEN_LINES " \t;"

static void free_text(char *text)
{
	explicit_bzero(text, strlen(text));
	free(text);
}

static void cut_lines(struct text_lines *l, size_t count)
{
	while (l->count > count)
		free_text(l->lines[--l->count].text);
}

void text_lines_free(void *value)
{
	struct text_lines *l = value;

	cut_lines(l, 0);
	free(l->lines);
	*l = (struct text_lines){.count = 0};
}

/* -1 without memory. */
static int add_copy(
	struct text_lines *l, const char *text, size_t len, const struct setting_place *place)
{
	struct text_line *lines = grow_by_one(l->lines, l->count, &l->size, sizeof(*lines));
	char *copy = lines == NULL ? NULL : strndup(text, len);

	if (lines != NULL)
		l->lines = lines;
	if (copy == NULL)
		return -1;
	lines[l->count++] = (struct text_line){.text = copy, .place = *place};
	return 0;
}

bool text_lines_add(struct text_lines *l, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
{
	if (add_copy(l, text, len, place) == 0)
		return true;
	strcpy(why, "out of memory");
	return false;
}

static bool take_lines(struct text_lines *l, const struct setting_input *in, text_lines_taker *take,
	char why[SETTING_ERROR_MAX])
{
	const char *text = in->text + strspn(in->text, BETWEEN_LINES);

	while (*text != '\0') {
		size_t len = strcspn(text, ";");

		if (!take(l, text, len, &in->place, why))
			return false;
		text += len;
		text += strspn(text, BETWEEN_LINES);
	}
	return true;
}

bool text_lines_read(struct text_lines *l, const struct setting_input *in, text_lines_taker *take,
	char why[SETTING_ERROR_MAX])
{
	struct text_lines new = {.count = 0};
	size_t before = l->count;

	if (in->adds) {
		if (take_lines(l, in, take, why))
			return true;
		cut_lines(l, before);
		return false;
	}
	if (!take_lines(&new, in, take, why)) {
		text_lines_free(&new);
		return false;
	}
	text_lines_free(l);
	*l = new;
	return true;
}

bool text_lines_equal(const void *a, const void *b)
{
	const struct text_lines *l = a, *m = b;

	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->lines[i].text, m->lines[i].text) != 0)
			return false;
	}
	return true;
}

int text_lines_copy(void *to, const void *from)
{
	const struct text_lines *old = from;
	struct text_lines new = {.count = 0};

	for (size_t i = 0; i < old->count; i++) {
		const struct text_line *line = &old->lines[i];

		if (add_copy(&new, line->text, strlen(line->text), &line->place) < 0) {
			text_lines_free(&new);
			return -1;
		}
	}
	text_lines_free(to);
	*(struct text_lines *)to = new;
	return 0;
}
