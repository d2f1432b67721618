#include "state/settings.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "net/resolver.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char *const auth_words[] = {
	[AUTH_AUTO] = "auto", [AUTH_REQUIRED] = "required", [AUTH_OPTIONAL] = "optional", NULL};
static const char *const level_words[] = {[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
	NULL};
static const char *const relay_words[] = {
	[RELAY_AUTO] = "auto", [RELAY_COPY] = "copy", [RELAY_SPLICE] = "splice", NULL};
static const char *const format_words[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json", NULL};

static const char *const prefer_words[] = {[PREFER_IPV6] = "ipv6",
	[PREFER_IPV4] = "ipv4",
	[PREFER_IPV4_ONLY] = "ipv4-only",
	[PREFER_IPV6_ONLY] = "ipv6-only",
	NULL};
static const char *const filter_words[] = {[UDP_FILTER_ADDRESS] = "address",
	[UDP_FILTER_ADDRESS_PORT] = "address-port",
	[UDP_FILTER_NONE] = "none",
	NULL};
static const char *const no_yes_words[] = {"no", "yes", NULL};

/* The name of a network interface, as the kernel takes it, or nothing. */
static bool is_interface_name(const char *text)
{
	return strlen(text) < IF_NAMESIZE && strpbrk(text, "/ \t:") == NULL;
}

#define AT(field) .offset = offsetof(struct settings, field)

const struct setting settings_table[] = {
	{.name = "listen",
		.flag = 'l',
		.type = SETTING_ADDRS,
		AT(listen),
		.initial = "0.0.0.0",
		.most = SETTINGS_MAX_LISTEN,
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address to serve on, with or without a port (192.168.1.1, [::]:1080). "
			"Repeat it to serve on several; IPv6 addresses serve IPv6 only."},
	{.name = "port",
		.flag = 'p',
		.type = SETTING_NUMBER,
		AT(port),
		.initial = "1080",
		.least = 0,
		.most = 65535,
		.reloadable = true,
		.value_name = "PORT",
		.help = "Port of the listen addresses that name none; 0 lets the kernel choose."},
	{.name = "monitor_listen",
		.flag = 'L',
		.type = SETTING_ADDRS,
		AT(monitor_listen),
		.initial = "127.0.0.1",
		.most = 1,
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address that the monitor is served on, for monitor_client. No client of "
			"the proxy is connected to it."},
	{.name = "monitor_port",
		.flag = 'P',
		.type = SETTING_NUMBER,
		AT(monitor_port),
		.initial = "8080",
		.least = 0,
		.most = 65535,
		.reloadable = true,
		.value_name = "PORT",
		.help = "Port of the monitor; 0 lets the kernel choose."},
	{.name = "max_monitor_clients",
		.type = SETTING_NUMBER,
		AT(max_monitor_clients),
		.initial = "16",
		.least = 1,
		.most = 256,
		.value_name = "N",
		.help = "Connections to the monitor at once. When all are taken, the next one "
			"takes the place of whoever has waited longest without a login, or is "
			"turned away."},
	{.name = "monitor_login_timeout",
		.type = SETTING_DURATION,
		AT(monitor_login_timeout),
		.initial = "30s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time to log in to the monitor."},
	{.name = "monitor_timeout",
		.type = SETTING_DURATION,
		AT(monitor_timeout),
		.initial = "10m",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "A connection to the monitor ends when for this time no command came, or "
			"no byte of an answer could be sent."},
	{.name = "max_sessions",
		.type = SETTING_NUMBER,
		AT(max_sessions),
		.initial = "auto",
		.zero_word = "auto",
		.least = 1,
		.most = 100000,
		.value_name = "N",
		.help = "Sessions that run at once, a thread each, all made at start. auto: as "
			"many as "
			"the limit on open files and a 64th of the memory carry, at most 10000."},
	{.name = "backlog",
		.type = SETTING_NUMBER,
		AT(backlog),
		.initial = "4096",
		.least = 1,
		.most = 65535,
		.reloadable = true,
		.value_name = "N",
		.help = "Connections that the kernel keeps waiting while all sessions are taken; "
			"listeners opened later follow a change."},
	{.name = "handshake_timeout",
		.type = SETTING_DURATION,
		AT(handshake_timeout),
		.initial = "15s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time for greeting, login and request together."},
	{.name = "connect_timeout",
		.type = SETTING_DURATION,
		AT(connect_timeout),
		.initial = "30s",
		.least = 100,
		.most = 10 * MINUTE,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time for the name lookup and all connection attempts together."},
	{.name = "timeout",
		.type = SETTING_DURATION,
		AT(timeout),
		.initial = "1h",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "A session ends when for this time no byte went either way. Live sessions "
			"follow a change."},
	{.name = "half_close_timeout",
		.type = SETTING_DURATION,
		AT(half_close_timeout),
		.initial = "10m",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "The same once one side has finished sending and the other has not."},
	{.name = "drain_timeout",
		.type = SETTING_DURATION,
		AT(drain_timeout),
		.initial = "10s",
		.least = 0,
		.most = 1 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time that live sessions get to finish when the server is told to stop."},
	{.name = "relay",
		.type = SETTING_WORD,
		AT(relay),
		.initial = "auto",
		.words = relay_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "auto: a direction that proves to be bulk is spliced by the kernel "
			"instead of copied. copy, splice: always so, for tests and "
			"measurements."},
	{.name = "external_address",
		.type = SETTING_HOSTS,
		AT(external_address),
		.initial = "",
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address of this host from which targets are connected to and sent to, one "
			"for IPv4 and one for IPv6; where none is set the kernel chooses."},
	{.name = "external_interface",
		.type = SETTING_TEXT,
		AT(external_interface),
		.initial = "",
		.valid = is_interface_name,
		.legal = "the name of a network interface, such as eth0",
		.reloadable = true,
		.value_name = "NAME",
		.help = "Network interface through which targets are reached; empty: whichever the "
			"routes say."},
	{.name = "prefer",
		.type = SETTING_WORD,
		AT(prefer),
		.initial = "ipv6",
		.words = prefer_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "Family of addresses that is tried first where a name has both, or that "
			"alone is used."},
	{.name = "udp_address",
		.type = SETTING_HOSTS,
		AT(udp_address),
		.initial = "",
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address that clients of UDP ASSOCIATE are told to send to, one for IPv4 "
			"and "
			"one for IPv6, where NAT is between them and this host; empty: the one "
			"that they reached it by."},
	{.name = "udp_ports",
		.type = SETTING_PORTS,
		AT(udp_ports),
		.initial = "any",
		.reloadable = true,
		.value_name = "RANGE",
		.help = "Ports that clients of UDP ASSOCIATE send to, one a client."},
	{.name = "udp_filter",
		.type = SETTING_WORD,
		AT(udp_filter),
		.initial = "address",
		.words = filter_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "Whose datagrams get through to a client of UDP ASSOCIATE. address: those "
			"from addresses that it has sent to. address-port: those from the very "
			"ports too. none: all."},
	{.name = "udp_timeout",
		.type = SETTING_DURATION,
		AT(udp_timeout),
		.initial = "10m",
		.least = 100,
		.most = 30 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "An association (UDP ASSOCIATE) ends when for this time no datagram went "
			"either way. Live ones follow a change from their next datagram on."},
	{.name = "bind_address",
		.type = SETTING_HOSTS,
		AT(bind_address),
		.initial = "",
		.reloadable = true,
		.value_name = "ADDR",
		.help = "Address that BIND listens on and that clients are told, one for IPv4 and "
			"one for IPv6; one that is not this host's own, but of the NAT in front of "
			"it, is only told. Empty: the one from which the peer is reached."},
	{.name = "bind_ports",
		.type = SETTING_PORTS,
		AT(bind_ports),
		.initial = "any",
		.reloadable = true,
		.value_name = "RANGE",
		.help = "Ports that BIND listens on, one a client."},
	{.name = "bind_timeout",
		.type = SETTING_DURATION,
		AT(bind_timeout),
		.initial = "2m",
		.least = 100,
		.most = 1 * DAY,
		.reloadable = true,
		.value_name = "TIME",
		.help = "Time that BIND waits for the peer's connection."},
	{.name = "bind_any_peer",
		.type = SETTING_WORD,
		AT(bind_any_peer),
		.initial = "no",
		.words = no_yes_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "no: BIND takes a connection from the address only that the client named, "
			"unless that was 0.0.0.0 or ::. yes: from any."},
	{.name = "clients",
		.type = SETTING_CLIENTS,
		AT(clients),
		.initial = "auto",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Who may connect: any, private (loopback, private, link-local and "
			"unique-local "
			"addresses), networks such as 203.0.113.0/24, or several of these. auto: "
			"private while nobody has to log in, else any."},
	{.name = "auth",
		.type = SETTING_WORD,
		AT(auth),
		.initial = "auto",
		.words = auth_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "auto: login is required as soon as there are users. required: always, "
			"even "
			"with no users. optional: whoever offers to log in must do so rightly, "
			"others "
			"are served as Anonymous."},
	{.name = "users_file",
		.flag = 'U',
		.type = SETTING_TEXT,
		AT(users_file),
		.initial = "",
		.value_name = "FILE",
		.help = "File of users, NAME:HASH:ROLE a line (HASH as crypt(3), mkpasswd and "
			"htpasswd "
			"-B make it, ROLE user or admin). Users given with -u are saved to it."},
	{.name = "max_password_checks",
		.type = SETTING_NUMBER,
		AT(max_password_checks),
		.initial = "2",
		.least = 1,
		.most = 64,
		.reloadable = true,
		.value_name = "N",
		.help = "Slow password hashes computed at once; logins beyond that wait. A "
			"password "
			"that was right once is checked without."},
	{.name = "dns_servers",
		.type = SETTING_TEXT,
		AT(dns_servers),
		.initial = "",
		.valid = resolver_servers_valid,
		.legal = "addresses with or without a port, such as 192.0.2.1, [2001:db8::1]:5353",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Name servers to ask; empty: those of /etc/resolv.conf, whose changes are "
			"followed."},
	{.name = "dns_search",
		.type = SETTING_TEXT,
		AT(dns_search),
		.initial = "",
		.valid = resolver_search_valid,
		.legal = "at most 8 domains, such as lan, example.org",
		.reloadable = true,
		.value_name = "LIST",
		.help = "Domains to try behind a short name; empty: those of "
			"/etc/resolv.conf."},
	{.name = "dns_cache",
		.type = SETTING_NUMBER,
		AT(dns_cache),
		.initial = "10000",
		.least = 0,
		.most = 1000000,
		.reloadable = true,
		.value_name = "N",
		.help = "Records that the name cache holds, one a name and address family; 0: no "
			"cache."},
	{.name = "dns_negative_ttl",
		.type = SETTING_DURATION,
		AT(dns_negative_ttl),
		.initial = "10s",
		.least = 0,
		.most = 1 * HOUR,
		.reloadable = true,
		.value_name = "TIME",
		.help = "How long it is remembered that a name does not exist. Other answers are "
			"kept "
			"for as long as they allow."},
	{.name = "access_log_file",
		.type = SETTING_TEXT,
		AT(access_log_file),
		.initial = "",
		.reloadable = true,
		.value_name = "FILE",
		.help = "File that each answered request is logged to, a line each, opened again "
			"on SIGHUP; empty: none. At start the end of it is read, so that "
			"ACCESS_LOG goes on where it was."},
	{.name = "access_log_entries",
		.type = SETTING_NUMBER,
		AT(access_log_entries),
		.initial = "100000",
		.least = 1,
		.most = 10000000,
		.reloadable = true,
		.value_name = "N",
		.help = "Answered requests that are remembered for the monitor's ACCESS_LOG."},
	{.name = "log_file",
		.type = SETTING_TEXT,
		AT(log_file),
		.initial = "",
		.reloadable = true,
		.value_name = "FILE",
		.help = "File to log to, opened again on SIGHUP; empty: standard error."},
	{.name = "log_level",
		.type = SETTING_WORD,
		AT(log_level),
		.initial = "info",
		.words = level_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "What is logged: this and all that is graver."},
	{.name = "log_format",
		.type = SETTING_WORD,
		AT(log_format),
		.initial = "text",
		.words = format_words,
		.reloadable = true,
		.value_name = "WORD",
		.help = "text: key=value pairs. json: an object a line."},
};

const size_t settings_count = sizeof(settings_table) / sizeof(settings_table[0]);

static bool same_name(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	}
	return true;
}

const struct setting *settings_find(const char *name)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (same_name(settings_table[i].name, name))
			return &settings_table[i];
	}
	return NULL;
}

static void *field(const struct setting *setting, const struct settings *s)
{
	return (char *)(uintptr_t)s + setting->offset;
}

int settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < settings_count; i++) {
		if (!setting_set(&settings_table[i], s, settings_table[i].initial, true)) {
			settings_free(s);
			return -1;
		}
	}
	return 0;
}

void settings_free(struct settings *s)
{
	for (size_t i = 0; i < settings_count; i++) {
		char **text = field(&settings_table[i], s);

		if (settings_table[i].type == SETTING_TEXT) {
			free(*text);
			*text = NULL;
		}
	}
}

/* ---- one function a type: text into value ---- */

static bool in_range(const struct setting *setting, int64_t value)
{
	return value >= setting->least && value <= setting->most;
}

static bool set_number(const struct setting *setting, int64_t *value, const char *text)
{
	int64_t n;

	if (setting->zero_word != NULL && strcmp(text, setting->zero_word) == 0) {
		*value = 0;
		return true;
	}
	if (!parse_number(text, &n) || !in_range(setting, n))
		return false;
	*value = n;
	return true;
}

static bool set_duration(const struct setting *setting, int64_t *value, const char *text)
{
	int64_t ms;

	if (!parse_duration(text, &ms) || !in_range(setting, ms))
		return false;
	*value = ms;
	return true;
}

static bool set_word(const struct setting *setting, int64_t *value, const char *text)
{
	for (int i = 0; setting->words[i] != NULL; i++) {
		if (strcmp(setting->words[i], text) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

static bool set_text(const struct setting *setting, char **value, const char *text)
{
	char *copy;

	if (setting->valid != NULL && !setting->valid(text))
		return false;
	copy = strdup(text);
	if (copy == NULL)
		return false;
	free(*value);
	*value = copy;
	return true;
}

static bool set_addrs(
	const struct setting *setting, struct listen_list *value, const char *text, bool first)
{
	struct listen_list list = {0};
	const char *word;
	size_t len;

	if (!first)
		list = *value;
	while (parse_next_word(&text, &word, &len)) {
		if (list.count == (size_t)setting->most ||
			!addr_parse_port(
				word, len, &list.addrs[list.count], &list.has_port[list.count]))
			return false;
		list.count++;
	}
	if (list.count == 0)
		return false;
	*value = list;
	return true;
}

static bool is_word(const char *word, size_t len, const char *expected)
{
	return strlen(expected) == len && memcmp(word, expected, len) == 0;
}

static bool set_clients(struct client_rule *value, const char *text, bool first)
{
	struct client_rule rule = {0};
	bool empty = true;
	const char *word;
	size_t len;

	if (!first)
		rule = *value;
	for (; parse_next_word(&text, &word, &len); empty = false) {
		if (is_word(word, len, "auto"))
			rule.automatic = true;
		else if (is_word(word, len, "any"))
			rule.any = true;
		else if (is_word(word, len, "private"))
			rule.private_networks = true;
		else if (rule.count < SETTINGS_MAX_NETWORKS &&
			network_parse(word, len, &rule.networks[rule.count]))
			rule.count++;
		else
			return false;
	}
	if (empty)
		return false;
	*value = rule;
	return true;
}

/* Words, none too, each an address of a family that there is none of yet. */
static bool set_hosts(struct host_pair *value, const char *text, bool first)
{
	struct host_pair pair = {.v4 = {.sa = {.sa_family = AF_UNSPEC}}};
	const char *word;
	size_t len;

	if (!first)
		pair = *value;
	while (parse_next_word(&text, &word, &len)) {
		struct addr a, *place;

		if (!addr_parse(word, len, &a) || addr_is_unspecified(&a))
			return false;
		place = a.sa.sa_family == AF_INET ? &pair.v4 : &pair.v6;
		if (place->sa.sa_family != AF_UNSPEC)
			return false;
		*place = a;
	}
	*value = pair;
	return true;
}

bool setting_set(const struct setting *setting, struct settings *s, const char *text, bool first)
{
	void *value = field(setting, s);

	switch (setting->type) {
	case SETTING_NUMBER:
		return set_number(setting, value, text);
	case SETTING_DURATION:
		return set_duration(setting, value, text);
	case SETTING_WORD:
		return set_word(setting, value, text);
	case SETTING_TEXT:
		return set_text(setting, value, text);
	case SETTING_ADDRS:
		return set_addrs(setting, value, text, first);
	case SETTING_CLIENTS:
		return set_clients(value, text, first);
	case SETTING_HOSTS:
		return set_hosts(value, text, first);
	case SETTING_PORTS:
		return port_range_parse(text, value);
	}
	return false;
}

bool setting_is_list(const struct setting *setting)
{
	return (setting->type == SETTING_ADDRS && setting->most > 1) ||
		setting->type == SETTING_CLIENTS || setting->type == SETTING_HOSTS;
}

/* ---- values and what is legal, as text ---- */

static void append(char *out, size_t size, const char *separator, const char *text)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s", len > 0 ? separator : "", text);
}

const char *setting_legal(const struct setting *setting, char *out, size_t size)
{
	char least[32], most[32];

	out[0] = '\0';
	switch (setting->type) {
	case SETTING_NUMBER:
		snprintf(out, size, "%s%sa number from %lld to %lld",
			setting->zero_word != NULL ? setting->zero_word : "",
			setting->zero_word != NULL ? " or " : "", (long long)setting->least,
			(long long)setting->most);
		break;
	case SETTING_DURATION:
		snprintf(out, size,
			"a time from %s to %s (500ms, 30s, 5m, 2h, 1d; without a unit: s)",
			parse_format_duration(setting->least, least),
			parse_format_duration(setting->most, most));
		break;
	case SETTING_WORD:
		for (int i = 0; setting->words[i] != NULL; i++)
			append(out, size, ", ", setting->words[i]);
		break;
	case SETTING_TEXT:
		append(out, size, "", setting->legal != NULL ? setting->legal : "any text");
		break;
	case SETTING_ADDRS:
		append(out, size, "", "an IPv4 or IPv6 address, with or without a port");
		if (setting->most > 1) {
			snprintf(most, sizeof(most), ", at most %lld", (long long)setting->most);
			append(out, size, "", most);
		}
		break;
	case SETTING_CLIENTS:
		append(out, size, "",
			"auto, any, private, networks such as 203.0.113.0/24 (no bits set behind "
			"the "
			"prefix; at most 64), or several of these");
		break;
	case SETTING_HOSTS:
		append(out, size, "",
			"an IPv4 address, an IPv6 address, both, or nothing; without ports");
		break;
	case SETTING_PORTS:
		append(out, size, "", "any, a port, or a range of ports such as 40000-40100");
		break;
	}
	return out;
}

static void format_addrs(const struct listen_list *list, char *out, size_t size)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++)
		append(out, size, ", ",
			list->has_port[i] ? addr_format(&list->addrs[i], text)
					  : addr_format_host(&list->addrs[i], text));
}

static void format_clients(const struct client_rule *rule, char *out, size_t size)
{
	char text[ADDR_TEXT_MAX], whole[ADDR_TEXT_MAX + 8];

	if (rule->automatic)
		append(out, size, ", ", "auto");
	if (rule->any)
		append(out, size, ", ", "any");
	if (rule->private_networks)
		append(out, size, ", ", "private");
	for (size_t i = 0; i < rule->count; i++) {
		snprintf(whole, sizeof(whole), "%s/%u",
			addr_format_host(&rule->networks[i].base, text), rule->networks[i].prefix);
		append(out, size, ", ", whole);
	}
}

static void format_hosts(const struct host_pair *pair, char *out, size_t size)
{
	char text[ADDR_TEXT_MAX];

	if (pair->v4.sa.sa_family != AF_UNSPEC)
		append(out, size, ", ", addr_format_host(&pair->v4, text));
	if (pair->v6.sa.sa_family != AF_UNSPEC)
		append(out, size, ", ", addr_format_host(&pair->v6, text));
}

static size_t value_size(enum setting_type type)
{
	if (type == SETTING_ADDRS)
		return sizeof(struct listen_list);
	if (type == SETTING_CLIENTS)
		return sizeof(struct client_rule);
	if (type == SETTING_HOSTS)
		return sizeof(struct host_pair);
	if (type == SETTING_PORTS)
		return sizeof(struct port_range);
	return sizeof(int64_t);
}

const char *setting_format(
	const struct setting *setting, const struct settings *s, char *out, size_t size)
{
	const void *value = field(setting, s);
	char text[32];
	int64_t n = 0;

	out[0] = '\0';
	if (value_size(setting->type) == sizeof(n))
		memcpy(&n, value, sizeof(n));
	switch (setting->type) {
	case SETTING_NUMBER:
		snprintf(text, sizeof(text), "%lld", (long long)n);
		append(out, size, "", n == 0 && setting->zero_word ? setting->zero_word : text);
		break;
	case SETTING_DURATION:
		append(out, size, "", parse_format_duration(n, text));
		break;
	case SETTING_WORD:
		append(out, size, "", setting->words[n]);
		break;
	case SETTING_TEXT:
		append(out, size, "", *(char *const *)value);
		break;
	case SETTING_ADDRS:
		format_addrs(value, out, size);
		break;
	case SETTING_CLIENTS:
		format_clients(value, out, size);
		break;
	case SETTING_HOSTS:
		format_hosts(value, out, size);
		break;
	case SETTING_PORTS:
		append(out, size, "", port_range_format(value, text));
		break;
	}
	return out;
}

int setting_copy(const struct setting *setting, struct settings *to, const struct settings *from)
{
	if (setting->type == SETTING_TEXT)
		return set_text(setting, field(setting, to), *(char **)field(setting, from)) ? 0
											     : -1;
	memcpy(field(setting, to), field(setting, from), value_size(setting->type));
	return 0;
}

const char *setting_flag(const struct setting *setting, char out[64])
{
	snprintf(out, 64, "--%s", setting->name);
	for (char *p = out + 2; *p != '\0'; p++) {
		if (*p == '_')
			*p = '-';
	}
	return out;
}
