/*
 * One list beside END_REASON_LIST, by the words of that one. Where the rule that decided makes the
 * answer another one, the row for it stands before the row for all others. How most sessions end
 * comes first, since each is looked for.
 */
#include "state/advice.h"

#include <string.h>

struct advice {
	const char *reason;
	const char *rule; /* what its word begins with; NULL: whatever it is */
	const char *text; /* NULL: no failure */
};

static const struct advice list[] = {
	{"closed", NULL, NULL},
	{"client_reset", NULL, NULL},
	{"target_reset", NULL, NULL},
	{"idle", NULL, NULL},
	{"half_closed_idle", NULL, NULL},
	{"udp_idle", NULL, NULL},
	{"health_check", NULL, NULL},
	{"nothing_asked", NULL, NULL},
	{"own_page", NULL, NULL},
	{"client_finished", NULL, NULL},
	{"stopped", NULL, NULL},
	{"relay_failed", NULL,
		"the system would not move the session's bytes: error: and the log say why; "
		"memory for sockets (net.ipv4.tcp_mem) and open files (ulimit -n) are what "
		"usually lacks"},
	{"client_left", NULL,
		"the program gave up before it was answered: its own timeout is shorter than the "
		"lookup and the connection took; see name servers (dns_servers) and connect_timeout"},
	{"handshake_timeout", NULL,
		"the program connected and did not finish its request within handshake_timeout: "
		"it may speak another protocol or be behind a slow line; CONFIG handshake_timeout "
		"30s gives it more time"},
	{"unknown_protocol", NULL,
		"the program spoke something that is not served here (the log says guess=): set "
		"its proxy type to SOCKS5, in a URL socks5h://"},
	{"protocol_off", NULL,
		"the program spoke what the setting protocols leaves out (the log says guess=): "
		"set its proxy type to another one, or CONFIG protocols with that word lets it in"},
	{"bad_proxy_header", NULL,
		"a connection from a network of proxy_protocol_from did not begin with a header of "
		"the PROXY protocol (the log says guess=): switch it on at the balancer "
		"(send-proxy, send-proxy-v2, proxy_protocol on), or take the network out"},
	{"told_client_refused", NULL,
		"the balancer told a client address that cannot be one of another host (loopback, "
		"unspecified, multicast, or this host's own): clients on the balancer itself or on "
		"this host must connect without it"},
	{"client_refused", NULL,
		"the client is none of those that may connect: the setting clients says who may"},
	{"client_over_share", NULL,
		"the client had as many sessions as one address may have: CONFIG "
		"max_sessions_per_client allows more, client_limits fewer for some"},
	{"malformed", NULL,
		"what the program sent is not as RFC 1928 says, or RFC 9112 of HTTP: update it, or try "
		"curl --proxy socks5h:// from the same device to see whether it is to blame"},
	{"no_method", NULL,
		"the program offered no way to log in that is accepted here: it must be given name "
		"and password (as SOCKS5: SOCKS4 has none), or CONFIG auth optional lets it in "
		"without"},
	{"wrong_password", NULL,
		"the password was not that of this user: correct it in the program, or give the "
		"user another one with SET_PASSWORD"},
	{"login_refused", NULL,
		"no user has the name that the program gave (or too many wrong passwords came from "
		"its address): ACCOUNTS lists the users, ADD_USER makes one"},
	{"login_busy", NULL,
		"too many logins at once to check this one in time: CONFIG max_password_checks "
		"allows more at once (of those that a helper knows: max_auth_questions), cheaper "
		"hashes in the users file take less time"},
	{"login_no_memory", NULL,
		"there was no memory to check the password: give the server more, or lower "
		"max_password_checks"},
	{"login_unanswered", NULL,
		"the helper at auth_socket could not be reached, or could not say whether the "
		"password is right (see systemctl status socks5d_auth, and whether its directory "
		"answers); or servers share the user, and what shared names has not answered for "
		"longer than shared_grace: ALARMS and the log tell which"},
	{"no_login_helper", NULL,
		"the users file says helper in place of this user's password, and auth_socket is "
		"not set: set it and restart, or give the user a password (DEL_USER, ADD_USER)"},
	{"command_unsupported", NULL,
		"the program asked for a command that SOCKS5 does not have (CONNECT, BIND and UDP "
		"ASSOCIATE are served): update or replace it; or the upstream that the rule names "
		"(rule:) does not have it, as only socks5 ones have BIND"},
	{"atyp_unsupported", NULL,
		"the program sent a kind of address that SOCKS5 does not have: update or replace it; or "
		"the upstream that the rule names (rule:) cannot take it, as socks4a takes no IPv6"},
	{"scheme_unsupported", NULL,
		"the program asked the proxy to fetch a URL that is not http://, where an HTTP "
		"proxy is asked for a tunnel with CONNECT: a setting of the program, or a SOCKS "
		"proxy in its place, makes it do so"},
	{"target_denied", "protect:",
		"the place is protected: a rule that names it opens it, as rule = allow from "
		"CLIENT to ADDRESS, or take its word out of protect"},
	{"target_denied", "otherwise",
		"no rule allows it now, and otherwise = deny: EXPLAIN tells why each does not match, "
		"as when its hours are over, and when that changes; or add a rule = allow ... that "
		"fits the user, the client and the target"},
	{"target_denied", "t",
		"a rule that an administrator gave for a time denies it: RULES shows it and how "
		"long it stays"},
	{"target_denied", "own",
		"it is the proxy's own listener, which is never reached through it: ask for that "
		"host without the proxy"},
	{"target_denied", "unspecified",
		"the program asked for 0.0.0.0 or ::, which is no host: its setting for the target "
		"is wrong"},
	{"target_denied", "no_port",
		"the program asked for port 0, which is none: its setting for the target's port is "
		"wrong"},
	{"target_denied", NULL,
		"a rule denies it (rule: says which): take that rule away, or put one that allows "
		"this user, client and target above it, then RELOAD"},
	{"name_not_found", NULL,
		"the name does not exist or has no address of a kind that is used: check its "
		"spelling and CONFIG dns_servers; socks5d --doctor tries the name servers"},
	{"name_failed", NULL,
		"the name servers failed or kept silent: check dns_servers or /etc/resolv.conf; "
		"socks5d --doctor tries each"},
	{"connect_refused", NULL,
		"the target's host is there and nothing listens at that port: check the port, and "
		"whether the service runs"},
	{"host_unreachable", NULL,
		"no way leads to that host, or it does not answer there: check that it is up and "
		"the routes of this host (ip route get ADDRESS)"},
	{"network_unreachable", NULL,
		"this host has no route there: for IPv6 without IPv6 out set prefer = ipv4-only, "
		"else see ip route; where error: is ENODEV or EADDRNOTAVAIL, external_interface or "
		"external_address is not there"},
	{"connect_timeout", NULL,
		"the target did not answer within connect_timeout: a firewall drops packets, or "
		"the host is down; CONFIG connect_timeout allows more time"},
	{"no_local_port", NULL,
		"no port was left to connect from: widen the sysctl net.ipv4.ip_local_port_range"},
	{"connect_failed", NULL,
		"the system could not connect: error: says why; EPERM and EACCES point at this "
		"host's firewall"},
	{"upstreams_down", NULL,
		"none of the upstreams that the rule (rule:) names works: STATS and the log say "
		"what each one's fault is; \", direct\" behind the names lets such requests go "
		"straight meanwhile"},
	{"upstream_denied", NULL,
		"the upstream, whose name is in the log, does not allow this target: ask who runs "
		"it, or send the target another way by a rule above"},
	{"upstream_failed", NULL,
		"the upstream, whose name is in the log, could not connect to the target and does "
		"not say why: try the target from there"},
	{"bad_answer", NULL,
		"what the target sent to an HTTP request is no HTTP answer, or it closed before "
		"one was whole: try it without the proxy; where the port speaks another protocol, "
		"TLS perhaps, the URL is wrong"},
	{"bind_timeout", NULL,
		"nobody connected to the port that BIND opened within bind_timeout: the other side "
		"must reach this host (firewall, NAT), or CONFIG bind_timeout allows more time"},
	{"no_socket", NULL,
		"no socket could be opened for BIND or UDP ASSOCIATE: more open files (ulimit -n) "
		"or fewer max_sessions leave room; error: says more"},
	{"killed", NULL,
		"an administrator ended it with KILL, KILL_USER or DEL_USER: the log has a line "
		"msg=\"monitor command\" that says who"},
	{"rule_changed", "t",
		"a rule that an administrator gave for a time denies it by now: RULES shows it and "
		"how long it stays"},
	{"rule_changed", "otherwise",
		"the rule that allowed it holds no more, its time being over or another "
		"configuration in force, and otherwise = deny: RULES shows the rules and their "
		"times, recheck = no lets such sessions finish"},
	{"rule_changed", "protect:",
		"the rule that opened this protected place holds no more: RULES shows the rules "
		"and their times, recheck = no lets such sessions finish"},
	{"rule_changed", NULL,
		"a rule denies it by now (rule: says which), as its time has come or the "
		"configuration is another: RULES shows it, recheck = no lets such sessions finish"},
	{"too_many_sessions", NULL,
		"the account had as many sessions as it may have at once: LIMITS shows it, and "
		"raises it with sessions=N"},
	{"quota_reached", NULL,
		"the account has used up its quota: QUOTA adds to it or begins it anew, LIMITS "
		"changes it, over=slow:RATE would slow it down instead"},
	{"disabled", NULL, "the account is disabled: ENABLE lets it in again"},
	{"expired", NULL,
		"the user has expired: LIMITS with expires=DATE gives another date, expires=none "
		"takes it away"},
	{"client_not_allowed_for_user", NULL,
		"the user may not come from this address: LIMITS with from=NETS says from where"},
	{"banned", NULL,
		"the address is banned for failed logins or by an administrator: UNBAN lets it in "
		"again, ban_exempt spares it from now on"},
};

/* NULL: none is said. */
static const struct advice *row_of(enum end_reason reason, const char *rule)
{
	const char *word = end_reason_word(reason);

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct advice *a = &list[i];

		if (strcmp(a->reason, word) == 0 &&
			(a->rule == NULL || strncmp(a->rule, rule, strlen(a->rule)) == 0))
			return a;
	}
	return NULL;
}

bool advice_is_failure(enum end_reason reason)
{
	return advice_find(reason, "") != NULL;
}

const char *advice_find(enum end_reason reason, const char *rule)
{
	const struct advice *a = row_of(reason, rule == NULL ? "" : rule);

	return a == NULL ? NULL : a->text;
}
