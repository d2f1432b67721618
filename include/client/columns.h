/* columns: how the columns of a table share the width of a terminal. Pure; no lock. */
#ifndef CLIENT_COLUMNS_H
#define CLIENT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

struct column {
	int natural; /* what its longest text takes */
	int least; /* what it can do with; not above `natural` */
	int width; /* what it gets */
};

/* Shares `total` columns, of which one stands between two columns of the table each. Where there
 * are too few the widest give way first. False when the least of all is too much. */
bool columns_share(struct column *columns, size_t count, int total);

#endif
