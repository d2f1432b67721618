/* inspection: what can be said of a configuration without serving it: whether it is right, what
 * would become of a request, what commonly goes wrong. For the main thread only. */
#ifndef SERVER_INSPECTION_H
#define SERVER_INSPECTION_H

#include <stdio.h>

#include "server/explain_verdict.h"
#include "state/config.h"
#include "state/options.h"

/* Only reads and checks what server_open() would (check.h). -1 with the reason in `error`. */
int inspection_check(const struct options *o, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Says what the command line asks with --explain, reading what inspection_check() does: a line for
 * each thing that is found out, to `out`. -1 with the reason in `error`: something that was written
 * is wrong. */
int inspection_explain(const struct options *o, FILE *out, enum explain_verdict *verdict,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Looks at what commonly goes wrong with such a server on this host, and prints what it finds
 * (doctor.h). Returns how many things are wrong; -1 when the configuration or the users cannot be
 * read, with the reason in `error`. */
int inspection_examine(const struct options *o, FILE *out, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

#endif
