/* peer: one server under test: started from its script, measured, stopped. Main thread only. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "socks.h"

/* That a peer is told to carry where nobody needs more. */
#define PEER_SESSIONS 4000

struct peer;

/* What a script is asked to start. */
struct peer_setup {
	const struct socks_login *login; /* NULL: without */
	unsigned sessions; /* that it will have to carry at once */
	const char *door; /* the protocol that it will be spoken to in: socks5, socks4, http */
	const char *variant; /* of its settings; "": the plain ones */
};

enum peer_outcome {
	PEER_READY,
	PEER_NOT_HERE, /* the script said so: exit status 77 */
	PEER_FAILED,
};

/*
 * Runs `script` and waits until it has answered in the protocol that it will be spoken to, and come
 * to rest. On PEER_READY *started is the peer; on PEER_FAILED `why` tells the reason in words.
 */
enum peer_outcome peer_start(const char *script, const struct peer_setup *setup,
	struct peer **started, char *why, size_t why_size);
/* SIGTERM, after 5 s SIGKILL, then its folder goes. Accepts NULL. */
void peer_stop(struct peer *peer);

uint16_t peer_port(const struct peer *peer);
/* A port that the kernel chose, as socks5d's log tells it with this message; 0: it does not. */
uint16_t peer_logged_port(const struct peer *peer, const char *message);
/* Milliseconds from its start to its first answer. */
double peer_start_ms(const struct peer *peer);
/* Waits, for a bounded time, until the peer uses (almost) no more CPU. */
void peer_settle(const struct peer *peer);
/* CPU time of all its processes so far in seconds; NAN when it cannot be read. */
double peer_cpu_s(const struct peer *peer);
/* Of the threads of that name, where it is one process. */
double peer_threads_cpu_s(const struct peer *peer, const char *name);
/* Proportional set size of all its processes in kB; NAN when it cannot be read. */
double peer_memory_kb(const struct peer *peer);

/* The last line that `script --version` prints, or "unknown". */
void peer_version(const char *script, char *line, size_t size);

#endif
