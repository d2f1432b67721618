/*
 * Where the kernel does not know the size, as on some serial lines, nobody does.
 */
#include "client/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_size(int *lines, int *columns)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return false;
	*lines = size.ws_row;
	*columns = size.ws_col;
	return true;
}
