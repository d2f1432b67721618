/* wake: an eventfd(2) by which other threads end a poll(2). No state, no lock. */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

/* A descriptor that polls readable after wake_send() and until it is read; -1 with errno. */
int wake_open(void) __attribute__((warn_unused_result));

void wake_send(int fd);

/* Takes back what was sent: it polls readable no more. */
void wake_clear(int fd);

#endif
