#include "state/end_reason.h"

struct description {
	const char *word;
	uint8_t reply;
};

static const struct description descriptions[END_REASONS] = {
	[END_CLOSED] = {"closed", 0},
	[END_CLIENT_RESET] = {"client_reset", 0},
	[END_TARGET_RESET] = {"target_reset", 0},
	[END_IDLE] = {"idle", 0},
	[END_HALF_CLOSED_IDLE] = {"half_closed_idle", 0},
	[END_UDP_IDLE] = {"udp_idle", 0},
	[END_NOTHING_ASKED] = {"nothing_asked", 1},
	[END_CLIENT_LEFT] = {"client_left", 1},
	[END_HANDSHAKE_TIMEOUT] = {"handshake_timeout", 1},
	[END_MALFORMED] = {"malformed", 1},
	[END_NO_METHOD] = {"no_method", 1},
	[END_LOGIN_REFUSED] = {"login_refused", 1},
	[END_LOGIN_BUSY] = {"login_busy", 1},
	[END_COMMAND_UNSUPPORTED] = {"command_unsupported", 7},
	[END_ATYP_UNSUPPORTED] = {"atyp_unsupported", 8},
	[END_TARGET_DENIED] = {"target_denied", 2},
	[END_NAME_NOT_FOUND] = {"name_not_found", 4},
	[END_NAME_FAILED] = {"name_failed", 4},
	[END_CONNECT_REFUSED] = {"connect_refused", 5},
	[END_HOST_UNREACHABLE] = {"host_unreachable", 4},
	[END_NETWORK_UNREACHABLE] = {"network_unreachable", 3},
	[END_CONNECT_TIMEOUT] = {"connect_timeout", 6},
	[END_CONNECT_FAILED] = {"connect_failed", 1},
	[END_BIND_TIMEOUT] = {"bind_timeout", 6},
	[END_NO_SOCKET] = {"no_socket", 1},
	[END_KILLED] = {"killed", 1},
	[END_STOPPED] = {"stopped", 1},
};

const char *end_reason_word(enum end_reason reason)
{
	return descriptions[reason].word;
}

uint8_t end_reason_reply(enum end_reason reason)
{
	return descriptions[reason].reply;
}
