/*
 * What was typed ahead is sent a line at a time, each after the reply to the one before, so that
 * the output is in the order of the input, and the exit status is that of the worst reply.
 */
#include "client/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/request.h"
#include "wire/monitor.h"

#define LINE_SIZE (2 * MONITOR_LINE_MAX) /* longer than any that is sent */

/* Without its LF or CR LF. False when it holds a NUL, which no request can. */
static bool cut_line(char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	return strlen(line) == len;
}

/* A reply ends with an empty line here, as in the protocol: that is where the next one begins. */
static enum client_status ask_line(struct client *c, const char *line)
{
	enum client_status status = client_ask(c, line);

	if (!c->json && (status == CLIENT_OK || status == CLIENT_REFUSED) &&
		!request_is(line, "QUIT"))
		putchar('\n');
	fflush(stdout);
	return status;
}

/* What was to be asked is not known, so that nobody may take what was for the whole. */
static enum client_status say_unreadable(void)
{
	client_say("standard input cannot be read on: %s", strerror(errno));
	return CLIENT_USAGE;
}

/* Scripts for the monitor's address begin with a login, which nobody wants where the server knows
 * us. No command has a colon in its first word. */
static bool is_needless_login(const struct client *c, const char *line)
{
	return c->is_known && c->flags->user == NULL && line[strcspn(line, ": ")] == ':';
}

static enum client_status ask_all(struct client *c, char **line, size_t *size)
{
	enum client_status worst = CLIENT_OK, status;
	bool is_first = true;
	ssize_t len;
	bool quits;

	for (; (len = getdelim(line, size, '\n', stdin)) >= 0; is_first = false) {
		if (!cut_line(*line, (size_t)len)) {
			client_say("a line of the input has a NUL in it");
			return CLIENT_USAGE;
		}
		if (request_is_empty(*line) || (is_first && is_needless_login(c, *line)))
			continue;
		status = ask_line(c, *line);
		quits = status > CLIENT_REFUSED || request_is(*line, "QUIT");
		explicit_bzero(*line, (size_t)len);
		if (status > worst)
			worst = status;
		if (quits)
			return worst;
	}
	return feof(stdin) ? worst : say_unreadable();
}

/* Passwords in requests are to stay neither in a line that has grown since nor in a buffer of
 * standard input, from which nothing was read yet: so it has none. */
enum client_status batch_run(struct client *c)
{
	size_t size = LINE_SIZE;
	char *line = malloc(size);
	enum client_status status;

	if (line == NULL)
		size = 0;
	setvbuf(stdin, NULL, _IONBF, 0);

	/* Ctrl-C is to end us also while standard input is read. */
	link_interrupt_by(c->link, -1);
	signals_close(&c->signals);
	status = ask_all(c, &line, &size);
	if (line != NULL)
		explicit_bzero(line, size);
	free(line);
	return status;
}
