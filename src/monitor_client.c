/*
 * The flags decide which of the ways of working it is; each of them is a file of client/ and gets a
 * connection that has logged in.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "client/all_nodes.h"
#include "client/batch.h"
#include "client/client.h"
#include "client/login.h"
#include "client/shell.h"
#include "client/top.h"

static enum client_status talk(struct client *c)
{
	if (c->flags->all)
		return all_nodes_ask(c, c->flags->request);
	if (c->flags->action == FLAGS_ASK)
		return client_ask(c, c->flags->request);
	if (c->flags->action == FLAGS_TOP)
		return top_run(c);
	return isatty(STDIN_FILENO) ? shell_run(c) : batch_run(c);
}

static enum client_status run(const struct flags *f)
{
	struct client c;
	enum client_status status = f->action == FLAGS_TOP ? top_check() : CLIENT_OK;

	if (status != CLIENT_OK)
		return status;
	status = client_open(&c, f);
	if (status == CLIENT_OK)
		status = login_run(&c);
	if (status == CLIENT_OK)
		status = talk(&c);
	client_close(&c);
	return status;
}

/* A reply that could not be written whole, to a full disk say, is no success. */
static enum client_status finish(enum client_status status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	client_say("standard output: %s", strerror(errno));
	return status == CLIENT_OK ? CLIENT_BROKEN : status;
}

int main(int argc, char **argv)
{
	char error[FLAGS_ERROR_MAX];
	struct flags flags;
	enum client_status status = CLIENT_OK;

	setlocale(LC_ALL, "");
	if (flags_parse(&flags, argc, argv, error) < 0) {
		client_say("%s", error);
		status = CLIENT_USAGE;
	} else if (flags.action == FLAGS_HELP) {
		flags_print_help(stdout);
	} else if (flags.action == FLAGS_VERSION) {
		puts("monitor_client " SOCKS5D_VERSION);
	} else {
		status = run(&flags);
	}
	flags_free(&flags);
	return (int)finish(status);
}
