/*
 * What is asked here uses the words of requests as clients send them; the commands' file has those
 * of administrators. The listing is a source that holds on to the configuration it began with.
 */
#include "monitor/rule_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/writing.h"
#include "server/explain.h"
#include "state/question.h"
#include "state/rule_origin.h"
#include "state/rules.h"

/* ---- the listing ---- */

struct rule_listing {
	struct config *config;
	size_t next; /* rules_next_tally() */
};

static void free_rule_listing(void *state)
{
	struct rule_listing *l = state;

	config_release(l->config);
	free(l);
}

/* What `put` writes of a rule, as one word, or (`is_line`) as the rest of a line. */
static void add_origin(struct reply *r, const struct config *c, const char *word, bool is_line,
	void (*put)(const struct config *c, const char *word, FILE *out))
{
	struct writing w;
	char *escaped;
	size_t size;

	if (writing_begin(&w) != NULL)
		put(c, word, w.out);
	if (!writing_end(&w)) {
		r->failed = true;
		return;
	}
	size = 4 * w.len + 1;
	escaped = malloc(size);
	r->failed |= escaped == NULL;
	if (escaped != NULL)
		reply_add(r, "%s",
			is_line ? escape_line(w.text, w.len, escaped, size)
				: escape_word(w.text, w.len, escaped, size));
	free(escaped);
	free(w.text);
}

static void add_rule_line(
	struct reply *r, const struct config *c, const struct rule_tally *rule, int64_t now)
{
	reply_add(r, "rule:%s hits:%llu left:", rule->word, (unsigned long long)rule->hits);
	if (rule->until == 0)
		reply_add(r, "-");
	else
		reply_add(r, "%lld", (long long)(rule->until - now));
	reply_add(r, " from:");
	add_origin(r, c, rule->word, false, rule_origin_put_place);
	if (rule->last == 0)
		reply_add(r, " last:-");
	else
		reply_add(r, " last:%lld", (long long)(now > rule->last ? now - rule->last : 0));
	reply_add(r, " text:");
	add_origin(r, c, rule->word, true, rule_origin_put_text);
	reply_add(r, "\n");
}

static bool add_rules(void *state, struct reply *r)
{
	struct rule_listing *l = state;
	int64_t now = time(NULL);
	struct rule_tally rule;

	while (r->len < REPLY_CHUNK) {
		if (!rules_next_tally(l->config, &l->next, now, &rule))
			return false;
		add_rule_line(r, l->config, &rule, now);
	}
	return true;
}

void rule_answers_list(struct services *v, struct reply *r)
{
	struct rule_listing *l = calloc(1, sizeof(*l));

	reply_add(r, "OK\n");
	if (l == NULL) {
		r->failed = true;
		return;
	}
	l->config = config_get(v->config);
	reply_continue(r, add_rules, free_rule_listing, l);
}

/* ---- the explanation ---- */

void rule_answers_explain(struct services *v, const char *text, struct reply *r)
{
	char why[QUESTION_ERROR_MAX] = "";
	struct question question;
	struct writing w;

	if (!question_parse(text, strlen(text), &question, why)) {
		reply_error(r, "%s", why);
		return;
	}
	if (writing_begin(&w) != NULL)
		(void)explain(v, &question, true, w.out);
	if (writing_end(&w))
		reply_add(r, "OK\n%s", w.text);
	else
		r->failed = true;
	free(w.text);
}
