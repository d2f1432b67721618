/* origin: the target servers of one run, on threads of their own. Main thread only. */
#ifndef BENCH_ORIGIN_H
#define BENCH_ORIGIN_H

#include <stdint.h>

#define ORIGIN_BULK_ACK 0x06

struct origin;

enum origin_service {
	ORIGIN_ECHO, /* returns whatever it is sent, until the end of the stream */
	ORIGIN_VISIT, /* returns one message of WIRE_ECHO_SIZE bytes, then closes */
	ORIGIN_BULK, /* reads a job, does it, then writes ORIGIN_BULK_ACK and closes */
	ORIGIN_WEB, /* answers GET /N with N bytes, then closes */
	ORIGIN_SERVICES,
};

/* What a bulk client writes first, in host order; bytes as the client sees them. */
struct origin_job {
	uint64_t up;
	uint64_t down;
};

/* NULL with errno. */
struct origin *origin_start(void);
uint16_t origin_port(const struct origin *origin, enum origin_service service);
/* That of the UDP socket, which returns every datagram. */
uint16_t origin_udp_port(const struct origin *origin);
/* Closes every session and joins every thread. Accepts NULL. */
void origin_stop(struct origin *origin);

#endif
