/* percent: bytes as %XX among those that stand for themselves (RFC 3986), and back. Pure; no lock.
 */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include <stddef.h>

/* Writes the `len` bytes at `bytes` with all but the unreserved ones (section 2.3: letters, digits
 * and -._~) as %XX, and no NUL; returns the end of it, as stpcpy(3) does. 3 * len bytes suffice. */
char *percent_put(char *to, const char *bytes, size_t len);

/* Decodes %XX in the `len` bytes at `text`, where any other byte stands for itself, and puts a NUL
 * behind them. How many bytes, among which there may be NULs; -1 when there is a % without two
 * digits, or no room in `size`. `out` may be `text`. */
int percent_decode(const char *text, size_t len, char *out, size_t size);

#endif
