/* pager: a text that is longer than the terminal goes through the reader's pager. No lock; one at a
 * time. */
#ifndef CLIENT_PAGER_H
#define CLIENT_PAGER_H

#include <stddef.h>

/* Shows the text, with $PAGER (less where that is not set) if it has more lines than the terminal,
 * or else on standard output, and returns when it was read. For standard output at a terminal. */
void pager_show(const char *text, size_t len);

#endif
