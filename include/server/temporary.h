/* temporary: rules above all others that administrators give for a time, which stand in the
 * configuration in force and beside it, so that they outlive the server. The main thread's; no
 * lock. */
#ifndef SERVER_TEMPORARY_H
#define SERVER_TEMPORARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/services.h"

#define TEMPORARY_MOST 1000 /* at once: each is asked at every request */

/* Puts a rule (rule.h) above all others, which ends after so many seconds. 0 with its number, -1
 * with the reason in `error`, and nothing changed. */
int temporary_add(struct services *v, const char *text, int64_t lasts, unsigned *number,
	char error[CONFIG_ERROR_MAX]);

/* Takes the one of that number back, or (0) all. How many there were; -1 likewise. */
int temporary_drop(struct services *v, unsigned number, char error[CONFIG_ERROR_MAX]);

/* Puts those into force that stand from an earlier run and are not over, before others see the
 * configuration. What cannot be understood any more is logged, and left out. */
void temporary_restore(struct services *v);

#endif
