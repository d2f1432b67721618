/*
 * The table says all that is said of a setting, and says it once: how values are read and written
 * is its type's doing (setting_types.h), and what the file, the flags, the help and the documents
 * have to know is in its row. The order is the one in which people read of them.
 */
#include "state/settings.h"

#include <net/if.h>
#include <string.h>

#include "base/log.h"
#include "net/local.h"
#include "net/resolver.h"
#include "state/rule.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct setting_word auth_words[] = {{"auto", AUTH_AUTO}, {"required", AUTH_REQUIRED},
	{"optional", AUTH_OPTIONAL}, {"none", AUTH_NONE}, {NULL, 0}};
static const struct setting_word level_words[] = {{"error", LOG_ERROR}, {"warn", LOG_WARN},
	{"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0}};
static const struct setting_word relay_words[] = {
	{"auto", RELAY_AUTO}, {"copy", RELAY_COPY}, {"splice", RELAY_SPLICE}, {NULL, 0}};
static const struct setting_word format_words[] = {
	{"text", LOG_TEXT}, {"json", LOG_JSON}, {NULL, 0}};
static const struct setting_word prefer_words[] = {{"ipv6", PREFER_IPV6}, {"ipv4", PREFER_IPV4},
	{"ipv4-only", PREFER_IPV4_ONLY}, {"ipv6-only", PREFER_IPV6_ONLY}, {NULL, 0}};
static const struct setting_word filter_words[] = {{"address", UDP_FILTER_ADDRESS},
	{"address-port", UDP_FILTER_ADDRESS_PORT}, {"none", UDP_FILTER_NONE}, {NULL, 0}};
static const struct setting_word recheck_words[] = {
	{"time", RECHECK_TIME}, {"all", RECHECK_ALL}, {"no", RECHECK_NO}, {NULL, 0}};
static const struct setting_word fallback_words[] = {
	{"none", PAC_FALLBACK_NONE}, {"direct", PAC_FALLBACK_DIRECT}, {NULL, 0}};
static const struct setting_word protocol_words[] = {{"socks5", PROTOCOL_SOCKS5},
	{"socks4", PROTOCOL_SOCKS4}, {"http", PROTOCOL_HTTP}, {NULL, 0}};
static const struct setting_word sandbox_words[] = {
	{"on", SANDBOX_ON}, {"off", SANDBOX_OFF}, {"required", SANDBOX_REQUIRED}, {NULL, 0}};
static const struct setting_word no_yes_words[] = {{"no", 0}, {"yes", 1}, {NULL, 0}};

static const struct setting_word otherwise_words[] = {
	{"allow", RULE_ALLOW}, {"deny", RULE_DENY}, {NULL, 0}};

/* Where there is no number as well: as many as fit. */
static const struct setting_word auto_words[] = {{"auto", 0}, {NULL, 0}};
static const struct setting_word per_client_words[] = {
	{"auto", SESSIONS_PER_CLIENT_AUTO}, {"none", SESSIONS_PER_CLIENT_NONE}, {NULL, 0}};

/* The name of a network interface, as the kernel takes it, or nothing. */
static bool is_interface_name(const char *text)
{
	return strlen(text) < IF_NAMESIZE && strpbrk(text, "/ \t:") == NULL;
}

#define NODE_WORD_LEGAL "1 to 30 letters, digits, dots, dashes and underscores"

static bool is_node_word_or_none(const char *text)
{
	return strlen(text) <= 30 &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		strlen(text);
}

static bool is_node_word(const char *text)
{
	return *text != '\0' && is_node_word_or_none(text);
}

#define AT(TYPE, field) SETTING_##TYPE(struct settings, field)

const struct setting settings_table[] = {
	{.name = "listen",
		.flag = 'l',
		AT(ADDRESSES, listen),
		.initial = "0.0.0.0",
		.most = SETTINGS_MAX_LISTEN,
		.reloadable = true,
		.effects = EFFECT_LISTENERS,
		.value_name = "ADDR",
		.help = "Address to serve on, with or without a port (192.168.1.1, [::]:1080). "
			"Repeat it to serve on several; IPv6 addresses serve IPv6 only, and "
			"link-local ones need their interface (fe80::a%eth0)."},
	{.name = "port",
		.flag = 'p',
		AT(NUMBER, port),
		.initial = "1080",
		.least = 0,
		.most = 65535,
		.reloadable = true,
		.effects = EFFECT_LISTENERS,
		.value_name = "PORT",
		.help = "Port of the listen addresses that name none; 0 lets the kernel choose."},
	{.name = "protocols",
		AT(WORD_SET, protocols),
		.initial = "socks5, socks4, http",
		.words = protocol_words,
		.reloadable = true,
		.value_name = "LIST",
		.help = "What clients may speak, at each of the listen addresses: socks5, socks4 "
			"(4a, too) and http. Who speaks another one of these is closed, and a browser "
			"is told why."},
	{.name = "http_via",
		AT(CHOICE, http_via),
		.initial = "no",
		.words = no_yes_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "yes: servers of plain HTTP requests are told by a field Via that there is "
			"a proxy between, and clients likewise. no: nobody is."},
	{.name = "monitor_listen",
		.flag = 'L',
		AT(ADDRESS, monitor_listen),
		.initial = "127.0.0.1",
		.most = 1,
		.reloadable = true,
		.effects = EFFECT_LISTENERS,
		.value_name = "ADDR",
		.help = "Address that the monitor is served on, for monitor_client. No client of "
			"the proxy is connected to it."},
	{.name = "monitor_port",
		.flag = 'P',
		AT(NUMBER, monitor_port),
		.initial = "8080",
		.least = 0,
		.most = 65535,
		.reloadable = true,
		.effects = EFFECT_LISTENERS,
		.value_name = "PORT",
		.help = "Port of the monitor; 0 lets the kernel choose."},
	{.name = "monitor_socket",
		AT(TEXT, monitor_socket),
		.initial = "",
		.valid = local_path_fits,
		.legal = "a path of at most 107 bytes",
		.value_name = "PATH",
		.help = "Unix socket that the monitor is served on as well, at which root and the "
			"user that the server runs as are administrators without a login; others "
			"log in, and have to be of the file's group. Eight at once, beside those "
			"of max_monitor_clients. Empty: none."},
	{.name = "max_monitor_clients",
		AT(NUMBER, max_monitor_clients),
		.initial = "16",
		.least = 1,
		.most = 256,
		.value_name = "N",
		.help = "Connections to the monitor at once. When all are taken, the next one "
			"takes the place of one without a login, the newest of the address that "
			"has most of them, or is turned away."},
	{.name = "monitor_login_timeout",
		AT(DURATION, monitor_login_timeout),
		.initial = "30s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time to log in to the monitor."},
	{.name = "monitor_timeout",
		AT(DURATION, monitor_timeout),
		.initial = "10m",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "A connection to the monitor ends when for this time no command came, or "
			"no byte of an answer could be sent."},
	{.name = "web_listen",
		AT(ADDRESS_OR_NONE, web_listen),
		.initial = "",
		.most = 1,
		.reloadable = true,
		.effects = EFFECT_LISTENERS | EFFECT_WEB,
		.value_name = "ADDR",
		.help = "Address that administrators' browsers are served on, 127.0.0.1 say, with "
			"or without a port; without one it is 8081. No client of the proxy is "
			"connected to it. Empty: none is."},
	{.name = "max_web_clients",
		AT(NUMBER, max_web_clients),
		.initial = "64",
		.least = 1,
		.most = 1024,
		.value_name = "N",
		.help = "Connections of browsers and programs to web_listen at once, of which an "
			"address has eight at most, unless it is this host or one of web_trusted. "
			"When all are taken, the next one takes the place of one that has been "
			"waiting for its client, or is turned away."},
	{.name = "web_trusted",
		AT(NETWORKS, web_trusted),
		.initial = "",
		.reloadable = true,
		.effects = EFFECT_WEB,
		.value_name = "LIST",
		.help = "Networks of web servers that pass browsers on to web_listen. The last "
			"address of X-Forwarded-For is the client then, and X-Forwarded-Proto: https "
			"says that it came by TLS. They are believed: name such servers only."},
	{.name = "web_names",
		AT(PROXY_NAMES, web_names),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Names by which browsers reach web_listen, such as monitor.example.org, "
			"beside addresses and localhost. Who asks for any other one is refused: a "
			"page of somebody else's can give its own name this server's address."},
	{.name = "metrics_from",
		AT(EXEMPT, metrics_from),
		.initial = "loopback",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Who gets /metrics of web_listen without a login: loopback, networks such "
			"as 192.0.2.0/24, or none. Everybody else logs in there as an "
			"administrator, and so does whoever comes by another web server that is "
			"not one of web_trusted, as X-Forwarded-For, Forwarded and Via tell."},
	{.name = "metrics_accounts",
		AT(CHOICE, metrics_accounts),
		.initial = "no",
		.words = no_yes_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "yes: /metrics also tells of each user and client address what it moves "
			"and how many sessions it has: of those that have moved most, as many as "
			"are a thousand series. Whoever reads the metrics then sees who uses the "
			"proxy, and how much, for as long as the figures are kept there."},
	{.name = "max_sessions",
		AT(NUMBER, max_sessions),
		.initial = "auto",
		.words = auto_words,
		.least = 1,
		.most = 100000,
		.value_name = "N",
		.help = "Sessions that run at once, a thread each, all made at start. auto: as "
			"many as a 64th of the memory carries, 512 at least and 10000 at most, "
			"but no more than an eighth of it does. Limits on files, threads and "
			"memory lower either."},
	{.name = "max_sessions_per_client",
		AT(NUMBER, max_sessions_per_client),
		.initial = "auto",
		.words = per_client_words,
		.least = 1,
		.most = 100000,
		.reloadable = true,
		.value_name = "N",
		.help = "Sessions at once of one client address, or of one /64 network of IPv6; "
			"its further connections are closed. none: no bound. auto: none either, "
			"but while several clients are there the last 64th of all sessions is "
			"kept from those that have more than a quarter."},
	{.name = "backlog",
		AT(NUMBER, backlog),
		.initial = "4096",
		.least = 1,
		.most = 65535,
		.reloadable = true,
		.value_name = "N",
		.help = "Connections that the kernel keeps waiting while all sessions are taken; "
			"listeners opened later follow a change."},
	{.name = "handshake_timeout",
		AT(DURATION, handshake_timeout),
		.initial = "15s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.effects = EFFECT_LOGIN_HELPER,
		.value_name = "TIME",
		.help = "Time for greeting, login and request together."},
	{.name = "connect_timeout",
		AT(DURATION, connect_timeout),
		.initial = "30s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time for the name lookup and all connection attempts together."},
	{.name = "timeout",
		AT(DURATION, timeout),
		.initial = "1h",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "A session ends when for this time no byte went either way. Live sessions "
			"follow a change."},
	{.name = "half_close_timeout",
		AT(DURATION, half_close_timeout),
		.initial = "10m",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "The same once one side has finished sending and the other has not."},
	{.name = "drain_timeout",
		AT(DURATION, drain_timeout),
		.initial = "8s",
		.least = 0,
		.most = 1 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time that live sessions get to finish when the server is told to stop."},
	{.name = "relay",
		AT(CHOICE, relay),
		.initial = "auto",
		.words = relay_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "auto: a direction that proves to be bulk is spliced by the kernel instead "
			"of copied. copy, splice: always so, for tests and measurements."},
	{.name = "rate_total",
		AT(RATE, rate_total),
		.initial = "none",
		.reloadable = true,
		.value_name = "RATE",
		.help = "What all sessions together may move, in a second and to clients, such as "
			"100Mbit, with another rate from clients behind a /. The unit is kbit, "
			"Mbit, Gbit, kB, MB or GB. Users, and addresses without a login, share it "
			"fairly, however many sessions each of them has. none: no bound."},
	{.name = "group_rate",
		AT(GROUP_RATES, group_rates),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "What all members of a group together may move, shared fairly among them, "
			"such as @pupils 50Mbit, a line a group. The group is one of users or of "
			"clients. Empty: no bound."},
	{.name = "external_address",
		AT(HOSTS, external_address),
		.initial = "",
		.reloadable = true,
		.effects = EFFECT_OUTGOING,
		.value_name = "ADDR",
		.help = "Address of this host from which targets are connected to and sent to, one "
			"for IPv4 and one for IPv6; where none is set the kernel chooses."},
	{.name = "external_interface",
		AT(TEXT, external_interface),
		.initial = "",
		.valid = is_interface_name,
		.legal = "the name of a network interface, such as eth0",
		.reloadable = true,
		.effects = EFFECT_OUTGOING,
		.value_name = "NAME",
		.help = "Network interface through which targets are reached; empty: whichever the "
			"routes say."},
	{.name = "prefer",
		AT(CHOICE, prefer),
		.initial = "ipv6",
		.words = prefer_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "Family of addresses that is tried first where a name has both, or that "
			"alone is used."},
	{.name = "udp_address",
		AT(HOSTS, udp_address),
		.initial = "",
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address that clients of UDP ASSOCIATE send to, one for IPv4 and one for "
			"IPv6; one that is not this host's own, but of the NAT in front of it, is "
			"only told. Empty: the one that they, or a balancer, reached it by."},
	{.name = "udp_ports",
		AT(PORTS, udp_ports),
		.initial = "any",
		.reloadable = true,
		.value_name = "RANGE",
		.help = "Ports that clients of UDP ASSOCIATE send to, one a client."},
	{.name = "udp_clients",
		AT(NETWORKS, udp_clients),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Networks from which a client of UDP ASSOCIATE may send besides the address "
			"of its TCP connection, where NAT makes two of one (containers). Of all "
			"who may, the first to send to an association's port has it: name no more "
			"than you need."},
	{.name = "udp_filter",
		AT(CHOICE, udp_filter),
		.initial = "address",
		.words = filter_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "Whose datagrams get through to a client of UDP ASSOCIATE. address: those "
			"from addresses that it has sent to. address-port: those from the very "
			"ports too. none: all."},
	{.name = "udp_timeout",
		AT(DURATION, udp_timeout),
		.initial = "1h",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "An association (UDP ASSOCIATE) ends when for this time no datagram went "
			"either way. Live ones follow a change from their next datagram on."},
	{.name = "bind_address",
		AT(HOSTS, bind_address),
		.initial = "",
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address that BIND listens on and that clients are told, one for IPv4 and "
			"one for IPv6; one that is not this host's own, but of the NAT in front of "
			"it, is only told. Empty: the one from which the peer is reached."},
	{.name = "bind_ports",
		AT(PORTS, bind_ports),
		.initial = "any",
		.reloadable = true,
		.value_name = "RANGE",
		.help = "Ports that BIND listens on, one a client."},
	{.name = "bind_timeout",
		AT(DURATION, bind_timeout),
		.initial = "2m",
		.least = 100,
		.most = 1 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time that BIND waits for the peer's connection."},
	{.name = "bind_any_peer",
		AT(CHOICE, bind_any_peer),
		.initial = "no",
		.words = no_yes_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "no: BIND takes a connection from the address only that the client named, "
			"unless that was 0.0.0.0 or ::. yes: from any."},
	{.name = "setup_page",
		AT(CHOICE, setup_page),
		.initial = "yes",
		.words = no_yes_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "yes: a browser that is pointed at the proxy's own port, http://ADDR:PORT/, "
			"gets a page that tells how to set up devices and programs, without a "
			"login. no: it gets none; proxy.pac, wpad.dat and healthz stay."},
	{.name = "proxy_name",
		AT(PROXY_NAMES, proxy_name),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Names by which the proxy itself is meant, such as proxy.example.org: who "
			"asks for them gets the pages, and these tell the name instead of an "
			"address. Where NAT is in front of this host name the address, too, by "
			"which clients reach it. Empty: none."},
	{.name = "pac_direct",
		AT(DIRECT, pac_direct),
		.initial = "private, plain, .localhost, .local, .lan, .home.arpa",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Where browsers that take their settings from proxy.pac or wpad.dat go "
			"without the proxy: private (loopback, private, link-local and unique-local "
			"addresses), plain (names without a dot), names such as www.example.org or "
			".example.org with all below, networks such as 203.0.113.0/24. Networks are "
			"for URLs with an address in them only, since no browser is to look up "
			"every name. none: nowhere."},
	{.name = "pac_fallback",
		AT(CHOICE, pac_fallback),
		.initial = "none",
		.words = fallback_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "What these browsers do that cannot reach the proxy. none: they say so. "
			"direct: they go without it, past all rules and limits."},
	{.name = "clients",
		AT(CLIENTS, clients),
		.initial = "auto",
		.reloadable = true,
		.effects = EFFECT_DOOR,
		.value_name = "LIST",
		.help = "Who may connect: any, private (loopback, private, link-local and "
			"unique-local addresses), networks such as 203.0.113.0/24, or several of "
			"these. auto: private while nobody has to log in, else any."},
	{.name = "proxy_protocol_from",
		AT(NETWORKS, proxy_protocol_from),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Networks of load balancers, such as HAProxy, that connect for clients. "
			"Each connection from there has to begin with a header of the PROXY "
			"protocol, version 1 or 2, and the client that it tells is whom bans, "
			"clients, rules, limits and logs see. It is believed: name balancers only. "
			"From elsewhere such a header is refused."},
	{.name = "rule",
		AT(RULES, rules),
		.initial = "",
		.reloadable = true,
		.effects = EFFECT_RULES,
		.value_name = "RULE",
		.help = "allow, deny or via NAME, and then from, user, to, port, command and time, each with "
			"values separated by commas: deny to .example.org, file:/etc/socks5d/blocked "
			"time mon-fri 08:00-18:00. A line a rule; the first that matches a request "
			"decides. RULES in socks5d(8) has all of it."},
	{.name = "otherwise",
		AT(CHOICE, otherwise),
		.initial = "allow",
		.words = otherwise_words,
		.reloadable = true,
		.effects = EFFECT_RULES,
		.value_name = "WORD",
		.help = "What is done with requests that no rule matches: allow or deny."},
	{.name = "protect",
		AT(PROTECTED, protect),
		.initial = "loopback, link-local, metadata, multicast",
		.reloadable = true,
		.effects = EFFECT_RULES,
		.value_name = "LIST",
		.help = "Places that no client gets to unless a rule allows it and names them: "
			"loopback (for clients that are not on loopback themselves), link-local, "
			"metadata (of clouds), multicast, private, own (this host's addresses), "
			"rebinding (a public-looking name that comes to a private address). none: "
			"none of them."},
	{.name = "client_group",
		AT(CLIENT_GROUPS, client_groups),
		.initial = "",
		.reloadable = true,
		.effects = EFFECT_RULES,
		.value_name = "GROUP",
		.help = "A name for some clients, for rules and limits: @room12 192.168.12.0/24, "
			"192.168.13.5. A line a group."},
	{.name = "expect",
		AT(EXPECTATIONS, expect),
		.initial = "",
		.reloadable = true,
		.value_name = "WHAT",
		.help = "What the rules and what is protected are to say of a request: deny or "
			"allow, from=ADDR, user=NAME unless it is one without a login, "
			"to=HOST:PORT or to=NAME@ADDR:PORT with the address that the name is to "
			"have, command=udp or bind, and time=\"tue 09:30\" unless it is to hold at "
			"all times. Repeat it for several. -n and each reload refuse a configuration "
			"in which one does not hold."},
	{.name = "recheck",
		AT(CHOICE, recheck),
		.initial = "time",
		.words = recheck_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "When live sessions that the rules would refuse by now end: time: when a "
			"rule's time begins or is over, and when a temporary rule does; all: at "
			"reloads and other changes, too; no: never."},
	{.name = "upstream",
		AT(UPSTREAMS, upstreams),
		.initial = "",
		.reloadable = true,
		.is_files = true,
		.effects = EFFECT_UPSTREAMS | EFFECT_RULES,
		.value_name = "LINE",
		.help = "A proxy through which rules send requests (via NAME): its name and its "
			"URL, or several, of which the first that works is taken: office "
			"socks5://10.0.0.1:1080, http://NAME:PASSWORD@10.0.0.2:3128. socks5, "
			"socks4a and http; password_file=PATH behind a URL names a file with the "
			"password. A line an upstream. UPSTREAMS in socks5d(8) has all of it."},
	{.name = "auth",
		AT(CHOICE, auth),
		.initial = "auto",
		.words = auth_words,
		.reloadable = true,
		.effects = EFFECT_DOOR,
		.value_name = "WORD",
		.help = "auto: login is required where users_file is set, also while there is "
			"nobody in it, or auth_socket, or shared_users, or where users are given with -u; that is decided at start "
			"and reload, and a user who is added later does not change it. required: "
			"always. optional: who logs in rightly is served as that user, all others "
			"as Anonymous. none: users are for the monitor, and everybody is Anonymous."},
	{.name = "users_file",
		.flag = 'U',
		AT(TEXT, users_file),
		.initial = "",
		.value_name = "FILE",
		.help = "File of users, NAME:HASH:ROLE a line (HASH as crypt(3), mkpasswd and "
			"htpasswd "
			"-B make it, or helper: whose password auth_socket knows; ROLE user or "
			"admin). Users given with -u are saved to it. "
			"One that is missing has no users, and is made when the first is saved."},
	{.name = "max_password_checks",
		AT(NUMBER, max_password_checks),
		.initial = "auto",
		.words = auto_words,
		.least = 1,
		.most = SETTINGS_MOST_PASSWORD_CHECKS,
		.reloadable = true,
		.effects = EFFECT_PASSWORD_CHECKS,
		.value_name = "N",
		.help = "Slow password hashes computed at once; logins beyond that wait, and "
			"addresses take turns. A password that was right once is checked without. "
			"auto: one for each processor that the server may use, as long as a 16th of "
			"the memory holds them, 16 MB each."},
	{.name = "auth_socket",
		AT(TEXT, auth_socket),
		.initial = "",
		.valid = local_path_fits,
		.legal = "a path of at most 107 bytes",
		.value_name = "PATH",
		.help = "Unix socket of socks5d_auth, which asks a helper program whether a login is "
			"right (LDAP, PAM, RADIUS and what else there are helpers for): of each "
			"name that users_file has no password of. With auth = auto a login is "
			"required then. Another one takes a restart. Empty: nobody is asked."},
	{.name = "auth_cache",
		AT(DURATION, auth_cache),
		.initial = "10m",
		.least = 0,
		.most = DAY,
		.reloadable = true,
		.effects = EFFECT_LOGIN_HELPER,
		.value_name = "TIME",
		.help = "A login that auth_socket called right is not asked about again for this "
			"time; 0: each is. A wrong one is not for 10 s. What is remembered goes "
			"with each reload, and of a user with DEL_USER, DISABLE and FORGET."},
	{.name = "max_auth_questions",
		AT(NUMBER, max_auth_questions),
		.initial = "16",
		.least = 1,
		.most = 1024,
		.reloadable = true,
		.effects = EFFECT_LOGIN_HELPER,
		.value_name = "N",
		.help = "Logins that auth_socket is asked about at once; others wait, and addresses "
			"take turns. As many as its helpers answer at once (--children, times "
			"--concurrency), for it knows no turns. A login that is remembered is not "
			"asked about."},
	{.name = "user_defaults",
		AT(LIMITS, user_defaults),
		.initial = "",
		.most = LIMITS_OF_USERS,
		.reloadable = true,
		.value_name = "LIMITS",
		.help = "What holds for each user, as far as neither the users file nor a group "
			"says something else: sessions=50 rate=20Mbit quota=50GB/month."},
	{.name = "group_defaults",
		AT(GROUP_LIMITS, group_defaults),
		.initial = "",
		.reloadable = true,
		.value_name = "LINE",
		.help = "@GROUP and what holds for each user in it: @pupils sessions=10 "
			"quota=1GB/day. A line a group. Of several groups the most generous "
			"counts."},
	{.name = "client_limits",
		AT(CLIENT_LIMITS, client_limits),
		.initial = "",
		.reloadable = true,
		.value_name = "LINE",
		.help = "Addresses, networks and groups of clients, and what holds for each client "
			"address in them: 192.168.1.50, @room12 rate=2Mbit quota=1GB/day. The "
			"first line that fits a client counts."},
	{.name = "anonymous_defaults",
		AT(LIMITS, anonymous_defaults),
		.initial = "",
		.most = LIMITS_OF_CLIENTS,
		.reloadable = true,
		.value_name = "LIMITS",
		.help = "What holds for the sessions without a login of each client address, as far "
			"as client_limits says nothing."},
	{.name = "ban",
		AT(BAN, ban),
		.initial = "10 in 10m for 1m to 1d",
		.reloadable = true,
		.value_name = "RULE",
		.help = "So many failed logins in so much time ban the client's address, or the /64 "
			"network of IPv6, from the proxy, each time for twice as long, up to the "
			"last time. The same wrong name and password again counts once. off: "
			"logins ban nobody."},
	{.name = "ban_exempt",
		AT(EXEMPT, ban_exempt),
		.initial = "loopback",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Who is never banned by failed logins: loopback, networks such as "
			"192.168.1.0/24, or none. The monitor's BAN holds for them, too."},
	{.name = "dns_servers",
		AT(TEXT, dns_servers),
		.initial = "",
		.valid = resolver_servers_valid,
		.legal = "addresses with or without a port, such as 192.0.2.1, [2001:db8::1]:5353",
		.reloadable = true,
		.effects = EFFECT_RESOLVER,
		.value_name = "LIST",
		.help = "Name servers to ask; empty: those of /etc/resolv.conf, whose changes are "
			"followed."},
	{.name = "dns_search",
		AT(TEXT, dns_search),
		.initial = "",
		.valid = resolver_search_valid,
		.legal = "at most 8 domains, such as lan, example.org",
		.reloadable = true,
		.effects = EFFECT_RESOLVER,
		.value_name = "LIST",
		.help = "Domains to try behind a short name; empty: those of /etc/resolv.conf."},
	{.name = "dns_cache",
		AT(NUMBER, dns_cache),
		.initial = "10000",
		.least = 0,
		.most = 1000000,
		.reloadable = true,
		.effects = EFFECT_RESOLVER,
		.value_name = "N",
		.help = "Records that the name cache holds, one a name and address family; 0: no "
			"cache."},
	{.name = "dns_negative_ttl",
		AT(DURATION, dns_negative_ttl),
		.initial = "10s",
		.least = 0,
		.most = 1 * HOUR,
		.reloadable = true,
		.effects = EFFECT_RESOLVER,
		.value_name = "TIME",
		.help = "How long it is remembered that a name does not exist. Other answers are "
			"kept for as long as they allow."},
	{.name = "user",
		.flag_name = "run-as",
		AT(TEXT, user),
		.initial = "",
		.value_name = "NAME",
		.help = "User of this host that the server runs as, when root starts it: he is "
			"given the logs and what else it writes, with folders that are for nothing "
			"else, and no right of root's is kept. Empty: whoever starts it."},
	{.name = "sandbox",
		AT(CHOICE, sandbox),
		.initial = "on",
		.words = sandbox_words,
		.value_name = "WORD",
		.help = "on: once everything is open the server writes beneath the folders of its "
			"logs, users file, state_dir and monitor_socket only, executes nothing, and "
			"makes no system call that a proxy has no use for, as far as the kernel can "
			"enforce that. required: it does not start where anything of it is missing."},
	{.name = "state_dir",
		AT(TEXT, state_dir),
		.initial = "",
		.value_name = "DIR",
		.help = "Folder for what is to outlive the server: what was decided at the monitor "
			"(temporary rules, limits, bans), used quotas, and the history of "
			"accounts. It has to exist, and belongs to one server. Empty: nothing is "
			"kept."},
	{.name = "history_days",
		AT(NUMBER, history_days),
		.initial = "400",
		.least = 0,
		.most = 36500,
		.reloadable = true,
		.value_name = "N",
		.help = "Days for which it is kept how much each user and each client address has "
			"used the proxy, if state_dir is set. 0: nothing is kept of that."},
	{.name = "sites_days",
		AT(NUMBER, sites_days),
		.initial = "0",
		.least = 0,
		.most = 36500,
		.reloadable = true,
		.value_name = "N",
		.help = "Days for which it is kept which sites each user and each client address "
			"has visited, if state_dir is set. 0: nobody is watched."},
	{.name = "shared",
		AT(SHARED, shared),
		.initial = "",
		.value_name = "URL",
		.help = "Redis, by which several servers count together what accounts use and run, "
			"and share bans: redis://HOST:PORT/DB with USER:PASSWORD@ in front of the "
			"host if it wants a login, or unix:PATH. It is not encrypted. Nobody waits "
			"for it. Empty: this server is alone."},
	{.name = "shared_password_file",
		AT(TEXT, shared_password_file),
		.initial = "",
		.is_files = true,
		.value_name = "FILE",
		.help = "File with the password for shared in its first line; empty: what the URL "
			"says."},
	{.name = "shared_prefix",
		AT(TEXT, shared_prefix),
		.initial = "socks5d",
		.valid = is_node_word,
		.legal = NODE_WORD_LEGAL,
		.value_name = "WORD",
		.help = "What all names in shared begin with; servers with another one have nothing "
			"to do with this one."},
	{.name = "node_name",
		AT(TEXT, node_name),
		.initial = "",
		.valid = is_node_word_or_none,
		.legal = NODE_WORD_LEGAL ", or nothing",
		.value_name = "WORD",
		.help = "What this server is called among those that share; each has a name of its "
			"own. Empty: as the host is."},
	{.name = "shared_users",
		AT(CHOICE, shared_users),
		.initial = "no",
		.words = no_yes_words,
		.value_name = "WORD",
		.help = "Whether users are shared, too: whom ADD_USER adds on one server is known "
			"on all within a second, and so is whoever is changed or deleted. Users of "
			"users_file, and all administrators, are this server's alone. It needs "
			"shared."},
	{.name = "shared_grace",
		AT(DURATION, shared_grace),
		.initial = "1d",
		.least = 0,
		.most = 400 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time for which users that servers share may log in while what shared names "
			"does not answer, restarts included; then they are refused until it does. "
			"0: as soon as it does not. What is used, limits and bans go on in any "
			"case."},
	{.name = "shared_nodes",
		AT(NETWORKS, shared_nodes),
		.initial = "",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Networks in which the monitors of the other servers that share may be. "
			"NODES tells no others, but for loopback addresses, so monitor_client --all "
			"sends an administrator's login nowhere else, whatever somebody has written "
			"into shared: name addresses of these servers only. It needs shared."},
	{.name = "client_names",
		AT(TEXT, client_names),
		.initial = "",
		.reloadable = true,
		.is_files = true,
		.value_name = "FILE",
		.help = "File with the names of clients, which are shown beside their addresses and "
			"decide nothing: ADDRESS NAME a line as in /etc/hosts, or the leases of "
			"dnsmasq, ISC dhcpd or Kea. It is read again when it has changed; empty: none."},
	{.name = "access_log_file",
		AT(TEXT, access_log_file),
		.initial = "",
		.reloadable = true,
		.is_files = true,
		.effects = EFFECT_ACCESS_LOG_FILE,
		.value_name = "FILE",
		.help = "File that sessions are logged to when they end, a line each, if their "
			"request was answered or the login of a user refused; opened again on "
			"SIGHUP; empty: none. At start the end of it is read, so that ACCESS_LOG "
			"goes on where it was."},
	{.name = "access_log_entries",
		AT(NUMBER, access_log_entries),
		.initial = "100000",
		.least = 1,
		.most = 10000000,
		.reloadable = true,
		.effects = EFFECT_ACCESS_LOG_ENTRIES,
		.value_name = "N",
		.help = "Answered requests, and refused logins of users, that are remembered for "
			"the monitor's ACCESS_LOG."},
	{.name = "log_file",
		AT(TEXT, log_file),
		.initial = "",
		.reloadable = true,
		.is_files = true,
		.effects = EFFECT_LOG_FILE,
		.value_name = "FILE",
		.help = "File to log to, opened again on SIGHUP; empty: standard error."},
	{.name = "log_level",
		AT(CHOICE, log_level),
		.initial = "info",
		.words = level_words,
		.reloadable = true,
		.effects = EFFECT_LOG_STYLE,
		.value_name = "WORD",
		.help = "What is logged: this and all that is graver."},
	{.name = "log_format",
		AT(CHOICE, log_format),
		.initial = "text",
		.words = format_words,
		.reloadable = true,
		.effects = EFFECT_LOG_STYLE,
		.value_name = "WORD",
		.help = "text: key=value pairs. json: an object a line."},
};

_Static_assert(sizeof(settings_table) / sizeof(settings_table[0]) == SETTINGS_COUNT,
	"SETTINGS_COUNT in settings.h is to be the number of rows");

const struct setting *settings_find(const char *name)
{
	return setting_find(settings_table, SETTINGS_COUNT, name);
}

int settings_init(struct settings *s)
{
	char why[SETTING_ERROR_MAX];

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting_input in = {.text = settings_table[i].initial};

		if (!setting_set(&settings_table[i], s, &in, why)) {
			settings_free(s);
			return -1;
		}
	}
	return 0;
}

void settings_free(struct settings *s)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		setting_free(&settings_table[i], s);
}
