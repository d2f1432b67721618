/* api: the monitor's commands by HTTP, answered as JSON. The web's thread's; no lock. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/connection.h"

/* Requests for /api/..., whatever their methods. */
void api_answer(struct web_connection *c);

#endif
