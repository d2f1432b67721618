/*
 * Facts of one kind are told many at once: the fields of a hash by one command, and by one event
 * with a text of all of them. To the engine a command costs several times as much as a fact in it,
 * and an event is read by every node: as one text it is handed out without being looked into.
 */
#include "server/sharing_batch.h"

#include <stdlib.h>
#include <string.h>

#include "server/sharing_parts.h"

#define TEXT_MAX (16 * 1024) /* of an event's text; its NUL included */
#define WORDS_MAX (2 + 2 * SHARING_BATCH_FACTS + 1) /* COMMAND KEY (ACCOUNT VALUE)... NULL */

struct sharing_batch {
	const char *command, *kind;
	char key[SHARING_KEY_MAX];
	size_t facts, word_count, words_used, lines_used;
	const char *words[WORDS_MAX];
	char texts[TEXT_MAX]; /* that the words lie in, each with its NUL */
	char lines[TEXT_MAX]; /* "ACCOUNT VALUE\n"... */
};

struct sharing_batch *sharing_batch_new(void)
{
	return calloc(1, sizeof(struct sharing_batch));
}

void sharing_batch_free(struct sharing_batch *b)
{
	free(b);
}

static void empty(struct sharing_batch *b)
{
	b->facts = b->words_used = b->lines_used = 0;
	b->words[0] = b->command;
	b->words[1] = b->key;
	b->word_count = 2;
}

void sharing_batch_begin(struct sharing *s, const char *command, const char *kind, const char *key)
{
	struct sharing_batch *b = s->batch;

	b->command = command;
	b->kind = kind;
	strcpy(b->key, key);
	empty(b);
}

int sharing_batch_end(struct sharing *s, char *error)
{
	struct sharing_batch *b = s->batch;

	if (b->facts == 0)
		return 0;
	b->words[b->word_count] = NULL;
	s->asked++;
	engine_ask(s->engine, b->words);
	b->lines[b->lines_used] = '\0';
	sharing_tell_events(s, b->kind, b->lines);
	empty(b);
	return sharing_settle_batch(s, error);
}

static void add_word(struct sharing_batch *b, const char *word, size_t len)
{
	char *copy = b->texts + b->words_used;

	memcpy(copy, word, len + 1);
	b->words[b->word_count++] = copy;
	b->words_used += len + 1;
}

static void add_line_part(struct sharing_batch *b, const char *text, size_t len, char end)
{
	memcpy(b->lines + b->lines_used, text, len);
	b->lines[b->lines_used + len] = end;
	b->lines_used += len + 1;
}

int sharing_batch_add(struct sharing *s, const char *account, const char *value, char *error)
{
	struct sharing_batch *b = s->batch;
	size_t account_len = strlen(account), value_len = strlen(value);
	size_t len = account_len + value_len + 3; /* two ends, and the text's */

	if (len > TEXT_MAX)
		return 0;
	if ((b->facts == SHARING_BATCH_FACTS || b->lines_used + len > TEXT_MAX) &&
		sharing_batch_end(s, error) < 0)
		return -1;
	add_word(b, account, account_len);
	if (strcmp(b->command, "HSET") == 0)
		add_word(b, value, value_len);
	add_line_part(b, account, account_len, ' ');
	add_line_part(b, value, value_len, '\n');
	b->facts++;
	return 0;
}
