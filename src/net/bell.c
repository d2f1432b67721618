/*
 * To ring takes a system call and wakes somebody, so it is done without a lock; meanwhile the owner
 * may be gone. Were his descriptor closed then, and its number somebody else's, that one would be
 * written to. So whoever rings holds the bell, too. In that moment one more descriptor is open than
 * the owner's lease knows of; the resolver has one set aside for that.
 */
#include "net/bell.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/wake.h"

struct bell {
	int fd;
	_Atomic(unsigned) holders;
	bool was_put; /* into a list, and so it may have been rung */
	struct bell *next; /* in a list */
};

struct bell *bell_new(void)
{
	struct bell *b = malloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	b->fd = wake_open();
	if (b->fd < 0) {
		free(b);
		return NULL;
	}
	atomic_init(&b->holders, 1);
	b->was_put = false;
	return b;
}

int bell_fd(const struct bell *b)
{
	return b->fd;
}

bool bell_is_unused(const struct bell *b)
{
	return !b->was_put;
}

void bell_release(struct bell *b)
{
	if (b == NULL || atomic_fetch_sub(&b->holders, 1) > 1)
		return;
	close(b->fd);
	free(b);
}

void bell_put(struct bells *bells, struct bell *b)
{
	atomic_fetch_add(&b->holders, 1);
	b->was_put = true;
	b->next = bells->first;
	bells->first = b;
}

void bells_ring(struct bells *bells)
{
	struct bell *b;

	while ((b = bells->first) != NULL) {
		bells->first = b->next;
		wake_send(b->fd);
		bell_release(b);
	}
}
