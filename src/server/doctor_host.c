/*
 * What the host and its network have to give: ports, name servers, ways out, the right time, room
 * for sessions, files that can be written, and a way in.
 */
#include "server/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/local.h"
#include "net/nameservers.h"
#include "net/occupant.h"
#include "net/resolver.h"
#include "server/capacity.h"
#include "server/confine.h"
#include "server/effects.h"
#include "server/fronts.h"
#include "server/probe.h"
#include "server/run_as.h"
#include "state/outgoing.h"
#include "state/users_file.h"

#define ASK_MS 2000 /* whoever has a port of ours */
#define ADDRESSES_MOST 16 /* of this host that are tried */
#define FEW_SESSIONS 100
#define SLOW_MS 500 /* of a name server */
#define EARLIEST INT64_C(1735689600) /* 2025: no clock that is right says less */

/* ---- ports ---- */

static void say_who_has_it(struct doctor *d, const struct addr *a)
{
	static const char *const words[] = {[OCCUPANT_UNKNOWN] = "another program",
		[OCCUPANT_SOCKS] = "another SOCKS5 server",
		[OCCUPANT_MONITOR] = "the monitor of another socks5d"};
	enum occupant who = occupant_ask(a, clock_deadline(ASK_MS));
	char text[ADDR_TEXT_MAX];

	if (d->is_running)
		doctor_say(d, DOCTOR_OK, "%s: the server that runs listens there",
			addr_format(a, text));
	else
		doctor_advise(d, DOCTOR_BAD,
			"stop that (ss -tlnp shows which it is), or take another port",
			"%s: %s has it", addr_format(a, text), words[who]);
}

static void say_why_not(struct doctor *d, const struct addr *a, int error)
{
	char text[ADDR_TEXT_MAX], all[512];

	addr_format(a, text);
	if (error == EADDRINUSE)
		say_who_has_it(d, a);
	else if (error == EADDRNOTAVAIL)
		doctor_advise(d, DOCTOR_WARN,
			"correct listen, unless the address is still to come: then it is served "
			"as soon as it does",
			"%s: this host has no such address, it has %s", text,
			own_format(d->services->own, all, sizeof(all)));
	else if (error == EACCES)
		doctor_advise(d, DOCTOR_BAD,
			"take one from 1024 on, or have systemd grant CAP_NET_BIND_SERVICE",
			"%s: this user may not listen at such a port", text);
	else
		doctor_advise(d, DOCTOR_BAD, "correct listen, monitor_listen or web_listen",
			"%s: %s", text, strerror(error));
}

static void look_at_ports(struct doctor *d)
{
	char text[ADDR_TEXT_MAX];

	for (enum front f = 0; f < FRONTS; f++) {
		struct listen_list places = fronts_places(&d->config->settings, f);

		for (size_t i = 0; i < places.count; i++) {
			struct addr bound;
			int fd = probe_listen(&places.addrs[i], &bound);

			if (fd < 0)
				say_why_not(d, &places.addrs[i], errno);
			else
				doctor_say(d, DOCTOR_OK, "%s is free",
					addr_format(&places.addrs[i], text));
			socket_close(fd);
		}
	}
}

static void look_at_monitor_socket(struct doctor *d)
{
	const char *path = d->config->settings.monitor_socket;
	int error = *path == '\0' || d->is_running ? 0 : local_check(path);

	if (error != 0)
		doctor_advise(d, DOCTOR_BAD, "make its folder, or name another path",
			"monitor_socket %s: %s", path, local_explain(error));
	else if (*path != '\0')
		doctor_say(d, DOCTOR_OK, "monitor_socket %s%s", path,
			d->is_running ? ": the server that runs listens there" : " can be made");
}

/* ---- a way in ---- */

/* An address of this host at which a listener at `a` is reached; false when it is none. */
static bool is_reached_at(const struct addr *a, const char *word, size_t len, struct addr *out)
{
	if (!addr_parse(word, len, out) || out->sa.sa_family != a->sa.sa_family)
		return false;
	addr_set_port(out, addr_port(a));
	return true;
}

static void try_way_in(struct doctor *d, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	int error = probe_connect(a, NULL);

	addr_format(a, text);
	if (error == 0)
		doctor_say(d, DOCTOR_OK, "%s can be connected to from this host", text);
	else
		doctor_advise(d, DOCTOR_BAD,
			"let TCP to that port in (nft list ruleset, iptables -S, ufw status)",
			"%s cannot be connected to, %s: a firewall is in the way", text,
			strerror(error));
}

static void try_ways_in(struct doctor *d, const struct addr *a)
{
	char all[2048], *rest = all, *word;
	struct addr at;
	size_t tried = 0;

	if (!addr_is_unspecified(a)) {
		try_way_in(d, a);
		return;
	}
	own_format(d->services->own, all, sizeof(all));
	while (tried < ADDRESSES_MOST && (word = strsep(&rest, " ")) != NULL) {
		if (!is_reached_at(a, word, strlen(word), &at))
			continue;
		try_way_in(d, &at);
		tried++;
	}
}

/* Of a server that does not run the port is opened for the moment. */
static void look_at_ways_in(struct doctor *d)
{
	struct listen_list places = fronts_places(&d->config->settings, FRONT_PROXY);

	for (size_t i = 0; i < places.count; i++) {
		struct addr bound = places.addrs[i];
		int fd = probe_listen(&places.addrs[i], &bound);

		/* What is wrong with the port itself was said before. */
		if (fd >= 0 || (errno == EADDRINUSE && d->is_running))
			try_ways_in(d, &bound);
		socket_close(fd);
	}
}

/* ---- name servers ---- */

static const char *const rcodes[] = {[0] = "no error",
	[1] = "FORMERR",
	[2] = "SERVFAIL",
	[3] = "no such name",
	[4] = "NOTIMP",
	[5] = "REFUSED"};

static void ask_name_server(struct doctor *d, const struct addr *server)
{
	char text[ADDR_TEXT_MAX];
	int64_t ms;
	int rcode = probe_name_server(server, &ms);

	addr_format(server, text);
	if (rcode < 0)
		doctor_advise(d, DOCTOR_BAD,
			"set dns_servers to those that answer, or mend /etc/resolv.conf",
			"name server %s: %s", text,
			errno == ETIMEDOUT ? "keeps silent" : strerror(errno));
	else if (rcode != 0 && rcode != 3)
		doctor_advise(d, DOCTOR_BAD, "have it serve this host, or ask another one",
			"name server %s: answers %s", text,
			(size_t)rcode < sizeof(rcodes) / sizeof(rcodes[0]) ? rcodes[rcode]
									   : "an error");
	else if (ms > SLOW_MS)
		doctor_advise(d, DOCTOR_WARN, "one that is nearer makes pages come sooner",
			"name server %s: answers after %" PRId64 " ms", text, ms);
	else
		doctor_say(d, DOCTOR_OK, "name server %s answers after %" PRId64 " ms", text, ms);
}

static void look_at_name_servers(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	struct nameservers_source *source = nameservers_source_new(RESOLVER_CONF, NULL);
	struct nameservers *servers = NULL;

	if (source != NULL && nameservers_source_set(source, s->dns_servers, s->dns_search) == 0)
		servers = nameservers_follow(source);
	if (servers == NULL || nameservers_count(servers) == 0)
		doctor_advise(d, DOCTOR_BAD, "set dns_servers",
			"no name server is known: names cannot be looked up");
	for (size_t i = 0; servers != NULL && i < nameservers_count(servers); i++)
		ask_name_server(d, nameservers_addr(servers, i));
	nameservers_free(servers);
	nameservers_source_free(source);
}

/* ---- ways out ---- */

/* Of each family two that are asked by half the world. */
static const char *const far_hosts[][2] = {
	[LOOKUP_IPV4] = {"1.1.1.1", "8.8.8.8"},
	[LOOKUP_IPV6] = {"2606:4700:4700::1111", "2001:4860:4860::8888"},
};

/* 0 when one of them answers, else the errno of the last. */
static int try_way_out(const struct doctor *d, enum lookup_family family)
{
	int error = ENETUNREACH;

	for (size_t i = 0; i < 2 && error != 0; i++) {
		const char *host = far_hosts[family][i];
		struct socket_via via;
		struct addr far;

		if (!addr_parse(host, strlen(host), &far))
			continue;
		addr_set_port(&far, 53);
		via = outgoing_via(d->config, far.sa.sa_family);
		error = probe_connect(&far, &via);
		if (error == ECONNREFUSED)
			error = 0; /* somebody is there to say so */
	}
	return error;
}

static bool is_no_route(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static void say_way_out(struct doctor *d, int v4, int v6)
{
	bool uses_v4 = outgoing_uses(d->config, LOOKUP_IPV4);
	bool uses_v6 = outgoing_uses(d->config, LOOKUP_IPV6);

	if (uses_v4 && v4 != 0)
		doctor_advise(d, DOCTOR_WARN,
			"see ip route and the firewall, unless only this network is to be reached",
			"IPv4 leads nowhere outside: %s", strerror(v4));
	else if (uses_v4)
		doctor_say(d, DOCTOR_OK, "IPv4 leads out");
	if (!uses_v6)
		doctor_say(d, DOCTOR_OK, "IPv6 is not used (prefer = ipv4-only)");
	else if (v6 == 0)
		doctor_say(d, DOCTOR_OK, "IPv6 leads out");
	else if (!uses_v4)
		doctor_advise(d, DOCTOR_BAD, "set prefer = ipv4, or mend IPv6",
			"IPv6 leads nowhere, and prefer = ipv6-only: %s", strerror(v6));
	else if (is_no_route(v6))
		doctor_say(d, DOCTOR_OK, "there is no IPv6 here: IPv4 is used at once");
	else
		doctor_advise(d, DOCTOR_WARN,
			"set prefer = ipv4 (or ipv4-only) until it does: each connection by name "
			"waits for it",
			"IPv6 has a route and leads nowhere: %s", strerror(v6));
}

static void look_at_ways_out(struct doctor *d)
{
	char why[CONFIG_ERROR_MAX];
	int v4 = 0, v6 = 0;

	if (outgoing_is_missing(&d->config->settings, why)) {
		doctor_advise(d, DOCTOR_BAD, "correct it, or wait until it comes", "%s", why);
		return;
	}
	if (outgoing_uses(d->config, LOOKUP_IPV4))
		v4 = try_way_out(d, LOOKUP_IPV4);
	if (outgoing_uses(d->config, LOOKUP_IPV6))
		v6 = try_way_out(d, LOOKUP_IPV6);
	say_way_out(d, v4, v6);
}

/* ---- the clock ---- */

static void look_at_clock(struct doctor *d)
{
	bool is_synchronised;
	int64_t now = probe_clock(&is_synchronised);
	time_t seconds = (time_t)now;
	char text[64];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm);
	if (now < EARLIEST)
		doctor_advise(d, DOCTOR_BAD, "set it: timedatectl set-ntp true",
			"the clock says %s, which cannot be", text);
	else if (!is_synchronised)
		doctor_advise(d, DOCTOR_WARN,
			"timedatectl set-ntp true, or chrony: times in logs, rules, quotas and "
			"expiry go by it",
			"nothing keeps the clock right; it says %s", text);
	else
		doctor_say(d, DOCTOR_OK, "the clock is kept right; it says %s", text);
}

/* ---- room ---- */

static void look_at_room(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	struct fdbudget budget = {.limit = 0};
	struct capacity c;
	char why[CONFIG_ERROR_MAX];

	if (capacity_plan(&c, &budget, s, fronts_descriptors(s), why) < 0 ||
		capacity_plan_workers(&c, &budget, s, why) < 0)
		doctor_advise(d, DOCTOR_BAD, "raise that limit (LimitNOFILE, TasksMax, MemoryMax)",
			"%s", why);
	else if (s->max_sessions != 0 && (int64_t)c.sessions < s->max_sessions)
		doctor_advise(d, DOCTOR_WARN,
			"raise that limit, which may be another one under systemd, or lower "
			"max_sessions",
			"max_sessions = %" PRId64 " does not fit: %zu do, by %s", s->max_sessions,
			c.sessions, c.why);
	else if (c.sessions < FEW_SESSIONS && s->max_sessions == 0)
		doctor_advise(d, DOCTOR_WARN,
			"raise that limit: a browser alone may want a dozen or two",
			"only %zu sessions fit, by %s", c.sessions, c.why);
	else
		doctor_say(d, DOCTOR_OK, "%zu sessions fit, by %s", c.sessions, c.why);
}

/* ---- files ---- */

static void say_of_file(struct doctor *d, const char *setting, const char *path, int error)
{
	const char *who =
		geteuid() == 0 ? "root, who may more than the server's user" : "this user";

	if (error == 0)
		doctor_say(d, DOCTOR_OK, "%s %s is good for %s", setting, path, who);
	else
		doctor_advise(d, DOCTOR_BAD,
			error == ENOENT ? "make it, or its folder"
					: "give it, or its folder, to the user that the server "
					  "runs as (chown)",
			"%s %s: %s", setting, path, strerror(error));
}

/* Where a setting that is a text names something to be asked for. */
static const struct named_file {
	const char *setting;
	int (*ask)(const char *path);
} named_files[] = {
	{"log_file", probe_append},
	{"access_log_file", probe_append},
	{"client_names", probe_read},
	{"state_dir", probe_folder},
};

static void look_at_named_file(struct doctor *d, const struct named_file *f)
{
	const struct setting *setting = settings_find(f->setting);
	char *path = setting == NULL ? NULL : setting_format(setting, &d->config->settings);

	if (path != NULL && *path != '\0')
		say_of_file(d, f->setting, path, f->ask(path));
	free(path);
}

static void look_at_files(struct doctor *d)
{
	const char *users = effects_users_path(&d->config->settings);
	char why[USERS_ERROR_MAX];

	for (size_t i = 0; i < sizeof(named_files) / sizeof(named_files[0]); i++)
		look_at_named_file(d, &named_files[i]);
	if (users == NULL)
		return;
	if (users_file_can_be_written(users, why) < 0)
		doctor_advise(d, DOCTOR_WARN,
			"ADD_USER, SET_PASSWORD and the like need that: chown it and its folder "
			"to the user that the server runs as",
			"%s", why);
	else
		say_of_file(d, "users_file", users, 0);
}

/* ---- what it gives up ---- */

static void look_at_user(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	char why[CONFIG_ERROR_MAX];

	if (run_as_check(s, why) < 0)
		doctor_advise(d, DOCTOR_BAD,
			"useradd --system makes one; without user the server runs as whoever starts "
			"it",
			"%s", why);
	else if (*s->user != '\0')
		doctor_say(d, DOCTOR_OK, "the server runs as %s when root starts it", s->user);
}

static void look_at_sandbox(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	struct confinement possible = confine_possible();
	char words[CONFINE_WORDS_MAX], lacks[CONFIG_ERROR_MAX];

	look_at_user(d);
	confine_lacks(&possible, lacks);
	if (s->sandbox == SANDBOX_OFF)
		doctor_advise(d, DOCTOR_WARN, "set sandbox = on",
			"the server is not confined, and could be by %s",
			confine_words(&possible, words));
	else if (*lacks != '\0')
		doctor_advise(d, s->sandbox == SANDBOX_REQUIRED ? DOCTOR_BAD : DOCTOR_WARN,
			"what there is holds all the same, but with sandbox = required",
			"missing is %s", lacks);
	else
		doctor_say(d, DOCTOR_OK, "the server is confined by %s",
			confine_words(&possible, words));
}

const struct doctor_check doctor_host_checks[] = {
	{"port", look_at_ports},
	{"monitor", look_at_monitor_socket},
	{"firewall", look_at_ways_in},
	{"names", look_at_name_servers},
	{"network", look_at_ways_out},
	{"clock", look_at_clock},
	{"room", look_at_room},
	{"files", look_at_files},
	{"sandbox", look_at_sandbox},
	{.topic = NULL},
};
