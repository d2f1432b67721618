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
#include "base/writing.h"
#include "client/follow.h"
#include "wire/json.h"
#include "client/new_password.h"
#include "client/pager.h"
#include "client/request.h"
#include "client/table.h"
#include "client/terminal.h"
#include "wire/monitor.h"

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

/* Where the flags say; without any first at the usual socket, if that is there for us. */
static struct link *connect_link(const struct flags *f, char error[LINK_ERROR_MAX])
{
	struct link_target target = {.host = f->host,
		.port = f->port,
		.patience_ms = LINK_PATIENCE_MS,
		.reply_max = LINK_REPLY_MAX,
		.path = f->socket};
	struct link *l;

	if (f->socket == NULL && !f->is_elsewhere && access(MONITOR_SOCKET, W_OK) == 0) {
		target.path = MONITOR_SOCKET;
		l = link_open(&target, error);
		if (l != NULL)
			return l;
		target.path = NULL;
	}
	return link_open(&target, error);
}

/* A server that is at the usual socket only for somebody else. */
static void say_who_may(const struct flags *f)
{
	if (f->socket == NULL && !f->is_elsewhere && access(MONITOR_SOCKET, W_OK) < 0 &&
		errno == EACCES)
		client_say("%s is there, but not for you: try sudo", MONITOR_SOCKET);
}

/* Signals are held from here on and not while connecting: a name lookup cannot be interrupted but
 * by the signal itself. */
enum client_status client_open(struct client *c, const struct flags *f)
{
	char error[LINK_ERROR_MAX];

	*c = (struct client){.flags = f, .signals = {.ending = -1, .screen = -1}, .json = f->json};
	c->link = connect_link(f, error);
	if (c->link == NULL) {
		client_say("%s", error);
		say_who_may(f);
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
	if (c->login != NULL)
		explicit_bzero(c->login, strlen(c->login));
	free(c->login);
	c->login = NULL;
}

bool client_is_for_person(const struct client *c)
{
	return isatty(STDOUT_FILENO) && (c->flags->action != FLAGS_TALK || isatty(STDIN_FILENO));
}

/* False without memory, and then nothing was printed. */
static bool put_table(FILE *out, const struct answer *reply)
{
	int lines, columns = DEFAULT_COLUMNS;

	terminal_size(&lines, &columns);
	return table_print(out, reply, columns);
}

/* False without memory. */
static bool show_table(const struct answer *reply)
{
	struct writing w;
	bool is_shown;

	if (writing_begin(&w) == NULL)
		return false;
	is_shown = put_table(w.out, reply);
	is_shown = writing_end(&w) && is_shown;
	if (is_shown)
		pager_show(w.text, w.len);
	free(w.text);
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
	else if (!client_is_for_person(c) || !has_table(request, reply) || !show_table(reply))
		answer_print(to_stderr ? stderr : stdout, reply);
	return reply->ok ? CLIENT_OK : CLIENT_REFUSED;
}

void client_put(const struct client *c, FILE *out, const char *request, const struct answer *reply)
{
	if (!client_is_for_person(c) || !has_table(request, reply) || !put_table(out, reply))
		answer_print(out, reply);
}

enum client_status client_ask_secret(struct client *c, const char *prompt, char out[SECRET_MAX])
{
	int terminal = secret_open_terminal();
	enum secret_result result;

	if (terminal < 0) {
		client_say("no terminal to ask for the password on: use --password-file or "
			   "MONITOR_PASSWORD");
		return CLIENT_USAGE;
	}
	result = secret_ask(terminal, prompt, c->signals.ending, link_fd(c->link), out);
	close(terminal);
	if (result == SECRET_READ)
		return CLIENT_OK;
	if (result == SECRET_INTERRUPTED)
		return client_complain(c, LINK_INTERRUPTED);
	if (result == SECRET_DISTURBED)
		return client_complain(c, link_read_out(c->link));
	client_say("no password was given");
	return CLIENT_USAGE;
}

enum client_status client_read_secret(
	const struct client *c, const char *none, const char *too_long, char out[SECRET_MAX])
{
	if (secret_from_descriptor(STDIN_FILENO, c->signals.ending, out) == 0)
		return CLIENT_OK;
	if (errno == EINTR)
		return client_complain(c, LINK_INTERRUPTED);
	if (errno == ENODATA)
		client_say("%s", none);
	else if (errno == EMSGSIZE)
		client_say("%s", too_long);
	else
		client_say("standard input cannot be read: %s", strerror(errno));
	return CLIENT_USAGE;
}

static bool is_unknown_command(const struct answer *reply)
{
	static const char words[] = "Unknown command";

	return !reply->ok && reply->message.len >= strlen(words) &&
		memcmp(reply->message.text, words, strlen(words)) == 0;
}

static enum client_status ask_and_print(struct client *c, const char *request)
{
	struct answer reply;
	enum client_status status;
	int result;

	if (request_is(request, FOLLOW_COMMAND))
		return follow_run(c, request);
	result = link_ask(c->link, request, &reply);
	if (result < 0)
		return client_complain(c, result);
	status = client_print(c, request, &reply);
	c->was_unknown = is_unknown_command(&reply);
	answer_free(&reply);
	return status;
}

enum client_status client_ask(struct client *c, const char *request)
{
	char *filled;
	enum client_status status = new_password_ask(c, request, &filled);

	if (status == CLIENT_OK)
		status = ask_and_print(c, filled != NULL ? filled : request);
	if (filled != NULL)
		explicit_bzero(filled, strlen(filled));
	free(filled);
	return status;
}
