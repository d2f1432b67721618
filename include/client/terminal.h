/* terminal: what the terminal at standard input and output is able to do. No state, no lock. */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Its size in characters; false when it does not tell. */
bool terminal_size(int *lines, int *columns);

/* Why it cannot show a screen of that size, cut to `size`; NULL when it can. */
const char *terminal_problem(int least_lines, int least_columns, char *out, size_t size);

#endif
