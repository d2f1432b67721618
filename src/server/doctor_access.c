/*
 * Who gets in: settings that are good each by itself, and together leave everybody out, or let the
 * world in. Nothing is asked of the network here.
 */
#include "server/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/plural.h"
#include "server/effects.h"
#include "server/fronts.h"
#include "state/admission.h"
#include "state/rule_review.h"
#include "state/rules.h"
#include "state/users.h"

static bool is_loopback_only(const struct listen_list *places)
{
	for (size_t i = 0; i < places->count; i++) {
		if (!addr_is_loopback(&places->addrs[i]))
			return false;
	}
	return places->count > 0;
}

static void look_at_doors(struct doctor *d)
{
	struct listen_list places = fronts_places(&d->config->settings, FRONT_PROXY);

	if (is_loopback_only(&places))
		doctor_advise(d, DOCTOR_OK, "listen = 0.0.0.0 serves others, too",
			"only programs on this host can connect, since loopback is listened on");
	else
		doctor_say(d, DOCTOR_OK, "other hosts can connect");
}

static void look_at_users(struct doctor *d)
{
	const struct config *c = d->config;
	const char *path = effects_users_path(&c->settings);

	if (d->users_problem[0] != '\0')
		doctor_advise(d, DOCTOR_BAD,
			"mend that, or name another file in users_file: no server starts with it",
			"%s", d->users_problem);
	else if (d->users == 0 && *c->settings.auth_socket != '\0')
		doctor_say(d, DOCTOR_OK, "auth_socket says who is a user, a login is %s",
			admission_login_required(c) ? "required" : "not required");
	else if (d->users == 0 && c->settings.shared_users)
		doctor_say(d, DOCTOR_OK, "users are those whom the nodes share, a login is %s",
			admission_login_required(c) ? "required" : "not required");
	else if (d->users == 0 && admission_login_required(c))
		doctor_advise(d, DOCTOR_BAD,
			"monitor_client ADD_USER NAME - adds one, or -u NAME:PASS at the start",
			"a login is required and there is no user%s%s: nobody gets in",
			path == NULL ? "" : " in ", path == NULL ? "" : path);
	else if (d->users == 0 && path != NULL)
		doctor_advise(d, DOCTOR_WARN,
			"add users, or set auth = required so that nobody gets in before there are",
			"%s has nobody in it, and no login is required", path);
	else if (d->users > 0 && !admission_login_checked(c))
		doctor_advise(d, DOCTOR_WARN, "set auth = required, or optional",
			"%zu users, whose passwords nobody asks for (auth = none)", d->users);
	else
		doctor_say(d, DOCTOR_OK, "%zu user%s, a login is %s", d->users, plural(d->users),
			admission_login_required(c) ? "required" : "not required");
}

/* How many users of the file a helper is to be asked about. */
static size_t count_of_helper(struct users *u)
{
	size_t count = 0, of_helper = 0;
	const char **names = users_names(u, &count);

	for (size_t i = 0; names != NULL && i < count; i++)
		of_helper += users_are_of_helper(u, names[i], strlen(names[i]));
	free(names);
	return of_helper;
}

static const char *name_server_user(int64_t uid, char out[64])
{
	if (uid < 0)
		return "somebody";
	if (uid == 0)
		return "root";
	snprintf(out, 64, "the user with the number %lld", (long long)uid);
	return out;
}

static void look_at_login_helper(struct doctor *d)
{
	const char *path = d->config->settings.auth_socket;
	size_t of_helper = count_of_helper(d->services->users);
	char who[64];
	int64_t uid = -1;
	int error;

	if (*path == '\0' && of_helper > 0)
		doctor_advise(d, DOCTOR_BAD, "set auth_socket, or give them passwords here",
			"%zu user%s of the users file whose password is a helper's to know: "
			"refused, since auth_socket is not set",
			of_helper, plural(of_helper));
	if (*path == '\0')
		return;
	if (!admission_login_checked(d->config))
		doctor_advise(d, DOCTOR_WARN, "set auth = auto, required or optional",
			"auth_socket is asked about nobody (auth = none)");
	error = login_helper_try(path, &uid);
	if (error != 0)
		doctor_advise(d, DOCTOR_BAD,
			"start socks5d_auth (systemctl start socks5d_auth), and see that this user "
			"may connect: nobody new gets in meanwhile",
			"auth_socket %s: %s", path, login_helper_explain(error));
	else
		doctor_say(d, DOCTOR_OK, "auth_socket %s is served by %s", path,
			name_server_user(uid, who));
}

static void look_at_admins(struct doctor *d)
{
	const struct settings *s = &d->config->settings;

	if (users_count_admins(d->services->users) > 0)
		doctor_say(d, DOCTOR_OK, "a user has the role admin");
	else if (*s->monitor_socket != '\0')
		doctor_say(d, DOCTOR_OK, "root needs no login at %s", s->monitor_socket);
	else
		doctor_advise(d, DOCTOR_WARN,
			"set monitor_socket, or give a user the role admin in the users file",
			"no user has the role admin: nobody may use the monitor");
}

/* From there somebody who is meant to be served would come. */
static bool lets_in(const struct config *c, const char *host)
{
	struct addr a;

	return addr_parse(host, strlen(host), &a) &&
		admission_client_allowed(c, admission_login_required(c), &a);
}

/* An address of the world's, and of each kind of house. */
static bool lets_world_in(const struct config *c)
{
	return lets_in(c, "198.51.100.7") && lets_in(c, "2001:db8::7");
}

/* Is there a private network among them, or one that this host is in? */
static bool names_house(const struct network_list *clients, struct own *own)
{
	for (size_t i = 0; i < clients->count; i++) {
		const struct addr *base = &clients->networks[i].base;

		if ((rule_places_of(base) & PLACE_BIT(PLACE_PRIVATE)) != 0 ||
			(own != NULL && own_has_network_of(own, base)))
			return true;
	}
	return false;
}

static bool lets_house_in(const struct doctor *d)
{
	const struct config *c = d->config;

	return lets_in(c, "192.168.1.7") || lets_in(c, "10.1.1.7") || lets_in(c, "172.16.1.7") ||
		lets_in(c, "fd00::7") ||
		names_house(&c->settings.clients.networks, d->services->own);
}

static void look_at_clients(struct doctor *d)
{
	const struct config *c = d->config;
	struct listen_list places = fronts_places(&c->settings, FRONT_PROXY);
	bool is_loopback = is_loopback_only(&places);

	if (is_loopback && !lets_in(c, "127.0.0.1") && !lets_in(c, "::1"))
		doctor_advise(d, DOCTOR_BAD, "add 127.0.0.1 to clients, or listen elsewhere",
			"only this host can connect, and clients leaves it out: nobody gets in");
	else if (!is_loopback && lets_world_in(c) && !admission_login_required(c))
		doctor_advise(d, DOCTOR_BAD, "set clients = private, or auth = required",
			"anybody who can connect is served without a login: an open proxy");
	else if (!is_loopback && !lets_house_in(d) && !c->settings.clients.any)
		doctor_advise(d, DOCTOR_WARN, "see whether clients names your networks",
			"no private network is served, and none that this host is in");
	else
		doctor_say(d, DOCTOR_OK, "clients: %s",
			lets_world_in(c) ? "any, with a login" : "some networks only");
}

/* ---- rules ---- */

static bool allows_anything(const struct rules *r)
{
	for (size_t i = 0; i < rules_count(r); i++) {
		if (rules_get(r, i).rule->action != RULE_DENY)
			return true;
	}
	return false;
}

static void say_of_rules(struct doctor *d, const struct rules *r)
{
	const struct settings *s = &d->config->settings;
	struct rule_info alone;
	const char *warning;

	for (size_t i = 0; (warning = rules_warning(r, i)) != NULL; i++)
		doctor_say(d, DOCTOR_WARN, "%s", warning);
	if (s->otherwise == RULE_DENY && !allows_anything(r))
		doctor_advise(d, DOCTOR_BAD, "add a rule = allow ..., or set otherwise = allow",
			"otherwise = deny, and no rule allows anything: nobody gets anywhere");
	else if (s->otherwise != RULE_DENY && s->protect == 0)
		doctor_advise(d, DOCTOR_WARN,
			"set protect = loopback, link-local, metadata, multicast",
			"nothing is protected: clients reach what listens on this host's loopback");
	else
		doctor_say(d, DOCTOR_OK, "%zu rule%s", rules_count(r), plural(rules_count(r)));
	if (rule_review_names_alone(d->config, r, &alone))
		doctor_advise(d, DOCTOR_WARN,
			"put rule = deny to literal below it, where every program can send names",
			"rule %s denies names: who sends the address walks past it", alone.word);
}

static void look_at_rules(struct doctor *d)
{
	char error[RULES_ERROR_MAX];
	struct rules *r = rules_compile(&d->config->settings, NULL, false, error);

	if (r == NULL)
		doctor_say(d, DOCTOR_BAD, "%s", error);
	else
		say_of_rules(d, r);
	rules_release(r);
}

const struct doctor_check doctor_access_checks[] = {
	{"doors", look_at_doors},
	{"users", look_at_users},
	{"helper", look_at_login_helper},
	{"administrators", look_at_admins},
	{"clients", look_at_clients},
	{"rules", look_at_rules},
	{.topic = NULL},
};
