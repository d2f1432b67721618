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
