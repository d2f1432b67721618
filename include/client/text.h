/* text: what a screen shows in a given number of columns. Pure, but for the locale; no lock. */
#ifndef CLIENT_TEXT_H
#define CLIENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The columns that `text` takes as text_fit() shows it. */
int text_width(const char *text);

/* Can all of `text` be shown in this locale, as it is? */
bool text_is_shown(const char *text);

/* `text` on exactly `columns` columns: cut, with a ~ at the end, or filled with blanks. Wide
 * characters take two; what cannot be shown in this locale becomes a ?. Cut to `size`. Returns
 * `out`. */
const char *text_fit(const char *text, int columns, char *out, size_t size);

/* A number of bytes on at most 5 columns: "999", "1.2k", "345M"; "-" when it is negative. Returns
 * `out`. */
const char *text_amount(double bytes, char out[16]);

/* Seconds on at most 6 columns: "12s", "2m05s", "3h07m", "25d"; "-" when negative. Returns `out`.
 */
const char *text_duration(int64_t seconds, char out[24]);

#endif
