/*
 * A reply comes from its source 16 KiB at a time. Of many such pieces a turn of the loop takes a
 * few, which is some milliseconds of work; then the other clients have theirs.
 */
#include "web/gather.h"

#include <sodium.h>
#include <stdlib.h>

#include "wire/answer.h"

#define REPLY_MAX ((size_t)64 << 20) /* bytes, which are put together in memory */
#define TURN_MAX ((size_t)16 * REPLY_CHUNK)

bool gather_is_under_way(const struct web_connection *c)
{
	return c->gathering.text.out != NULL;
}

void gather_drop(struct web_connection *c)
{
	struct writing *w = &c->gathering.text;

	if (w->out != NULL)
		(void)writing_end(w);
	if (w->text != NULL)
		sodium_memzero(w->text, w->len);
	free(w->text);
	c->gathering = (struct web_gathering){.total = 0};
}

/* Nothing is left of what is not whole. */
static void end_gathering(struct web_connection *c)
{
	struct web_gathering *g = &c->gathering;
	bool is_whole = !c->order.reply.failed && g->total <= REPLY_MAX;

	is_whole = writing_end(&g->text) && is_whole;
	reply_reset(&c->order.reply);
	if (!is_whole)
		gather_drop(c);
}

/* Is that all? */
static bool fetch_some(struct web_connection *c)
{
	struct web_gathering *g = &c->gathering;
	const char *bytes;
	size_t n, turn = 0;

	while (turn < TURN_MAX && g->total <= REPLY_MAX) {
		n = reply_pending(&c->order.reply, &bytes);
		if (n == 0)
			return true;
		fwrite(bytes, 1, n, g->text.out);
		reply_consume(&c->order.reply, n);
		turn += n;
		g->total += n;
	}
	return g->total > REPLY_MAX;
}

bool gather_reply(struct web_connection *c, void (*then)(struct web_connection *c))
{
	struct web_gathering *g = &c->gathering;

	gather_drop(c);
	g->then = then;
	if (writing_begin(&g->text) == NULL) {
		reply_reset(&c->order.reply);
		return true;
	}
	if (!fetch_some(c))
		return false;
	end_gathering(c);
	return true;
}

void gather_go_on(struct web_connection *c)
{
	void (*then)(struct web_connection *) = c->gathering.then;

	if (!fetch_some(c))
		return;
	end_gathering(c);
	then(c);
}

char *gather_take_text(struct web_connection *c, size_t *len)
{
	char *text = c->gathering.text.text;

	*len = c->gathering.text.len;
	c->gathering.text.text = NULL;
	gather_drop(c);
	return text;
}

int gather_take(struct web_connection *c, struct answer *out)
{
	struct web_gathering *g = &c->gathering;
	int status = g->text.text == NULL ? -1 : answer_parse(g->text.text, g->text.len, out);

	gather_drop(c);
	return status;
}
