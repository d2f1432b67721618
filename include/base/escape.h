/* escape: bytes from outside as one printable word, and back. Pure; no lock. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `len` bytes so that no blank, control byte or backslash is among them: each of those, and
 * with `ascii` each that is not ASCII, becomes \xNN. Cut to `size` > 0, NUL-terminated; 4 * len + 1
 * always suffices. Returns `out`. */
const char *escape_word(const void *bytes, size_t len, bool ascii, char *out, size_t size);

/* Takes \xNN back, in place, in `text`. Returns the number of bytes, which may include NUL; what is
 * no such sequence stays as it is. */
size_t escape_decode(char *text);

#endif
