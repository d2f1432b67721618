/* flag: a row of what a program is told on its command line, from which getopt, the help and what
 * shells complete come. Pure; no lock. */
#ifndef BASE_FLAG_H
#define BASE_FLAG_H

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

struct flag {
	int code; /* its letter, or what getopt_long(3) is to return and is none */
	const char *name; /* behind -- */
	const char *value; /* what the help calls its value; NULL: it has none */
	const char *help; /* "this help"; no period at its end */
};

#define FLAG_LETTERS_MAX 3 /* bytes that a flag adds to getopt's letters, without their NUL */

/* The letter, or 0 for a flag that has none. */
char flag_letter(const struct flag *flag);

/* What getopt_long(3) wants: puts a row for each flag at `longs`, and the letters behind those that
 * are there. */
void flag_add_options(const struct flag *flags, size_t count, struct option *longs, char *letters);

/* "  -h, --help             this help", a flag a line, what is said of it from column `indent` on.
 */
void flag_print_help(FILE *out, const struct flag *flags, size_t count, int indent);

/* Text broken between words into lines of at most `width` columns, each from column `indent` on,
 * which the first is taken to be at. */
void flag_print_wrapped(FILE *out, const char *text, int indent, int width);

#endif
