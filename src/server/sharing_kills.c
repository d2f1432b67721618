/*
 * A kill is an event and nothing else: it is for the sessions that there are, so who was away has
 * missed nothing, and what cannot be told at once is not told later.
 */
#include "server/sharing_parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "server/killing.h"

static void log_untold(size_t count)
{
	if (count > 0)
		log_message(LOG_WARN,
			"shared: %zu of the last KILL_USER did not reach the other nodes", count);
}

void sharing_drop_kills(struct sharing *s)
{
	log_untold(kills_set_open(s->kills, false) + s->kills_on_way);
	s->kills_on_way = 0;
}

int sharing_tell_kills(struct sharing *s, char *error)
{
	struct kill k;

	while (s->kills_on_way < KILLS_MOST && kills_take(s->kills, &k)) {
		sharing_tell_event(s, "kill", k.who, end_reason_word(k.reason));
		s->kills_on_way++;
	}
	if (sharing_settle(s, error) < 0)
		return -1;
	s->kills_on_way = 0;
	return 0;
}

/* A reason that is none of ours is a later version's. */
static enum end_reason parse_reason(const char *word)
{
	for (enum end_reason r = 0; r < END_REASONS; r++) {
		if (strcmp(end_reason_word(r), word) == 0)
			return r;
	}
	return END_KILLED;
}

int sharing_take_kill(struct sharing *s, const char *node, const char *account, const char *value)
{
	size_t ended;
	struct log_line line;

	if (*account == '\0')
		return 0;
	ended = killing_end(s->services, account, parse_reason(value));
	if (ended == 0)
		return 0;
	log_begin(&line, LOG_INFO, "sessions ended as another node was told");
	log_text(&line, "who", account);
	log_number(&line, "sessions", (int64_t)ended);
	log_text(&line, "node", node);
	log_end(&line);
	return 0;
}
