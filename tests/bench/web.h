/* web: the client's half of HTTP through a proxy, just enough to measure with. Any thread. */
#ifndef BENCH_WEB_H
#define BENCH_WEB_H

#include <stdbool.h>
#include <stdint.h>

/* CONNECT to 127.0.0.1:`port` over the connected socket `fd`. -1 with errno: EREMOTEIO for a
 * refused request, EPROTO for anything that is not HTTP. */
int web_connect(int fd, uint16_t port);

/* GET of `bytes` bytes from the origin's web service at that port, `by_proxy` or from itself; reads
 * them all. EBADMSG when it is not the page that was asked for. */
int web_get(int fd, uint16_t port, uint64_t bytes, bool by_proxy);

#define WEB_HEAD_MAX 2048

/* Sends a request as it is, and reads the answer: its head, NUL-terminated, and the body, which is
 * dropped and whose length it must tell. The connection is kept. */
int web_ask(int fd, const char *request, char head[WEB_HEAD_MAX]);

struct load_run;

/* The scenario of many short requests for URLs. Values as those of sessions_run(). */
int web_run(const struct load_run *run, double *values);

/* The scenario of one long download by a URL. Values as those of bulk_run(). */
int web_run_down(const struct load_run *run, double *values);

#endif
