/*
 * Where the login comes from:
 *
 *	-u NAME given                   password file, else MONITOR_PASSWORD, else the terminal
 *	standard input is a terminal    the terminal, name and password in one line
 *	it is none                      its first line
 *
 * At the unix socket the server may know us, and ask for none.
 */
#include "client/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/secret.h"

#define LOGIN_MAX (256 + SECRET_MAX)

/* The answer to a login. That of a success is shown where somebody watches. */
static enum client_status show_login(struct client *c, const struct answer *answer)
{
	if (!answer->ok || (c->flags->action == FLAGS_TALK && isatty(STDIN_FILENO)))
		return client_print(c, "", answer);
	return CLIENT_OK;
}

/* What is no question is an answer already: a refusal, or a welcome to whom the server knows. */
static enum client_status check_greeting(struct client *c, char *line, size_t size)
{
	enum client_status status;
	struct answer answer;
	int result = link_greeting(c->link, line, size);

	if (result < 0)
		return client_complain(c, result);
	if (strcmp(line, MONITOR_PROMPT) == 0)
		return CLIENT_OK;
	c->is_known = strncmp(line, MONITOR_WELCOME, strlen(MONITOR_WELCOME)) == 0;
	if ((c->is_known || strncmp(line, "ERR", 3) == 0) &&
		answer_parse(line, strlen(line), &answer) == 0) {
		status = show_login(c, &answer);
		answer_free(&answer);
		return status;
	}
	client_say("this is no monitor of socks5d: it does not ask for a login");
	return CLIENT_BROKEN;
}

/* ---- where it comes from ---- */

static enum client_status read_password_file(
	const struct client *c, const char *path, char out[SECRET_MAX])
{
	bool exposed;

	if (secret_from_file(path, c->signals.ending, out, &exposed) < 0) {
		if (errno == EINTR)
			return client_complain(c, LINK_INTERRUPTED);
		client_say("%s: %s", path,
			errno == EMSGSIZE ? "the first line is too long" : strerror(errno));
		return CLIENT_USAGE;
	}
	if (exposed)
		client_say("warning: others than its owner can use %s; chmod 600 mends that", path);
	return CLIENT_OK;
}

/* /proc shows the environment a process was started with as long as it stays in memory. */
static void take_from_environment(char *given, char out[SECRET_MAX])
{
	snprintf(out, SECRET_MAX, "%s", given);
	explicit_bzero(given, strlen(given));
}

static enum client_status find_password(struct client *c, char out[SECRET_MAX])
{
	char *given = getenv("MONITOR_PASSWORD");
	char prompt[300];

	if (c->flags->password_file != NULL)
		return read_password_file(c, c->flags->password_file, out);
	if (given != NULL) {
		take_from_environment(given, out);
		return CLIENT_OK;
	}
	snprintf(prompt, sizeof(prompt), "Password for %s: ", c->flags->user);
	return client_ask_secret(c, prompt, out);
}

static enum client_status read_login_line(const struct client *c, char out[SECRET_MAX])
{
	return client_read_secret(c,
		"no login was given: the first line is to be Username:password",
		"the first line is too long for a login", out);
}

static enum client_status find_login(struct client *c, const char *greeting, char out[LOGIN_MAX])
{
	char secret[SECRET_MAX];
	const char *user = c->flags->user;
	enum client_status status;

	if (user != NULL) {
		status = find_password(c, secret);
	} else if (isatty(STDIN_FILENO)) {
		if (c->flags->action == FLAGS_TALK)
			puts(greeting);
		fflush(stdout);
		status = client_ask_secret(c, "Username:password: ", secret);
	} else {
		status = read_login_line(c, secret);
	}
	if (status == CLIENT_OK)
		snprintf(out, LOGIN_MAX, "%s%s%s", user == NULL ? "" : user,
			user == NULL ? "" : ":", secret);
	explicit_bzero(secret, sizeof(secret));
	return status;
}

/* ---- using it ---- */

static enum client_status send_login(struct client *c, const char *login)
{
	struct answer answer;
	enum client_status status;
	int result = link_login(c->link, login, &answer);

	if (result < 0)
		return client_complain(c, result);
	status = show_login(c, &answer);
	answer_free(&answer);
	return status;
}

static enum client_status keep_login(struct client *c, const char *login)
{
	c->login = strdup(login);
	if (c->login != NULL)
		return CLIENT_OK;
	client_say("out of memory");
	return CLIENT_BROKEN;
}

enum client_status login_run(struct client *c)
{
	char greeting[256], login[LOGIN_MAX];
	enum client_status status = check_greeting(c, greeting, sizeof(greeting));

	if (status != CLIENT_OK || c->is_known)
		return status;
	status = find_login(c, greeting, login);
	if (status == CLIENT_OK)
		status = send_login(c, login);
	if (status == CLIENT_OK && c->flags->all)
		status = keep_login(c, login);
	explicit_bzero(login, sizeof(login));
	return status;
}

enum client_status login_for_others(struct client *c)
{
	char login[LOGIN_MAX];
	enum client_status status;

	if (c->login != NULL)
		return CLIENT_OK;
	if (c->flags->user == NULL) {
		client_say(
			"--all: the other nodes ask for a login, which the socket of this one does "
			"not: -u NAME says whose");
		return CLIENT_USAGE;
	}
	status = find_login(c, "", login);
	if (status == CLIENT_OK)
		status = keep_login(c, login);
	explicit_bzero(login, sizeof(login));
	return status;
}
