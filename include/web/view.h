/* view: a page with the answers of commands in it, as HTML, for whoever reads without scripts, and
 * for scripts to begin with. The web's thread's; no lock. */
#ifndef WEB_VIEW_H
#define WEB_VIEW_H

#include "base/template.h"
#include "web/connection.h"

#define VIEW_PARTS_MAX 12
#define VIEW_ROWS 200 /* of a table that are shown at once */

/* The parameters of a command. */
struct view_words {
	const char *words[COMMANDS_MAX_WORDS];
	size_t count;
	char memory[MONITOR_LINE_MAX + COMMANDS_MAX_WORDS];
	size_t used;
};

/* A command whose answer is a part of a page, at the place of that name in its template. */
struct view_part {
	const char *name; /* NULL: behind the last one */
	const char *command; /* NULL: it is what the query has under the name, or that of `query` */
	const char *query; /* NULL: as `name` */
	const char *only; /* nothing, unless it is this; NULL: whatever it is */
	const char *caption; /* of its table; NULL: it has none */
	bool is_newest_first; /* a listing whose newest is the last */
	/* Finds the parameters; false: this time it is not asked. NULL: there are none. */
	bool (*ask)(const struct web_connection *c, struct view_words *w);
};

/* Gives the commands one after the other, as whoever is logged in, and then calls `show` with the
 * fields for the template: one for each part, NULL-terminated. What a query has as NAME_from is the
 * row with which the table of the part NAME begins. */
typedef void view_show_function(struct web_connection *c, const struct template_field *fields);
void view_begin(struct web_connection *c, const struct view_part *parts, view_show_function *show);

/* Adds a parameter, if there is room for it. */
void view_add_word(struct view_words *w, const char *word);

/* The same with the value of that name of the query, or else `otherwise`. False when that is NULL,
 * too. */
bool view_add_query(const struct web_connection *c, struct view_words *w, const char *name,
	const char *otherwise);

/* The value of that name of the query; "" when there is none. Returns `out`. */
const char *view_query(
	const struct web_connection *c, const char *name, char out[MONITOR_LINE_MAX]);

/* Forgets the page that is put together, if one is. */
void view_drop(struct web_connection *c);

#endif
