/* judge: rules as text, requests as text, verdicts as text: for the table of test_rules_judge.c,
 * and for judge.c, which a reference in another language is compared with. */
#ifndef TESTS_STATE_JUDGE_H
#define TESTS_STATE_JUDGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/rules.h"

struct judge {
	struct config config;
	char error[RULES_ERROR_MAX];
	char text[RULE_WORD_MAX + 16];
};

static inline int judge_begin(struct judge *j)
{
	memset(j, 0, sizeof(*j));
	return settings_init(&j->config.settings);
}

static inline void judge_end(struct judge *j)
{
	rules_release(j->config.rules);
	settings_free(&j->config.settings);
	j->config.rules = NULL;
}

/* Sets, or adds a line to, a setting. False with the reason in `error`. */
static inline bool judge_set(struct judge *j, const char *name, const char *value, bool adds)
{
	const struct setting_input in = {.text = value, .adds = adds};
	char why[SETTING_ERROR_MAX];
	bool is_set = setting_set(settings_find(name), &j->config.settings, &in, why);

	if (!is_set)
		snprintf(j->error, sizeof(j->error), "%s", why);
	return is_set;
}

/* Goes over to what is set now, as a reload does. */
static inline bool judge_compile(struct judge *j)
{
	struct rules *rules = rules_compile(&j->config.settings, j->config.rules, false, j->error);

	if (rules == NULL)
		return false;
	config_set_rules(&j->config, rules);
	return true;
}

static inline bool judge_addr(const char *text, struct addr *a)
{
	a->sa.sa_family = AF_UNSPEC;
	return strcmp(text, "-") == 0 || addr_parse(text, strlen(text), a);
}

struct judge_request {
	char from[64], user[64], groups[64], command[16], name[256], to[64];
	unsigned port;
	long long time;
};

/* "FROM USER GROUPS COMMAND NAME ADDRESS PORT TIME"; - is nobody, none, not known. A NAME of =
 * stands for the address: that is what the client sent. */
static inline bool judge_read(const char *text, struct judge_request *r)
{
	return sscanf(text, "%63s %63s %63s %15s %255s %63s %u %lld", r->from, r->user, r->groups,
		       r->command, r->name, r->to, &r->port, &r->time) == 8;
}

/* "allow 3", "deny protect:loopback", "via 3" through upstreams, "name 3" if they get the name; an
 * ! behind it says that more will be known. */
static inline const char *judge_ask(struct judge *j, const char *text, struct verdict *verdict)
{
	struct judge_request r;
	struct addr client, addr;
	struct destination dst = {.kind = DESTINATION_NONE};
	struct subject s = {.user = ""};

	*verdict = (struct verdict){.allowed = false};
	if (!judge_read(text, &r) || !judge_addr(r.from, &client) || !judge_addr(r.to, &addr))
		return "?";
	addr_set_port(&addr, (uint16_t)r.port);
	if (strcmp(r.name, "=") == 0)
		dst = destination_of_addr(&addr);
	else if (strcmp(r.name, "-") != 0)
		dst = destination_of_name(r.name, strlen(r.name), (uint16_t)r.port);
	if (strcmp(r.user, "-") != 0) {
		s.user = r.user;
		s.user_len = strlen(r.user);
	}
	s.groups = strcmp(r.groups, "-") == 0 ? "" : r.groups;
	s.client = &client;
	s.command = strcmp(r.command, "bind") == 0 ? REQUEST_BIND
		: strcmp(r.command, "udp") == 0    ? REQUEST_UDP_ASSOCIATE
						   : REQUEST_CONNECT;
	s.dst = dst.kind == DESTINATION_NONE ? NULL : &dst;
	s.addr = addr.sa.sa_family == AF_UNSPEC ? NULL : &addr;
	s.time = r.time;
	*verdict = rules_judge(&j->config, &s);
	snprintf(j->text, sizeof(j->text), "%s %s%s",
		!verdict->allowed             ? "deny"
			: verdict->is_by_name ? "name"
			: verdict->is_via     ? "via"
					      : "allow",
		verdict->rule, verdict->is_open ? " !" : "");
	return j->text;
}

#endif
