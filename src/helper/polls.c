/*
 * Whoever has a descriptor keeps the place that it got, until the next round. There is nothing to
 * take out of a list when it is closed, so that no event can be told to the next one of its number.
 */
#include "helper/polls.h"

#include <stdlib.h>

#define NOWHERE ((size_t)-1)

int polls_open(struct polls *p, size_t size)
{
	*p = (struct polls){.fds = calloc(size, sizeof(*p->fds)), .size = size};
	return p->fds == NULL ? -1 : 0;
}

void polls_close(struct polls *p)
{
	free(p->fds);
	*p = (struct polls){.fds = NULL};
}

void polls_clear(struct polls *p)
{
	p->count = 0;
}

size_t polls_add(struct polls *p, int fd, short events)
{
	if (fd < 0 || p->count == p->size)
		return NOWHERE;
	p->fds[p->count] = (struct pollfd){.fd = fd, .events = events};
	return p->count++;
}

short polls_said(const struct polls *p, size_t place)
{
	return place < p->count ? p->fds[place].revents : 0;
}
