/* relay_room: where memory is little, how many buffers may be full at once. Atomics; no lock. */
#ifndef PROXY_RELAY_ROOM_H
#define PROXY_RELAY_ROOM_H

#include <stdatomic.h>
#include <stddef.h>

/* Directions that may hold more than a 16th of their buffers: all relays share it. One that finds
 * no place goes on in smaller pieces. */
struct relay_room {
	size_t total; /* 0: all may */
	_Atomic(size_t) taken;
};

#endif
