/*
 * The commands of a page are given one by one, and each may be an errand: the page comes when the
 * last of them is back. What a command refuses is said in its place; the rest of the page is as
 * good as ever. Long tables are shown a part at a time.
 */
#include "web/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/writing.h"
#include "web/gather.h"
#include "web/login.h"
#include "web/respond.h"
#include "wire/form.h"
#include "wire/html.h"

struct view {
	const struct view_part *parts;
	size_t at; /* the part that is asked for */
	char *texts[VIEW_PARTS_MAX]; /* of those before; NULL: it was not asked, or without memory
				      */
	view_show_function *show;
};

void view_drop(struct web_connection *c)
{
	if (c->view == NULL)
		return;
	for (size_t i = 0; i < VIEW_PARTS_MAX; i++)
		free(c->view->texts[i]);
	free(c->view);
	c->view = NULL;
}

/* ---- the query ---- */

const char *view_query(const struct web_connection *c, const char *name, char out[MONITOR_LINE_MAX])
{
	if (form_find(&c->request.query, name, out, MONITOR_LINE_MAX) < 0)
		out[0] = '\0';
	return out;
}

void view_add_word(struct view_words *w, const char *word)
{
	size_t size = strlen(word) + 1;

	if (w->count == COMMANDS_MAX_WORDS || size > sizeof(w->memory) - w->used)
		return;
	memcpy(w->memory + w->used, word, size);
	w->words[w->count++] = w->memory + w->used;
	w->used += size;
}

bool view_add_query(const struct web_connection *c, struct view_words *w, const char *name,
	const char *otherwise)
{
	char value[MONITOR_LINE_MAX];

	if (*view_query(c, name, value) != '\0')
		view_add_word(w, value);
	else if (otherwise != NULL)
		view_add_word(w, otherwise);
	return *value != '\0' || otherwise != NULL;
}

/* ---- a part ---- */

/* "sessions_from" */
static void name_first_row(const struct view_part *part, char out[64])
{
	snprintf(out, 64, "%s_from", part->name);
}

static size_t find_first_row(const struct web_connection *c, const struct view_part *part)
{
	char name[64], value[MONITOR_LINE_MAX];
	int64_t row;

	name_first_row(part, name);
	return parse_number(view_query(c, name, value), &row) && row >= 0 ? (size_t)row : 0;
}

/* The same page from another row of the part: its path and query, up to the number. */
static void put_link(FILE *out, const struct web_connection *c, const struct view_part *part)
{
	struct http_slice rest = c->request.query, name, value;
	char first_row[64];

	name_first_row(part, first_row);
	fprintf(out, "%.*s?", (int)c->request.path.len, c->request.path.text);
	while (form_next(&rest, &name, &value)) {
		if (!http_equals(&name, first_row))
			fprintf(out, "%.*s=%.*s&", (int)name.len, name.text, (int)value.len,
				value.text);
	}
	fprintf(out, "%s=", first_row);
}

static char *make_link(const struct web_connection *c, const struct view_part *part)
{
	struct writing w;

	if (writing_begin(&w) != NULL)
		put_link(w.out, c, part);
	(void)writing_end(&w);
	return w.text;
}

static char *make_html(
	const struct web_connection *c, const struct view_part *part, const struct answer *answer)
{
	char *link = make_link(c, part), request[MONITOR_LINE_MAX];
	struct html_view view = {.id = part->name,
		.caption = part->caption,
		.from = find_first_row(c, part),
		.most = VIEW_ROWS,
		.is_newest_first = part->is_newest_first,
		.link = link};
	struct writing w;

	commands_put_request(&c->order.request, request, sizeof(request));
	if (writing_begin(&w) != NULL)
		html_print(w.out, request, answer, &view);
	(void)writing_end(&w);
	free(link);
	return w.text;
}

/* The reply was gathered. */
static void take_part(struct web_connection *c)
{
	struct view *v = c->view;
	struct answer answer;

	if (gather_take(c, &answer) == 0) {
		v->texts[v->at] = make_html(c, &v->parts[v->at], &answer);
		answer_free(&answer);
	}
	v->at++;
}

/* ---- the whole ---- */

static void show_page(struct web_connection *c)
{
	struct template_field fields[VIEW_PARTS_MAX + 1];
	const struct view *v = c->view;

	for (size_t i = 0; i < v->at; i++)
		fields[i] = (struct template_field){v->parts[i].name, v->texts[i]};
	fields[v->at] = (struct template_field){NULL, NULL};
	if (login_is_there(c))
		v->show(c, fields);
	else
		respond_redirect(c, "/login");
	view_drop(c);
}

/* A part that is no command's. */
static void take_query(struct web_connection *c)
{
	struct view *v = c->view;
	const struct view_part *part = &v->parts[v->at];
	char value[MONITOR_LINE_MAX];

	(void)view_query(c, part->query != NULL ? part->query : part->name, value);
	if (part->only == NULL || strcmp(value, part->only) == 0)
		v->texts[v->at] = strdup(value);
	v->at++;
}

/* False: that part is not asked for. Else its reply is there, or comes. */
static bool give_part(struct web_connection *c, const struct view_part *part)
{
	struct view_words w = {.count = 0};
	struct monitor_request *q = &c->order.request;

	if (part->ask != NULL && !part->ask(c, &w))
		return false;
	reply_reset(&c->order.reply);
	if (commands_take(part->command, w.words, w.count, q, &c->order.reply) &&
		commands_allowed(q, c->user, &c->order.reply))
		order_give(&c->order);
	return true;
}

static void go_on_gathered(struct web_connection *c);

static void give_parts(struct web_connection *c)
{
	struct view *v = c->view;

	while (v->at < VIEW_PARTS_MAX && v->parts[v->at].name != NULL) {
		if (v->parts[v->at].command == NULL) {
			take_query(c);
			continue;
		}
		if (!give_part(c, &v->parts[v->at])) {
			v->at++;
			continue;
		}
		if (c->order.is_away || !gather_reply(c, go_on_gathered))
			return;
		take_part(c);
	}
	show_page(c);
}

static void go_on_gathered(struct web_connection *c)
{
	take_part(c);
	give_parts(c);
}

static void go_on_with_order(struct web_connection *c)
{
	if (gather_reply(c, go_on_gathered))
		go_on_gathered(c);
}

void view_begin(struct web_connection *c, const struct view_part *parts, view_show_function *show)
{
	view_drop(c);
	c->view = calloc(1, sizeof(*c->view));
	if (c->view == NULL) {
		respond_say(c, 503, "Out of memory.\n");
		return;
	}
	c->view->parts = parts;
	c->view->show = show;
	login_use(c);
	c->resume = go_on_with_order;
	give_parts(c);
}
