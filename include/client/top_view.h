/* top_view: draws the live view with ncurses. No lock: one thread's; there is one screen. */
#ifndef CLIENT_TOP_VIEW_H
#define CLIENT_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "client/top_model.h"

#define TOP_VIEW_COLUMNS 80 /* the least */
#define TOP_VIEW_LINES 24

/* Takes the screen over, and gives it back as it was. -1 when that fails. */
int top_view_open(void) __attribute__((warn_unused_result));
void top_view_close(void);

/* Gives the screen back for a while: top_view_draw() takes it again. */
void top_view_leave(void);

/* The terminal has another size now. */
void top_view_resize(void);

/* The next key or byte typed (see curses.h), ERR when there is none. */
int top_view_key(void);

struct top_view_texts {
	const char *server; /* "127.0.0.1:8080" */
	const char *note; /* a question, an answer, what is typed; "": about the selected row */
	bool is_typed; /* the cursor stands behind it */
	bool is_bad; /* bad news */
	bool shows_keys; /* what they do, in the place of the list */
	const char *pane; /* a text in the place of the list; NULL: none */
	const char *lacking; /* why there is nothing in the list; "": nobody said so */
};

void top_view_draw(const struct top_model *m, const struct top_view_texts *texts);

/* How many rows the list showed last. */
int top_view_page(void);

#endif
