/* terminal: the size of the terminal at standard output. No state, no lock. */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include <stdbool.h>

/* Its size in characters; false when it does not tell. */
bool terminal_size(int *lines, int *columns);

#endif
