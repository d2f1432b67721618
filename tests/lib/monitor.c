#include "monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net.h"

#define PROMPT "Please enter Username:password (in that format)\n"

void monitor_write_users(const struct daemon *d)
{
	daemon_write_file(d->users,
		"root:" MONITOR_HASH ":admin\nboss:" MONITOR_HASH ":admin\nalice:" MONITOR_HASH
		":user\nbob:" MONITOR_HASH "\n");
}

void monitor_start_daemon(struct daemon *d, const char *const flags[])
{
	const char *all[DAEMON_MAX_FLAGS] = {"-U", d->users};

	daemon_prepare(d);
	monitor_write_users(d);
	for (size_t i = 0; flags != NULL && flags[i] != NULL; i++)
		all[2 + i] = flags[i];
	daemon_launch(d, all);
}

void monitor_send(int fd, const char *text)
{
	net_send(fd, text, strlen(text));
}

void monitor_expect_text(int fd, const char *text)
{
	char *got = calloc(1, strlen(text) + 1);

	net_receive(fd, got, strlen(text));
	assert_string_equal(got, text);
	free(got);
}

int monitor_connect(const struct daemon *d)
{
	int fd = net_connect("127.0.0.1", d->monitor_port);

	monitor_expect_text(fd, PROMPT);
	return fd;
}

int monitor_login(const struct daemon *d, const char *credentials)
{
	char line[300];
	int fd = monitor_connect(d);

	snprintf(line, sizeof(line), "%s\n", credentials);
	monitor_send(fd, line);
	snprintf(line, sizeof(line), "OK Welcome %.*s\n", (int)strcspn(credentials, ":"),
		credentials);
	monitor_expect_text(fd, line);
	return fd;
}

/* A text that grows, for whole replies. */
static char *text;
static size_t len, size;

/* Reads some more; false at the end of the stream. */
static bool read_more(int fd)
{
	ssize_t n;

	if (size - len < 65536) {
		char *larger = realloc(text, size * 2 + 131072);

		assert_non_null(larger);
		text = larger;
		size = size * 2 + 131072;
	}
	n = recv(fd, text + len, 65535, 0);
	assert_true(n >= 0);
	len += (size_t)n;
	text[len] = '\0';
	return n > 0;
}

const char *monitor_ask(int fd, const char *request)
{
	monitor_send(fd, request);
	monitor_send(fd, "\n");
	len = 0;
	do
		assert_true(read_more(fd));
	while (len < 2 || strcmp(text + len - 2, "\n\n") != 0);
	text[len - 1] = '\0';
	return text;
}

void monitor_expect(int fd, const char *request, const char *reply)
{
	const char *got = monitor_ask(fd, request);

	if (strcmp(got, reply) != 0)
		fail_msg("%s\nexpected: %s\ngot: %s", request, reply, got);
}

const char *monitor_read_to_end(int fd)
{
	len = 0;
	while (read_more(fd))
		;
	return text;
}

long monitor_stat(int fd, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\n%s:", name);
	at = strstr(monitor_ask(fd, "STATS"), key);
	assert_non_null(at);
	return atol(at + strlen(key));
}
