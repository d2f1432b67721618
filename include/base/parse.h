/* parse: text into numbers, durations and words, with nothing left over. No state, no lock. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of `text` as a decimal number without sign. False when it is anything else or larger
 * than 2^63-1. */
bool parse_number(const char *text, int64_t *out);

/* A duration in milliseconds: a number and ms, s, m, h or d ("500ms", "30s", "2h"); a bare number
 * counts seconds. False when it is anything else or overflows. */
bool parse_duration(const char *text, int64_t *out_ms);

/* A duration in the largest unit that gives a whole number: "90s", "2h", "1500ms". Returns `out`.
 */
const char *parse_format_duration(int64_t ms, char out[32]);

/* Steps through words separated by commas and blanks. `*cursor` starts at the text; true with the
 * next word, false at the end. */
bool parse_next_word(const char **cursor, const char **word, size_t *len);

/* Turns the ASCII letters of `text` into lower case, as names of hosts are compared. */
void parse_to_lower(char *text);

#endif
