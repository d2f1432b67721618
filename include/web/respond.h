/* respond: how what the web's front answers is put together. The web's thread's; no lock. */
#ifndef WEB_RESPOND_H
#define WEB_RESPOND_H

#include "web/connection.h"

/* Begins one; without a body until one of the functions below gives it one. */
void respond_begin(struct web_connection *c, unsigned status);

/* Adds a line to its head, as for printf(3), without the line's end. */
void respond_field(struct web_connection *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A body that is constant, and one that is malloc()ed and freed behind it. */
void respond_body(struct web_connection *c, const char *type, const char *body, size_t len);
void respond_own(struct web_connection *c, const char *type, char *body, size_t len);

/* A whole answer: a status and a constant sentence, or a constant page. */
void respond_say(struct web_connection *c, unsigned status, const char *text);
void respond_html(struct web_connection *c, unsigned status, const char *text);

/* To another page of ours. */
void respond_redirect(struct web_connection *c, const char *path);

/* Puts the head together; the answer is complete. */
void respond_finish(struct web_connection *c);

/* Frees what it owns. */
void respond_drop(struct web_connection *c);

#endif
