/* metrics: GET /metrics: who gets the figures, and in which form. The web's thread's; no lock. */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include "web/connection.h"

void metrics_answer(struct web_connection *c);

#endif
