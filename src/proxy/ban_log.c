/*
 * The lines are in one place because programs read them: what client, door and reason look like is
 * a promise. They are put together on the stack, since a session's memory for a line is in use
 * while it is served; that much of the stack is touched by these lines only.
 */
#include "proxy/ban_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"

void ban_log_failed_login(const struct failed_login *login)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_INFO, "login failed");
	log_text(&line, "client", addr_format(login->client, text));
	log_text(&line, "door", login->door);
	log_text(&line, "reason", end_reason_word(login->reason));
	if (login->user_len > 0)
		log_bytes(&line, "user", login->user, login->user_len);
	log_end(&line);
}

void ban_log_begun(const struct ban_info *ban)
{
	char client[NETWORK_TEXT_MAX], lasts[32];
	struct log_line line;

	log_begin(&line, LOG_WARN, "ban begun");
	log_text(&line, "client", network_format(&ban->client, client));
	log_text(&line, "by", ban_cause_word(ban->by));
	if (ban->by == BAN_BY_FAILURES)
		log_number(&line, "failures", ban->failures);
	log_text(&line, "lasts",
		ban->lasts == CLOCK_NEVER ? "for_good" : parse_format_duration(ban->lasts, lasts));
	log_end(&line);
}

void ban_log_ended(const struct ban_info *ban, bool by_command)
{
	char client[NETWORK_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_INFO, "ban ended");
	log_text(&line, "client", network_format(&ban->client, client));
	log_text(&line, "why", by_command ? "command" : "time");
	log_number(&line, "refused", (int64_t)ban->refused);
	log_end(&line);
}
