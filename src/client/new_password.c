/*
 * ps(1) and the shell's history show a password among the words of a command, so that `-` may stand
 * for it. A person types it twice, blindly; where standard input is no terminal it is the next line
 * of that, as a script or another program gives it.
 */
#include "client/new_password.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/request.h"

static enum client_status type_twice(struct client *c, char out[SECRET_MAX])
{
	char again[SECRET_MAX];
	enum client_status status = client_ask_secret(c, "New password: ", out);

	if (status == CLIENT_OK)
		status = client_ask_secret(c, "The same again: ", again);
	if (status == CLIENT_OK && strcmp(out, again) != 0) {
		client_say("these are two different passwords");
		status = CLIENT_USAGE;
	}
	explicit_bzero(again, sizeof(again));
	return status;
}

static enum client_status read_next_line(const struct client *c, char out[SECRET_MAX])
{
	return client_read_secret(c, "no password was given: it is to be a line of standard input",
		"the password is too long", out);
}

static enum client_status put_password(const char *request, const char *password, char **filled)
{
	const char *problem = request_password_problem(request, password);

	if (problem == NULL) {
		*filled = request_with_password(request, password);
		problem = *filled == NULL ? "out of memory" : request_problem(*filled);
	}
	if (problem == NULL)
		return CLIENT_OK;
	client_say("%s", problem);
	return CLIENT_USAGE;
}

enum client_status new_password_ask(struct client *c, const char *request, char **filled)
{
	char password[SECRET_MAX];
	enum client_status status;

	*filled = NULL;
	if (!request_wants_password(request))
		return CLIENT_OK;
	status = isatty(STDIN_FILENO) ? type_twice(c, password) : read_next_line(c, password);
	if (status == CLIENT_OK)
		status = put_password(request, password, filled);
	explicit_bzero(password, sizeof(password));
	return status;
}
