/*
 * Three may end it: whoever is at the keyboard, whoever reads what is printed, and the server. The
 * first of them has the server told, and what that had sent by then is still printed, up to the
 * empty line: so the connection is good for the next request. A server that neither begins nor ends
 * it is silent, as with any other request.
 */
#include "client/follow.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "wire/json.h"
#include "net/socket.h"

struct follower {
	struct client *client;
	bool is_told; /* the server was told to end it */
	bool has_begun; /* its status line was there */
	bool ended; /* and the empty line */
	enum client_status status;
	int keys; /* what Enter is typed at, or a script comes from; -1: nobody is there */
	bool is_terminal;
};

/* ERR has a line of its own behind which the empty one comes, too. */
static void print_follow_status(struct follower *f, const struct monitor_line *line)
{
	struct answer status;

	f->has_begun = true;
	if (answer_parse(line->text, line->len + 1, &status) < 0) {
		client_say("the server's answer is neither OK nor ERR");
		f->status = CLIENT_BROKEN;
		return;
	}
	f->client->was_unknown = false;
	if (!status.ok || !f->client->json)
		f->status = client_print(f->client, FOLLOW_COMMAND, &status);
	answer_free(&status);
}

static void print_event(struct follower *f, const struct monitor_line *line)
{
	if (!f->has_begun)
		print_follow_status(f, line);
	else if (line->len == 0)
		f->ended = true;
	else if (f->client->json)
		json_print_line(stdout, line);
	else
		answer_print_line(stdout, line);
}

/* All lines that are there. 0, or what is wrong with the link. */
static int print_events(struct follower *f)
{
	struct monitor_line line;
	int result = 1;

	while (!f->ended && f->status != CLIENT_BROKEN &&
		(result = link_next_line(f->client->link, &line)) > 0)
		print_event(f, &line);
	fflush(stdout);
	return result < 0 ? result : 0;
}

static int tell_server(struct follower *f)
{
	int result = f->is_told ? 0 : link_end_lines(f->client->link);

	f->is_told = true;
	f->keys = -1;
	return result;
}

/* Enter is for us; the line of a script is a request, and stays. A script that has ended lets it go
 * on. */
static int take_follow_keys(struct follower *f, short revents)
{
	char typed[256];

	if ((revents & POLLIN) == 0) {
		f->keys = -1;
		return 0;
	}
	if (f->is_terminal && read(f->keys, typed, sizeof(typed)) <= 0)
		f->keys = -1;
	return tell_server(f);
}

/* Ctrl-C ends what is followed; the second one, for which the server was too slow, and the other
 * signals end all. */
static int take_follow_signal(struct follower *f)
{
	bool is_interrupt = signals_next_ending(&f->client->signals) == SIGINT;

	return is_interrupt && !f->is_told ? tell_server(f) : LINK_INTERRUPTED;
}

/* 0, or what is wrong with the link. */
static int wait_for_events(struct follower *f)
{
	struct pollfd fds[3] = {{.fd = link_fd(f->client->link), .events = POLLIN},
		{.fd = f->client->signals.ending, .events = POLLIN},
		{.fd = f->keys, .events = POLLIN}};
	int result = 0, ready = socket_wait(fds, 3, link_deadline(f->client->link));

	if (fds[0].revents != 0 || ready == 0)
		result = print_events(f);
	if (result == 0 && !f->ended && fds[1].revents != 0)
		result = take_follow_signal(f);
	if (result == 0 && !f->ended && fds[2].revents != 0)
		result = take_follow_keys(f, fds[2].revents);
	return result;
}

enum client_status follow_run(struct client *c, const char *request)
{
	bool is_terminal = isatty(STDIN_FILENO);
	bool has_script = c->flags->action == FLAGS_TALK;
	struct follower f = {.client = c,
		.status = CLIENT_OK,
		.keys = is_terminal || has_script ? STDIN_FILENO : -1,
		.is_terminal = is_terminal};
	int result = link_send(c->link, request);

	/* Whoever reads what is printed may have enough of it. */
	while (result == 0 && !f.ended && f.status != CLIENT_BROKEN && !ferror(stdout))
		result = wait_for_events(&f);
	if (result < 0)
		return client_complain(c, result);
	return f.status;
}
