/* digits: numbers as text without printf(3), which is slow and takes a kilobyte and more of a small
 * stack. Pure; no lock. */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdint.h>

#define DIGITS_MAX 20 /* bytes of the longest number, its sign included */

/* Writes `value` in decimal, without a NUL; returns the end of it, as stpcpy(3) does. */
char *digits_put(char *to, int64_t value);

/* The two hexadecimal digits of a byte. */
char *digits_put_hex(char *to, unsigned char byte);

/* The value of a hexadecimal digit, -1 for anything else. */
int digits_hex_value(char c);

#endif
