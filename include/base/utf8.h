/* utf8: characters of more than one byte (RFC 3629), told from bytes that are none. Pure; no lock.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at the front of the `n` bytes at `text`: 1 to 4; 0 when there is no
 * valid one, or no byte at all. */
size_t utf8_length(const void *text, size_t n);

/* Is the valid character of `len` bytes one that terminals obey instead of showing it: C0, DEL or
 * C1 (U+0080 to U+009F)? */
bool utf8_is_control(const void *character, size_t len);

#endif
