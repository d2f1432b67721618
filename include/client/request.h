/* request: what is sent to the server: one line of words. Pure; no state, no lock. */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* The words joined by single blanks, to be freed. NULL without memory. */
char *request_join(char *const words[], size_t count);

/* Why `text` cannot be a request, in words; NULL when it can. */
const char *request_problem(const char *text);

/* Is the first word of the request this command, whatever the case of its letters? */
bool request_is(const char *text, const char *command);

/* Is there nothing to ask but blanks? */
bool request_is_empty(const char *text);

/* Is one of its words a password? */
bool request_has_password(const char *text);

/* Does it have `-` in the place of a password, which is to be asked for? */
bool request_wants_password(const char *text);

/* Why `password` cannot take that place, in words; NULL when it can. */
const char *request_password_problem(const char *text, const char *password);

/* The request with it there, to be wiped and freed. NULL without memory. */
char *request_with_password(const char *text, const char *password);

#endif
