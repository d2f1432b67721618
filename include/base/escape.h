/* escape: bytes from outside as one printable word, and back. Pure; no lock. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `len` bytes so that no blank, backslash or control character (C1 included) is among them,
 * and nothing that is not valid UTF-8: each byte of those becomes \xNN. Cut to `size` > 0,
 * NUL-terminated; 4 * len + 1 always suffices. Returns `out`. */
const char *escape_word(const void *bytes, size_t len, char *out, size_t size);

/* The same for a name that anybody may have sent: nor is there anything that is not ASCII, or that
 * a shell would not leave as it is if it were to read the file that this is written to. */
const char *escape_name(const void *bytes, size_t len, char *out, size_t size);

/* The same for what is shown as it is and never decoded: blanks and backslashes stay. */
const char *escape_line(const void *bytes, size_t len, char *out, size_t size);

/* Takes \xNN back in the `len` bytes at `text`; what is no such sequence stays as it is. `out` has
 * room for as many bytes, and may be `text`. Returns the number of bytes, which may include NUL. */
size_t escape_decode(const char *text, size_t len, char *out);

#endif
