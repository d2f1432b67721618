/* unreadable: a file that cannot be read when a test wants it, who is told of that, and time that
 * stands still. For tests whose line WRAP_ in the Makefile names read, clock_ms and clock_deadline.
 */
#ifndef TESTS_NET_UNREADABLE_H
#define TESTS_NET_UNREADABLE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static int64_t now = 1000000;
static bool read_fails;
static unsigned times_said;
static char said[1024];

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);

int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	if (!read_fails)
		return __real_read(fd, bytes, len);
	errno = EIO;
	return -1;
}

static void say(const char *why)
{
	times_said++;
	snprintf(said, sizeof(said), "%s", why);
}

#endif
