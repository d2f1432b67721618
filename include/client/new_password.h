/* new_password: asks for the password of a request that has `-` in its place. No lock. */
#ifndef CLIENT_NEW_PASSWORD_H
#define CLIENT_NEW_PASSWORD_H

#include "client/client.h"

/* `*filled` becomes the request with a password, to be wiped and freed, or NULL for one that wants
 * none. Prints why when there is none to be had. */
enum client_status new_password_ask(struct client *c, const char *request, char **filled);

#endif
