/* end_reason: why a session ended, as counters, logs and the replies of all dialects tell it. No
 * state. */
#ifndef STATE_END_REASON_H
#define STATE_END_REASON_H

enum end_reason {
	END_CLOSED, /* both sides finished sending */
	END_CLIENT_RESET, /* the client broke the connection off */
	END_TARGET_RESET, /* the target did */
	END_IDLE, /* `timeout` */
	END_HALF_CLOSED_IDLE, /* `half_close_timeout` */
	END_UDP_IDLE, /* `udp_timeout` */
	END_NOTHING_ASKED, /* the client left before its first byte, as health checks do */
	END_CLIENT_LEFT, /* the client left before its request was answered */
	END_HANDSHAKE_TIMEOUT, /* `handshake_timeout` */
	END_MALFORMED, /* in no dialect that is known, or not as its RFC says */
	END_NO_METHOD, /* none of the offered METHODs is acceptable */
	END_LOGIN_REFUSED, /* unknown name or wrong password */
	END_LOGIN_BUSY, /* too many logins at once */
	END_COMMAND_UNSUPPORTED, /* CMD */
	END_ATYP_UNSUPPORTED, /* ATYP */
	END_TARGET_DENIED, /* the rules forbid the target */
	END_NAME_NOT_FOUND, /* the name does not exist or has no address */
	END_NAME_FAILED, /* the name servers failed or did not answer in time */
	END_CONNECT_REFUSED,
	END_HOST_UNREACHABLE,
	END_NETWORK_UNREACHABLE,
	END_CONNECT_TIMEOUT, /* `connect_timeout`, or the kernel's own patience */
	END_CONNECT_FAILED, /* anything else; errno is in the log */
	END_BIND_TIMEOUT, /* `bind_timeout` */
	END_NO_SOCKET, /* none could be opened for BIND or UDP ASSOCIATE */
	END_KILLED, /* by an administrator */
	END_STOPPED, /* the server was told to stop */
	END_REASONS,
};

/* One lower-case word with underscores. */
const char *end_reason_word(enum end_reason reason);

#endif
