/* own: what whoever is logged in does on his own page. The web's thread's; no lock. */
#ifndef WEB_OWN_H
#define WEB_OWN_H

#include "web/connection.h"

/* POST /own, of `old`, `new` and `again`: another password, as by SET_PASSWORD. The page follows,
 * with what became of it. */
void own_change_password(struct web_connection *c);

#endif
