/* polls: what one call of poll(2) looks at, put together anew for each. One thread's; no lock. */
#ifndef HELPER_POLLS_H
#define HELPER_POLLS_H

#include <poll.h>
#include <stddef.h>

struct polls {
	struct pollfd *fds;
	size_t count, size;
};

/* Room for so many descriptors. -1 without memory. */
int polls_open(struct polls *p, size_t size) __attribute__((warn_unused_result));
void polls_close(struct polls *p);

/* Begins anew. */
void polls_clear(struct polls *p);

/* Has `fd` looked at, unless it is -1 or there is no room any more. Its place. */
size_t polls_add(struct polls *p, int fd, short events);

/* What poll(2) said of it; 0 when it was not looked at. */
short polls_said(const struct polls *p, size_t place);

#endif
