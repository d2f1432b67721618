/* top_why: failures in words, for the pane of the live view. Pure; no lock. */
#ifndef CLIENT_TOP_WHY_H
#define CLIENT_TOP_WHY_H

#include <stddef.h>

#include "wire/answer.h"
#include "client/top_model.h"

#define TOP_WHY_MAX 8192 /* bytes of a text, with its NUL; what is longer is cut */

/* Lines that may be wrapped; those of what is said of a failure begin with blanks. */

/* A row of the view of failures. */
void top_why_tell_row(const struct top_row *row, char out[TOP_WHY_MAX]);

/* The reply to WHY, which `about` was asked of. */
void top_why_tell_reply(const struct answer *reply, const char *about, char out[TOP_WHY_MAX]);

/* Whom to ask about for a row of another view: a user, or the client of one who has no login. False
 * when the view is of nobody, or the row does not tell. */
bool top_why_ask_about(enum top_view view, const struct top_row *row, char *out, size_t size);

#endif
