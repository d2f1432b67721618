/*
 * Where output goes and with what status the program ends is decided here for all ways of working,
 * so that they differ in where requests come from and in nothing else.
 */
#include "client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/request.h"
#include "client/table.h"
#include "client/terminal.h"

#define DEFAULT_COLUMNS 80 /* of a terminal that does not tell */
#define SAY_MAX 1024 /* bytes of a message: the server's last words, a path */

void client_say(const char *format, ...)
{
	char message[SAY_MAX], shown[4 * SAY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "monitor_client: %s\n",
		escape_line(message, strlen(message), shown, sizeof(shown)));
}

enum client_status client_complain(const struct client *c, int result)
{
	if (result == LINK_INTERRUPTED) {
		client_say("interrupted");
		return CLIENT_INTERRUPTED;
	}
	client_say("%s", link_error(c->link));
	return CLIENT_BROKEN;
}

/* Signals are held from here on and not while connecting: a name lookup cannot be interrupted but
 * by the signal itself. */
enum client_status client_open(struct client *c, const struct flags *f)
{
	struct link_target target = {.host = f->host,
		.port = f->port,
		.patience_ms = LINK_PATIENCE_MS,
		.reply_max = LINK_REPLY_MAX};
	char error[LINK_ERROR_MAX];

	*c = (struct client){.flags = f, .signals = {.ending = -1, .screen = -1}, .json = f->json};
	c->link = link_open(&target, error);
	if (c->link == NULL) {
		client_say("%s", error);
		return CLIENT_BROKEN;
	}
	if (signals_open(&c->signals, f->action == FLAGS_TALK || f->action == FLAGS_TOP) < 0) {
		client_say("signalfd: %s", strerror(errno));
		return CLIENT_BROKEN;
	}
	link_interrupt_by(c->link, c->signals.ending);
	return CLIENT_OK;
}

/* The signals stay held: one that came has been answered, and is not to end us after that. */
void client_close(struct client *c)
{
	link_close(c->link);
	c->link = NULL;
}

/* Somebody watches, and it is not the output of a script's commands. */
static bool is_for_person(const struct client *c)
{
	return isatty(STDOUT_FILENO) && (c->flags->action != FLAGS_TALK || isatty(STDIN_FILENO));
}

/* False without memory. */
static bool show_table(const struct answer *reply)
{
	int lines, columns = DEFAULT_COLUMNS;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool is_shown;

	if (out == NULL)
		return false;
	terminal_size(&lines, &columns);
	is_shown = table_print(out, reply, columns);
	is_shown = fclose(out) == 0 && is_shown;
	if (is_shown)
		pager_show(text, len);
	free(text);
	return is_shown;
}

/* These keep their words, whatever those look like. */
static bool has_table(const char *request, const struct answer *reply)
{
	return reply->ok && table_fits(reply) && !request_is(request, "STATS") &&
		!request_is(request, "USERS") && !request_is(request, "CONFIG") &&
		!request_is(request, "ACCESS_LOG") && !request_is(request, "HELP");
}

enum client_status client_print(
	const struct client *c, const char *request, const struct answer *reply)
{
	bool to_stderr = c->flags->action != FLAGS_TALK && !reply->ok && !c->json;

	if (c->json)
		json_print(stdout, request, reply);
	else if (!is_for_person(c) || !has_table(request, reply) || !show_table(reply))
		answer_print(to_stderr ? stderr : stdout, reply);
	return reply->ok ? CLIENT_OK : CLIENT_REFUSED;
}

static bool is_unknown_command(const struct answer *reply)
{
	static const char words[] = "Unknown command";

	return !reply->ok && reply->message.len >= strlen(words) &&
		memcmp(reply->message.text, words, strlen(words)) == 0;
}

enum client_status client_ask(struct client *c, const char *request)
{
	struct answer reply;
	enum client_status status;
	int result = link_ask(c->link, request, &reply);

	if (result < 0)
		return client_complain(c, result);
	status = client_print(c, request, &reply);
	c->was_unknown = is_unknown_command(&reply);
	answer_free(&reply);
	return status;
}
