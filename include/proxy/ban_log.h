/* ban_log: the log's lines about logins that failed and about bans. Each is written at once; no
 * lock. */
#ifndef PROXY_BAN_LOG_H
#define PROXY_BAN_LOG_H

#include <stddef.h>

#include "base/addr.h"
#include "state/bans.h"
#include "state/end_reason.h"

/* A login that was not right. Tools such as fail2ban read this line. */
struct failed_login {
	const struct addr *client;
	const char *door; /* at which it was: one word */
	enum end_reason reason;
	const char *user;
	size_t user_len; /* 0: the name is no user's, and is not told */
};

void ban_log_failed_login(const struct failed_login *login);

void ban_log_begun(const struct ban_info *ban);

/* Because its time was over, or by command. */
void ban_log_ended(const struct ban_info *ban, bool by_command);

#endif
