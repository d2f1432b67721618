/*
 * Requests are checked before they are sent, by the same code as the server uses (wire/monitor),
 * so that what it would refuse is refused here with a better reason.
 */
#include "client/request.h"

#include <stdlib.h>
#include <string.h>

#include "wire/monitor.h"

char *request_join(char *const words[], size_t count)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	end = text = malloc(size);
	if (text == NULL)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, words[i]);
	}
	return text;
}

static struct monitor_line line_of(const char *text)
{
	return (struct monitor_line){.text = text, .len = strlen(text)};
}

const char *request_problem(const char *text)
{
	struct monitor_line line = line_of(text);

	if (request_is_empty(text))
		return "the command is empty";
	if (line.len >= MONITOR_LINE_MAX)
		return "the command is longer than 1023 bytes";
	if (!monitor_is_printable(&line))
		return "the command has control characters in it";
	return NULL;
}

bool request_is(const char *text, const char *command)
{
	struct monitor_line line = line_of(text), word;

	return monitor_next_word(&line, &word) && monitor_is_word(&word, command);
}

bool request_is_empty(const char *text)
{
	return text[strspn(text, " ")] == '\0';
}

bool request_has_password(const char *text)
{
	return request_is(text, "ADD_USER") || request_is(text, "SET_PASSWORD");
}

/* Finds the `-`; false when there is none. SET_PASSWORD takes the rest of the line for its
 * password.
 */
static bool find_dash(const char *text, struct monitor_line *dash)
{
	struct monitor_line rest = line_of(text), name;

	if (!request_has_password(text) || !monitor_next_word(&rest, dash) ||
		!monitor_next_word(&rest, &name))
		return false;
	if (request_is(text, "SET_PASSWORD"))
		*dash = rest;
	else
		monitor_next_word(&rest, dash);
	return dash->len == 1 && dash->text[0] == '-';
}

bool request_wants_password(const char *text)
{
	struct monitor_line dash;

	return find_dash(text, &dash);
}

const char *request_password_problem(const char *text, const char *password)
{
	if (*password == '\0')
		return "the password is empty";
	if (strchr(password, ' ') == NULL)
		return NULL;
	if (!request_is(text, "SET_PASSWORD"))
		return "ADD_USER takes no password with blanks; SET_PASSWORD does";
	return *password == ' ' ? "the password begins with a blank" : NULL;
}

char *request_with_password(const char *text, const char *password)
{
	struct monitor_line dash;
	size_t before, len = strlen(password);
	char *filled = malloc(strlen(text) + len + 1);

	if (filled == NULL || !find_dash(text, &dash))
		return filled;
	before = (size_t)(dash.text - text);
	memcpy(filled, text, before);
	memcpy(filled + before, password, len);
	strcpy(filled + before + len, dash.text + 1);
	return filled;
}
