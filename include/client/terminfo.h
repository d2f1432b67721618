/* terminfo: what the terminal at standard input and output is able to do. No state, no lock. */
#ifndef CLIENT_TERMINFO_H
#define CLIENT_TERMINFO_H

#include <stddef.h>

/* Why it cannot show a screen of that size, cut to `size`; NULL when it can. */
const char *terminfo_problem(int least_lines, int least_columns, char *out, size_t size);

#endif
