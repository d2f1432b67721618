#include "state/end_reason.h"

static const char *const words[END_REASONS] = {
	[END_CLOSED] = "closed",
	[END_CLIENT_RESET] = "client_reset",
	[END_TARGET_RESET] = "target_reset",
	[END_IDLE] = "idle",
	[END_HALF_CLOSED_IDLE] = "half_closed_idle",
	[END_UDP_IDLE] = "udp_idle",
	[END_NOTHING_ASKED] = "nothing_asked",
	[END_CLIENT_LEFT] = "client_left",
	[END_HANDSHAKE_TIMEOUT] = "handshake_timeout",
	[END_MALFORMED] = "malformed",
	[END_NO_METHOD] = "no_method",
	[END_LOGIN_REFUSED] = "login_refused",
	[END_LOGIN_BUSY] = "login_busy",
	[END_COMMAND_UNSUPPORTED] = "command_unsupported",
	[END_ATYP_UNSUPPORTED] = "atyp_unsupported",
	[END_TARGET_DENIED] = "target_denied",
	[END_NAME_NOT_FOUND] = "name_not_found",
	[END_NAME_FAILED] = "name_failed",
	[END_CONNECT_REFUSED] = "connect_refused",
	[END_HOST_UNREACHABLE] = "host_unreachable",
	[END_NETWORK_UNREACHABLE] = "network_unreachable",
	[END_CONNECT_TIMEOUT] = "connect_timeout",
	[END_CONNECT_FAILED] = "connect_failed",
	[END_BIND_TIMEOUT] = "bind_timeout",
	[END_NO_SOCKET] = "no_socket",
	[END_KILLED] = "killed",
	[END_STOPPED] = "stopped",
};

const char *end_reason_word(enum end_reason reason)
{
	return words[reason];
}
