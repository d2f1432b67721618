/*
 * Expectations are kept as they were understood, so that two that differ in blanks only are the
 * same. A list grows by doubling: a line of a file is added to those before it without a copy of
 * them.
 */
#include "state/expectation_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "state/expectation.h"

#define BLANKS " \t"

void expectation_put(const struct expectation *e, FILE *out)
{
	fputs(e->allows ? "allow " : "deny ", out);
	question_put(&e->question, out);
}

/* ---- reading ---- */

/* The verb that the text begins with, behind which the question is left. */
static bool take_verb(const char **text, size_t *len, bool *allows)
{
	static const struct {
		const char *word;
		bool allows;
	} verbs[] = {{"allow", true}, {"deny", false}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t verb = strlen(verbs[i].word);

		if (*len <= verb || memcmp(*text, verbs[i].word, verb) != 0 ||
			strchr(BLANKS, (*text)[verb]) == NULL)
			continue;
		*text += verb;
		*len -= verb;
		*allows = verbs[i].allows;
		return true;
	}
	return false;
}

static bool read_one(struct expectations *list, const char *text, size_t len,
	const struct setting_place *place, char *why)
{
	struct expectation *items =
		grow_by_one(list->items, list->count, &list->size, sizeof(*items));
	struct expectation *e;

	if (items == NULL) {
		strcpy(why, "out of memory");
		return false;
	}
	list->items = items;
	e = &items[list->count];
	e->place = *place;
	if (!take_verb(&text, &len, &e->allows) || !question_parse(text, len, &e->question, why))
		return false;
	list->count++;
	return true;
}

/* Up to a semicolon that is in no quotes. */
static size_t length_of_one(const char *text)
{
	bool is_quoted = false;
	size_t len = 0;

	for (; text[len] != '\0' && (is_quoted || text[len] != ';'); len++)
		is_quoted ^= text[len] == '"';
	return len;
}

/* Those that are added are dropped again when one of them is wrong. */
static bool read_all(struct expectations *list, const struct setting_input *in, char *why)
{
	size_t before = list->count;
	const char *text = in->text;

	while (*text != '\0') {
		size_t blanks = strspn(text, BLANKS ";"), len = length_of_one(text + blanks);

		if (len > 0 && !read_one(list, text + blanks, len, &in->place, why)) {
			list->count = before;
			return false;
		}
		text += blanks + len;
	}
	return true;
}

static void free_expectations(void *value)
{
	free(((struct expectations *)value)->items);
}

static bool read_expectations(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	struct expectations *list = value, fresh = {.count = 0};

	(void)setting;
	if (in->adds)
		return read_all(list, in, why);
	if (!read_all(&fresh, in, why)) {
		free_expectations(&fresh);
		return false;
	}
	free_expectations(list);
	*list = fresh;
	return true;
}

/* ---- the rest of a type ---- */

static void write_expectations(const struct setting *setting, const void *value, FILE *out)
{
	const struct expectations *list = value;

	(void)setting;
	for (size_t i = 0; i < list->count; i++) {
		fputs(i == 0 ? "" : "; ", out);
		expectation_put(&list->items[i], out);
	}
}

/* Of which both may be told nothing. */
static bool same_address(const struct addr *a, const struct addr *b)
{
	return a->sa.sa_family == AF_UNSPEC ? b->sa.sa_family == AF_UNSPEC : addr_equal(a, b);
}

static bool same_question(const struct question *q, const struct question *p)
{
	return addr_equal(&q->client, &p->client) && strcmp(q->user, p->user) == 0 &&
		q->command == p->command && q->has_target == p->has_target && q->port == p->port &&
		strcmp(q->name, p->name) == 0 && same_address(&q->addr, &p->addr) &&
		q->has_time == p->has_time && q->day == p->day && q->minute == p->minute;
}

static bool equal_expectations(const void *a, const void *b)
{
	const struct expectations *l = a, *m = b;

	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].allows != m->items[i].allows ||
			!same_question(&l->items[i].question, &m->items[i].question))
			return false;
	}
	return true;
}

static int copy_expectations(void *to, const void *from)
{
	const struct expectations *old = from;
	struct expectations *new = to;
	struct expectation *items = NULL;

	if (old->count > 0) {
		items = malloc(old->count * sizeof(*items));
		if (items == NULL)
			return -1;
		memcpy(items, old->items, old->count * sizeof(*items));
	}
	free_expectations(new);
	*new = (struct expectations){.count = old->count, .size = old->count, .items = items};
	return 0;
}

static void put_legal_expectations(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("allow or deny, and from=ADDR [user=NAME] to=HOST:PORT or to=NAME@ADDR:PORT "
	      "[command=udp] [time=\"tue 09:30\"], several separated by semicolons",
		out);
}

const struct setting_type setting_expectations = {
	.size = sizeof(struct expectations),
	.is_list = true,
	.parse = read_expectations,
	.format = write_expectations,
	.equal = equal_expectations,
	.copy = copy_expectations,
	.free = free_expectations,
	.legal = put_legal_expectations,
};
