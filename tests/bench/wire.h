/* wire: loopback TCP sockets under one deadline for the whole run. Any thread; no locks. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_ECHO_SIZE 64
/* Longest time that a call waits without looking at the deadline; callers' epoll_wait too. */
#define WIRE_TICK_MS 200

/* Fills the pattern that wire_exchange sends and expects. Once, before any thread. */
void wire_init(void);

/* From now on calls fail with ETIMEDOUT after this many seconds; 0 makes them fail at once. */
void wire_set_deadline(unsigned seconds);
/* -1 with ETIMEDOUT or EINTR when the run is over, else 0. The calls below do it themselves. */
int wire_check_deadline(void);

/* Ends this and every later run (EINTR). Safe in a signal handler. */
void wire_interrupt(void);
bool wire_interrupted(void);

struct sockaddr_in wire_loopback(uint16_t port);

/* A non-blocking listener on a port that the kernel chooses. */
int wire_listen(uint16_t *port);
/* The next connection of such a listener; -1 with EAGAIN when there is none. */
int wire_accept(int listener);
int wire_connect(uint16_t port);
/* From the loopback address of that number: 0 is 127.0.0.1. */
int wire_connect_from(uint16_t port, unsigned source);
/* A non-blocking UDP socket on a port of the kernel's choice, with large buffers. */
int wire_datagram(void);
/* Closes by RST, which leaves no TIME_WAIT on either side. */
void wire_reset(int fd);

/* All `len` bytes, or -1 with errno; an early end of the stream is ECONNRESET. */
int wire_read(int fd, void *buf, size_t len);
int wire_write(int fd, const void *buf, size_t len);

/* Sends and receives so many pattern bytes, both at once; EBADMSG when a byte is wrong. */
int wire_exchange(int fd, uint64_t send_bytes, uint64_t recv_bytes);
/* 0 when nothing but the end of the stream follows, else -1 (EBADMSG: more bytes). */
int wire_read_end(int fd);

/* The 64 bytes of echo number `seq`: different for each number. */
void wire_echo_fill(uint8_t msg[WIRE_ECHO_SIZE], uint64_t seq);
/* Sends echo `seq`; waits for it to come back, EBADMSG when it is not unchanged; or both. */
int wire_echo_send(int fd, uint64_t seq);
int wire_echo_expect(int fd, uint64_t seq);
int wire_echo(int fd, uint64_t seq);

#endif
