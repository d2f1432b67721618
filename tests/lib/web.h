/* web: a daemon's front for browsers and programs, asked by the test's own hand. */
#ifndef TESTS_LIB_WEB_H
#define TESTS_LIB_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "daemon.h"

/* Where it listens, by the newest line that says so from `*from` on. */
uint16_t web_find_port(struct daemon *d, size_t *from);

/* All that is answered to a request, "GET /healthz" and fields with their line ends, behind which
 * the connection ends; until the next one. */
const char *web_ask(uint16_t port, const char *line, const char *fields);

#endif
