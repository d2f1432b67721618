/* end_reason: why a session ended, as counters, logs and the replies of all dialects tell it. No
 * state. */
#ifndef STATE_END_REASON_H
#define STATE_END_REASON_H

#include <stdbool.h>

/* The one list of them: the name behind END_, and the word in logs, listings and statistics. */
/* clang-format off */
#define END_REASON_LIST(X) \
	X(CLOSED, "closed") /* both sides finished sending */ \
	X(CLIENT_RESET, "client_reset") /* the client broke the connection off */ \
	X(TARGET_RESET, "target_reset") /* the target did */ \
	X(RELAY_FAILED, "relay_failed") /* the system cannot move its bytes; errno is in the log */ \
	X(IDLE, "idle") /* `timeout` */ \
	X(HALF_CLOSED_IDLE, "half_closed_idle") /* `half_close_timeout` */ \
	X(UDP_IDLE, "udp_idle") /* `udp_timeout` */ \
	X(OWN_PAGE, "own_page") /* it was answered with a page of the server's own, by HTTP */ \
	X(HEALTH_CHECK, "health_check") /* it asked how the server is */ \
	X(NOTHING_ASKED, "nothing_asked") /* before its first byte, as health checks do */ \
	X(CLIENT_LEFT, "client_left") /* before its request was answered */ \
	X(CLIENT_FINISHED, "client_finished") /* it sent no more, and soon got no answer */ \
	X(HANDSHAKE_TIMEOUT, "handshake_timeout") /* `handshake_timeout` */ \
	X(UNKNOWN_PROTOCOL, "unknown_protocol") /* in no dialect that is known */ \
	X(PROTOCOL_OFF, "protocol_off") /* in one that `protocols` leaves out */ \
	X(BAD_PROXY_HEADER, "bad_proxy_header") /* a balancer did not say whom it connects for */ \
	X(TOLD_CLIENT_REFUSED, "told_client_refused") /* it said what cannot be */ \
	X(CLIENT_REFUSED, "client_refused") /* whom it told, by `clients` */ \
	X(CLIENT_OVER_SHARE, "client_over_share") /* whom it told, by `max_sessions_per_client` */ \
	X(MALFORMED, "malformed") /* not as its dialect's RFC says */ \
	X(NO_METHOD, "no_method") /* none of the offered METHODs is acceptable */ \
	X(WRONG_PASSWORD, "wrong_password") /* of a user */ \
	X(LOGIN_REFUSED, "login_refused") /* unknown name, or not checked */ \
	X(LOGIN_BUSY, "login_busy") /* too many logins at once to check this one in time */ \
	X(LOGIN_NO_MEMORY, "login_no_memory") /* none was left to check it */ \
	X(LOGIN_UNANSWERED, "login_unanswered") /* who would know could not be asked */ \
	X(NO_LOGIN_HELPER, "no_login_helper") /* auth_socket is not set, and the user's is there */ \
	X(DISABLED, "disabled") /* an administrator keeps the account out */ \
	X(EXPIRED, "expired") /* the user has expired */ \
	X(CLIENT_NOT_ALLOWED_FOR_USER, "client_not_allowed_for_user") /* `from` of the user */ \
	X(TOO_MANY_SESSIONS, "too_many_sessions") /* of the account, at once */ \
	X(QUOTA_REACHED, "quota_reached") /* of the account */ \
	X(COMMAND_UNSUPPORTED, "command_unsupported") /* CMD */ \
	X(ATYP_UNSUPPORTED, "atyp_unsupported") /* ATYP */ \
	X(SCHEME_UNSUPPORTED, "scheme_unsupported") /* of the URL that HTTP's client asked for */ \
	X(TARGET_DENIED, "target_denied") /* the rules forbid the target */ \
	X(NAME_NOT_FOUND, "name_not_found") /* the name does not exist or has no address */ \
	X(NAME_FAILED, "name_failed") /* the name servers failed or did not answer in time */ \
	X(CONNECT_REFUSED, "connect_refused") \
	X(HOST_UNREACHABLE, "host_unreachable") \
	X(NETWORK_UNREACHABLE, "network_unreachable") \
	X(CONNECT_TIMEOUT, "connect_timeout") /* `connect_timeout`, or the kernel's own */ \
	X(NO_LOCAL_PORT, "no_local_port") /* none is left to connect from */ \
	X(CONNECT_FAILED, "connect_failed") /* anything else; errno is in the log */ \
	X(UPSTREAMS_DOWN, "upstreams_down") /* none that the rule names works */ \
	X(UPSTREAM_DENIED, "upstream_denied") /* an upstream forbids the target */ \
	X(UPSTREAM_FAILED, "upstream_failed") /* it could not, or gave up, and does not say why */ \
	X(BAD_ANSWER, "bad_answer") /* the target's to an HTTP request is none, or broken */ \
	X(BIND_TIMEOUT, "bind_timeout") /* `bind_timeout` */ \
	X(NO_SOCKET, "no_socket") /* none could be opened for BIND or UDP ASSOCIATE */ \
	X(KILLED, "killed") /* by an administrator */ \
	X(RULE_CHANGED, "rule_changed") /* the rules would refuse it by now */ \
	X(BANNED, "banned") /* so was its client */ \
	X(STOPPED, "stopped") /* the server was told to stop */

enum end_reason {
#define END_REASON(name, word) END_##name,
	END_REASON_LIST(END_REASON)
#undef END_REASON
	END_REASONS,
};
/* clang-format on */

/* One word of lower-case letters, digits and underscores. */
const char *end_reason_word(enum end_reason reason);

/* Is it that nothing moved for too long? */
static inline bool end_reason_is_idle(enum end_reason reason)
{
	return reason == END_IDLE || reason == END_HALF_CLOSED_IDLE;
}

#endif
