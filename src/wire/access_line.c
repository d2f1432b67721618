/*
 * These lines are older than those of "key:value": they are taken apart by their places.
 */
#include "wire/access_line.h"

#include <string.h>

#include "base/addr.h"

/* The user that was asked for; empty for all of them, and for a client by its address. */
static struct monitor_line asked_user(const char *request)
{
	struct monitor_line rest = {.text = request, .len = strlen(request)}, word;
	struct network client;

	monitor_next_word(&rest, &word);
	if (!monitor_next_word(&rest, &word) || answer_is(&word, "*") ||
		network_parse(word.text, word.len, &client))
		word.len = 0;
	return word;
}

bool access_line_split(const char *request, const struct monitor_line *line, struct access_line *e)
{
	struct monitor_line rest = *line;
	const char *end;

	e->user = asked_user(request);
	if (e->user.len == 0) {
		if (!monitor_next_word(&rest, &e->user) || e->user.text[e->user.len - 1] != ':')
			return false;
		e->user.len--;
	}
	if (!monitor_next_word(&rest, &e->target) || rest.len == 0 || rest.text[0] != '[')
		return false;
	end = memchr(rest.text, ']', rest.len);
	if (end == NULL)
		return false;
	e->time =
		(struct monitor_line){.text = rest.text + 1, .len = (size_t)(end - rest.text) - 1};
	rest.len -= (size_t)(end - rest.text) + 1;
	rest.text = end + 1;
	if (!monitor_next_word(&rest, &e->outcome))
		return false;
	if (!monitor_next_word(&rest, &e->reason) || !monitor_next_word(&rest, &e->client))
		e->reason.len = e->client.len = 0;
	return true;
}
