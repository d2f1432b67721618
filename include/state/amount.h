/* amount: how rates and sizes are written, decimal and with their unit. Pure; no lock. */
#ifndef STATE_AMOUNT_H
#define STATE_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMOUNT_ERROR_MAX 256
#define AMOUNT_TEXT_MAX 64

/* "2Mbit" in bytes a second, or "2Mbit/512kbit": what the client gets (`down`) and what it sends;
 * one number holds for each of the two, and none in the place of one is no limit that way: 0. A
 * unit is obligatory. False when it is something else, with the reason in `why`. */
bool amount_parse_rate(
	const char *text, size_t len, uint64_t *down, uint64_t *up, char why[AMOUNT_ERROR_MAX]);

/* As amount_parse_rate() reads it; "none" where both are 0. Returns `out`. */
const char *amount_format_rate(uint64_t down, uint64_t up, char out[AMOUNT_TEXT_MAX]);

/* "50GB" in bytes, 1 at least; likewise. */
bool amount_parse_size(const char *text, size_t len, uint64_t *bytes, char why[AMOUNT_ERROR_MAX]);

/* Likewise. */
const char *amount_format_size(uint64_t bytes, char out[AMOUNT_TEXT_MAX]);

#endif
