/* place: a network of its own, where loopback has Ethernet's packets. The thread's that calls, and
 * of what it starts from then on. */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

/* Into a new one; -1 with errno, EPERM where that takes rights that are not there. */
int place_enter(void);

/* Back to where place_enter() was called. */
int place_leave(void);

#endif
