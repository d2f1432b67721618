/* The lowest number that is free is what open(2) takes, so it is opened until that is none of the
 * three. */
#include "base/standard_files.h"

#include <fcntl.h>
#include <unistd.h>

int standard_files_fill(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}
