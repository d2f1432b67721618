/*
 * DESIGN
 * One request a connection, as without keep-alive. Heads are read a byte at a time from a peek, so
 * that what follows stays in the socket for whoever reads it.
 */
#include "web.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulk.h"
#include "load.h"
#include "wire.h"

#define HEAD_MAX WEB_HEAD_MAX
#define PAGE 64 /* bytes of the short ones */

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Up to and with the empty line, NUL-terminated. */
static int read_head(int fd, char head[HEAD_MAX])
{
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, head + len, HEAD_MAX - 1 - len, MSG_PEEK);
		const char *end;
		size_t taken;

		if (n <= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
			return n == 0 ? fail(ECONNRESET) : -1;
		if (wire_check_deadline() < 0)
			return -1;
		if (n < 0)
			continue;
		head[len + (size_t)n] = '\0';
		end = strstr(head, "\r\n\r\n");
		taken = end != NULL ? (size_t)(end + 4 - head) - len : (size_t)n;
		if (wire_read(fd, head + len, taken) < 0)
			return -1;
		len += taken;
		head[len] = '\0';
		if (end != NULL)
			return 0;
		if (len == HEAD_MAX - 1)
			return fail(EPROTO);
	}
}

/* Is it a 200? */
static int read_answer(int fd, char head[HEAD_MAX])
{
	if (read_head(fd, head) < 0)
		return -1;
	if (strncmp(head, "HTTP/1.", 7) != 0)
		return fail(EPROTO);
	return strncmp(head + 8, " 200", 4) == 0 ? 0 : fail(EREMOTEIO);
}

int web_connect(int fd, uint16_t port)
{
	char head[HEAD_MAX];
	int len = snprintf(head, sizeof(head),
		"CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", port, port);

	return wire_write(fd, head, (size_t)len) < 0 ? -1 : read_answer(fd, head);
}

int web_get(int fd, uint16_t port, uint64_t bytes, bool by_proxy)
{
	char head[HEAD_MAX], site[48] = "";
	int len;

	if (by_proxy)
		snprintf(site, sizeof(site), "http://127.0.0.1:%u", port);
	len = snprintf(head, sizeof(head),
		"GET %s/%" PRIu64 " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n", site,
		bytes, port);
	if (wire_write(fd, head, (size_t)len) < 0 || read_answer(fd, head) < 0)
		return -1;
	return wire_exchange(fd, 0, bytes);
}

/* ---- answers with a length ---- */

static int drop_bytes(int fd, uint64_t len)
{
	char bytes[16384];

	while (len > 0) {
		const size_t part = len < sizeof(bytes) ? (size_t)len : sizeof(bytes);

		if (wire_read(fd, bytes, part) < 0)
			return -1;
		len -= part;
	}
	return 0;
}

int web_ask(int fd, const char *request, char head[WEB_HEAD_MAX])
{
	static const char mark[] = "\r\nContent-Length: ";
	const char *length;

	if (wire_write(fd, request, strlen(request)) < 0 || read_head(fd, head) < 0)
		return -1;
	length = strstr(head, mark);
	if (strncmp(head, "HTTP/1.", 7) != 0 || length == NULL)
		return fail(EPROTO);
	return drop_bytes(fd, strtoull(length + strlen(mark), NULL, 10));
}

/* ---- scenarios ---- */

static int open_to_web(const struct load_run *run, uint16_t *port)
{
	*port = origin_port(run->origin, ORIGIN_WEB);
	return wire_connect(run->peer != NULL ? peer_port(run->peer) : *port);
}

static int get_once(const struct load_run *run, uint64_t bytes)
{
	uint16_t port;
	int fd = open_to_web(run, &port), rc = -1, saved;

	if (fd < 0)
		return -1;
	if (web_get(fd, port, bytes, run->peer != NULL) == 0)
		rc = wire_read_end(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int get_again_and_again(const struct load_run *run, void *arg, int index)
{
	const uint64_t visits = load_share(load_sessions(run), run->scenario->clients, index);

	(void)arg;
	for (uint64_t i = 0; i < visits; i++) {
		if (get_once(run, PAGE) < 0)
			return -1;
	}
	return 0;
}

int web_run(const struct load_run *run, double *values)
{
	const double requests = (double)load_sessions(run);
	struct load_meter meter;

	load_meter_start(&meter, run);
	if (load_in_parallel(run, run->scenario->clients, NULL, get_again_and_again) < 0)
		return -1;
	load_meter_stop(&meter, run);
	values[0] = requests / meter.wall_s;
	values[1] = meter.cpu_s * 1e6 / requests;
	return 0;
}

int web_run_down(const struct load_run *run, double *values)
{
	const double bytes = (double)run->size->bulk_bytes;
	struct load_meter meter;

	load_meter_start(&meter, run);
	if (get_once(run, run->size->bulk_bytes) < 0)
		return -1;
	load_meter_stop(&meter, run);
	values[BULK_RATE] = bytes / 1e6 / meter.wall_s;
	values[BULK_CPU] = meter.cpu_s / (bytes / 1e9);
	return 0;
}
