/*
 * A setting is used through its type only: nobody but a type knows what its values look like, and
 * nobody but the table which settings there are. So a new type is a struct here, or anywhere, and a
 * new setting a row.
 */
#include "state/setting_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/writing.h"
#include "base/parse.h"

size_t setting_place_put(const struct setting_place *place, char *out, size_t size)
{
	*out = '\0';
	if (place->file == NULL)
		return 0;
	return (size_t)snprintf(out, size, "%.512s:%u: ", place->file, place->line);
}

static void *value_in(const struct setting *setting, const void *values)
{
	return (char *)(uintptr_t)values + setting->offset;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	}
	return true;
}

const struct setting *setting_find(const struct setting *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (same_name(table[i].name, name))
			return &table[i];
	}
	return NULL;
}

const char *setting_name_hint(
	const struct setting *table, size_t count, const char *name, char out[NEAREST_HINT_MAX])
{
	struct nearest nearest = nearest_to(name, strlen(name));

	for (size_t i = 0; i < count; i++)
		nearest_try(&nearest, table[i].name);
	return nearest_hint(&nearest, "", out);
}

bool setting_find_refused(
	const char *text, setting_taker *takes, void *state, const char **word, size_t *len)
{
	while (parse_next_word(&text, word, len)) {
		if (!takes(state, *word, *len))
			return true;
	}
	return false;
}

/* What the type asks about a text that it refused. To be freed; NULL without memory. */
static char *text_of_question(const struct setting *setting, const char *refused)
{
	struct writing w;

	if (writing_begin(&w) == NULL)
		return NULL;
	if (setting->type->ask != NULL)
		setting->type->ask(setting, refused, w.out);
	(void)writing_end(&w);
	return w.text;
}

/* What may be shown of a value; NULL without memory. */
static char *masked(const struct setting *setting, const char *value)
{
	struct writing w;

	if (setting->type->mask == NULL)
		return strdup(value);
	if (writing_begin(&w) == NULL)
		return NULL;
	setting->type->mask(value, w.out);
	(void)writing_end(&w);
	return w.text;
}

bool setting_set(const struct setting *setting, void *values, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	char reason[SETTING_ERROR_MAX] = "", *shown, *legal = NULL, *question = NULL;

	if (setting->type->parse(setting, value_in(setting, values), in, reason))
		return true;
	if (reason[0] == '\0') {
		legal = setting_legal(setting);
		question = text_of_question(setting, in->text);
	}
	shown = masked(setting, in->text);
	snprintf(why, SETTING_ERROR_MAX, "\"%.512s\": %s%s%s", shown != NULL ? shown : "",
		legal != NULL ? "legal is " : reason, legal != NULL ? legal : "",
		question != NULL ? question : "");
	free(shown);
	free(question);
	free(legal);
	return false;
}

char *setting_legal(const struct setting *setting)
{
	struct writing w;

	if (writing_begin(&w) == NULL)
		return NULL;
	setting->type->legal(setting, w.out);
	(void)writing_end(&w);
	return w.text;
}

void setting_put(const struct setting *setting, const void *values, FILE *out)
{
	setting->type->format(setting, value_in(setting, values), out);
}

char *setting_format(const struct setting *setting, const void *values)
{
	struct writing w;

	if (writing_begin(&w) == NULL)
		return NULL;
	setting_put(setting, values, w.out);
	(void)writing_end(&w);
	return w.text;
}

bool setting_equal(const struct setting *setting, const void *a, const void *b)
{
	return setting->type->equal(value_in(setting, a), value_in(setting, b));
}

int setting_copy(const struct setting *setting, void *to, const void *from)
{
	void *value = value_in(setting, to);

	if (setting->type->copy != NULL)
		return setting->type->copy(value, value_in(setting, from));
	memmove(value, value_in(setting, from), setting->type->size);
	return 0;
}

void setting_free(const struct setting *setting, void *values)
{
	void *value = value_in(setting, values);

	if (setting->type->free != NULL)
		setting->type->free(value);
	memset(value, 0, setting->type->size);
}

const char *setting_flag(const struct setting *setting, char out[64])
{
	snprintf(out, 64, "--%s", setting->flag_name != NULL ? setting->flag_name : setting->name);
	for (char *p = out + 2; *p != '\0'; p++) {
		if (*p == '_')
			*p = '-';
	}
	return out;
}
