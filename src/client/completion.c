/*
 * A line of HELP is `WORD PARAMETERS - explanation`. The parameters are items such as <id>,
 * [admin], <name>|* and <error|warn|info|debug>, of which optional ones are nested in brackets; the
 * place of the word to complete picks the item, and the item says what may stand there.
 */
#include "client/completion.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"

struct source {
	const char *parameter; /* as HELP calls it */
	const char *command; /* whose reply lists what it can be */
	const char *key; /* of the lines that do; NULL: it is what stands before the colon */
};

static const struct source sources[] = {
	{"parameter", "CONFIG", NULL},
	{"word", "CONFIG", NULL},
	{"name", "ACCOUNTS", "name"},
	{"id", "CONNECTIONS", "id"},
	{"client", "CLIENTS", "client"},
	{"banned", "BANS", "client"},
	{"rule", "RULES", "rule"},
};

static bool begins_with(const struct completion *c, const char *word, size_t len)
{
	return len >= c->begun_len && strncasecmp(word, c->begun, c->begun_len) == 0;
}

/* A word that a terminal would obey, or cannot show, could not be sent either. */
static bool is_showable(const char *word, size_t len)
{
	char shown[4 * COMPLETION_WORD_MAX];

	escape_line(word, len, shown, sizeof(shown));
	return strlen(shown) == len;
}

/* Lacking memory it leaves the word out: completion is a convenience. */
static void add_word(struct completion *c, const char *word, size_t len)
{
	void *grown;

	if (len == 0 || len >= COMPLETION_WORD_MAX || !is_showable(word, len) ||
		!begins_with(c, word, len))
		return;
	if (c->count == c->room) {
		grown = realloc(c->words, (c->room * 2 + 16) * sizeof(*c->words));
		if (grown == NULL)
			return;
		c->words = grown;
		c->room = c->room * 2 + 16;
	}
	memcpy(c->words[c->count], word, len);
	c->words[c->count++][len] = '\0';
}

/* ---- parameters ---- */

/* The explanation is cut off. */
static struct monitor_line without_explanation(const struct monitor_line *line)
{
	struct monitor_line rest = *line;
	const char *dash = memmem(line->text, line->len, " - ", 3);

	if (dash != NULL)
		rest.len = (size_t)(dash - line->text);
	return rest;
}

/* Takes one alternative off the item, up to a | that is in no angle brackets. */
static bool next_alternative(struct monitor_line *item, struct monitor_line *out)
{
	size_t len = 0;
	bool inside = false;

	if (item->len == 0)
		return false;
	for (; len < item->len && (inside || item->text[len] != '|'); len++) {
		if (item->text[len] == '<' || item->text[len] == '>')
			inside = item->text[len] == '<';
	}
	*out = (struct monitor_line){.text = item->text, .len = len};
	len += len < item->len;
	item->text += len;
	item->len -= len;
	return true;
}

static void add_literals(struct completion *c, struct monitor_line list)
{
	struct monitor_line word;

	while (next_alternative(&list, &word))
		add_word(c, word.text, word.len);
}

/* Of several, as in <name>|<client>, the first. */
static void name_source(struct completion *c, const struct monitor_line *parameter)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (c->source == NULL && answer_is(parameter, sources[i].parameter)) {
			c->source = sources[i].command;
			c->key = sources[i].key;
		}
	}
}

/* "<error|warn>" are two words, "<name>" stands for many, "admin" is itself. */
static void add_alternative(struct completion *c, struct monitor_line a)
{
	if (a.len > 2 && a.text[0] == '<' && a.text[a.len - 1] == '>') {
		a.text++;
		a.len -= 2;
		if (memchr(a.text, '|', a.len) == NULL) {
			name_source(c, &a);
			return;
		}
	}
	add_literals(c, a);
}

static struct monitor_line without_brackets(struct monitor_line item)
{
	while (item.len > 0 && item.text[0] == '[') {
		item.text++;
		item.len--;
	}
	while (item.len > 0 && item.text[item.len - 1] == ']')
		item.len--;
	return item;
}

static void add_item(struct completion *c, struct monitor_line item)
{
	struct monitor_line alternative;

	item = without_brackets(item);
	while (next_alternative(&item, &alternative))
		add_alternative(c, alternative);
}

/* Of "[user=<name>]" how long "user=" is; 0: it is none of those, which may stand in any order. */
static size_t length_of_key(const struct monitor_line *item)
{
	const char *value = memmem(item->text, item->len, "=<", 2);

	return value == NULL || item->text[0] == '<' ? 0 : (size_t)(value - item->text) + 1;
}

/* The key; or, where that is begun, only what may stand behind it: true. */
static bool add_keyed(struct completion *c, struct monitor_line item, size_t key_len)
{
	if (c->begun_len < key_len || memcmp(c->begun, item.text, key_len) != 0) {
		add_word(c, item.text, key_len);
		return false;
	}
	c->count = 0;
	c->source = NULL;
	c->begun += key_len;
	c->begun_len -= key_len;
	item.text += key_len;
	item.len -= key_len;
	add_item(c, item);
	return true;
}

/* The parameter at `place`, counted from 1, of the command that `line` of HELP describes; behind
 * the first that has a key all of those. true: a key is begun, and nothing else can be meant. */
static bool add_parameter(struct completion *c, const struct monitor_line *line, size_t place)
{
	struct monitor_line rest = without_explanation(line), item;
	bool has_keys = false;

	while (monitor_next_word(&rest, &item)) {
		struct monitor_line plain = without_brackets(item);
		size_t key_len = length_of_key(&plain);

		has_keys = has_keys || key_len > 0;
		if (key_len > 0 && add_keyed(c, plain, key_len))
			return true;
		if (!has_keys && place-- == 0)
			add_item(c, item);
	}
	return false;
}

/* ---- the line ---- */

static void add_commands(struct completion *c, const struct answer *help)
{
	for (size_t i = 0; i < help->count; i++) {
		struct monitor_line rest = help->lines[i], word;

		if (monitor_next_word(&rest, &word))
			add_word(c, word.text, word.len);
	}
}

static bool same_word(const struct monitor_line *a, const struct monitor_line *b)
{
	return a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

static void add_for_command(struct completion *c, const struct answer *help,
	const struct monitor_line *command, size_t place)
{
	for (size_t i = 0; i < help->count; i++) {
		struct monitor_line rest = help->lines[i], word;

		if (monitor_next_word(&rest, &word) && same_word(&word, command) &&
			add_parameter(c, &help->lines[i], place))
			break;
	}
}

void completion_find(struct completion *c, const struct answer *help, const char *line, size_t len)
{
	struct monitor_line rest, command, word;
	size_t place = 1;

	c->begun = line + len;
	while (c->begun > line && c->begun[-1] != ' ')
		c->begun--;
	c->begun_len = (size_t)(line + len - c->begun);
	rest = (struct monitor_line){.text = line, .len = len - c->begun_len};
	if (!monitor_next_word(&rest, &command)) {
		add_commands(c, help);
		return;
	}
	while (monitor_next_word(&rest, &word))
		place++;
	add_for_command(c, help, &command, place);
}

static void add_unescaped(struct completion *c, const struct monitor_line *value)
{
	char word[COMPLETION_WORD_MAX];

	if (value->len < sizeof(word))
		add_word(c, word, escape_decode(value->text, value->len, word));
}

void completion_add(struct completion *c, const struct answer *reply)
{
	struct monitor_line value;
	struct answer_field field;

	for (size_t i = 0; i < reply->count; i++) {
		if (c->key != NULL && answer_find(&reply->lines[i], c->key, &value))
			add_unescaped(c, &value);
		else if (c->key == NULL && answer_split(&reply->lines[i], &field))
			add_unescaped(c, &field.name);
	}
}

static size_t common(const char *a, const char *b, size_t most)
{
	size_t len = 0;

	while (len < most && a[len] == b[len])
		len++;
	return len;
}

size_t completion_common(const struct completion *c)
{
	size_t len = c->count == 0 ? c->begun_len : strlen(c->words[0]);

	for (size_t i = 1; i < c->count; i++)
		len = common(c->words[0], c->words[i], len);
	return len < c->begun_len ? c->begun_len : len;
}

void completion_free(struct completion *c)
{
	free(c->words);
	*c = (struct completion){.count = 0};
}
