/*
 * The engine that nodes share their state by: what is missing there shows only when it is needed,
 * and each node goes on without. So all that a node does there is tried.
 */
#include "server/doctor.h"

#include <inttypes.h>
#include <string.h>

#include "server/engine_probe.h"

#define LEAST_MAJOR 5 /* streams */
#define APART_S 5 /* clocks, at most */
#define CORRECT "correct that: no server starts with it, or none finds it"
#define REACH                                                                                      \
	"see that it runs and listens there, and that its firewall, bind and protected-mode let "  \
	"this host in; until then each node is for itself"
#define LOGIN "correct user, password and database in shared, or shared_password_file"
#define RIGHTS "give its user the rights that socks5d(8) has under MORE THAN ONE SERVER"

static void say_why_not(struct doctor *d, const struct engine_probe *p, const char *engine)
{
	static const char *const advice[] = {[ENGINE_PROBE_NAME] = CORRECT,
		[ENGINE_PROBE_CONNECT] = REACH,
		[ENGINE_PROBE_LOGIN] = LOGIN};

	doctor_advise(d, DOCTOR_BAD, advice[p->stage], "%s: %s", engine, p->problem);
}

static void look_at_version(struct doctor *d, const struct engine_probe *p, const char *engine)
{
	if (p->major != 0 && p->major < LEAST_MAJOR)
		doctor_advise(d, DOCTOR_BAD, "take Redis 5 or later, or a fork of it",
			"%s is %s %s, which has no streams", engine, p->product, p->version);
	else if (p->product[0] == '\0')
		doctor_say(d, DOCTOR_OK, "%s does not tell its version", engine);
	else
		doctor_say(d, DOCTOR_OK, "%s is %s %s", engine, p->product, p->version);
}

static const char *advice_for_refusal(const char *problem)
{
	static const struct {
		const char *word, *advice;
	} rows[] = {
		{"READONLY", "name the primary in shared, not a replica"},
		{"MISCONF", "mend its disk, or have it keep nothing on one (save \"\")"},
		{"OOM", "give it more memory (maxmemory): it is full"},
		{"NOPERM", RIGHTS},
		{"ERR unknown command", "take Redis 5 or later, or a fork that has the command"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strncmp(problem, rows[i].word, strlen(rows[i].word)) == 0)
			return rows[i].advice;
	}
	return "see its log: a node that cannot do that is for itself";
}

static void look_at_rights(struct doctor *d, const struct engine_probe *p)
{
	if (p->write_problem[0] != '\0')
		doctor_advise(d, DOCTOR_BAD, advice_for_refusal(p->write_problem),
			"nothing can be written: %s", p->write_problem);
	else if (p->event_problem[0] != '\0')
		doctor_advise(d, DOCTOR_BAD, advice_for_refusal(p->event_problem),
			"streams cannot be used: %s", p->event_problem);
	else
		doctor_say(d, DOCTOR_OK, "it can be written to");
	if (d->config->settings.shared_users && p->script_problem[0] != '\0')
		doctor_advise(d, DOCTOR_BAD, advice_for_refusal(p->script_problem),
			"scripts cannot be run, which shared_users needs: %s", p->script_problem);
}

static void look_at_memory(struct doctor *d, const struct engine_probe *p)
{
	if (p->policy[0] == '\0')
		doctor_say(d, DOCTOR_OK, "it does not tell what it does when its memory is full");
	else if (strcmp(p->policy, "noeviction") != 0)
		doctor_advise(d, DOCTOR_WARN,
			"set maxmemory-policy noeviction there, or take one that serves nothing else",
			"when its memory is full it drops keys (maxmemory-policy %s): what was used "
			"and who is banned",
			p->policy);
}

static void look_at_clocks(struct doctor *d, const struct engine_probe *p)
{
	int64_t apart = p->ahead < 0 ? -p->ahead : p->ahead;

	if (p->has_clock && apart > APART_S)
		doctor_advise(d, DOCTOR_WARN,
			"have both kept right (timedatectl set-ntp true): periods of quotas begin "
			"by the clock of each node",
			"its clock is %" PRId64 " s %s this host's", apart,
			p->ahead < 0 ? "behind" : "ahead of");
}

static void look_at_secrecy(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	bool has_password = s->shared.password[0] != '\0' || s->shared_password_file[0] != '\0';

	if (shared_place_is_local(&s->shared))
		return;
	if (has_password)
		doctor_advise(d, DOCTOR_WARN,
			"have it in a network of the servers' own, or lead the way through a tunnel "
			"(WireGuard, stunnel)",
			"the password goes to %s in clear", s->shared.host);
	else
		doctor_advise(d, DOCTOR_WARN, "give it a password (shared_password_file)",
			"whoever reaches %s decides over quotas and bans: it wants no password",
			s->shared.host);
}

/* One of them is the server that runs, where one does. */
static void look_at_name(struct doctor *d, const struct engine_probe *p)
{
	size_t others = p->namesakes - (d->is_running && p->namesakes > 0);

	if (others > 0)
		doctor_advise(d, DOCTOR_WARN, "give each a node_name of its own",
			"%zu other node%s %s, too", others,
			others == 1 ? " calls itself" : "s call themselves", p->node);
	else
		doctor_say(d, DOCTOR_OK, "no other node is called %s", p->node);
}

static void look_at_engine(struct doctor *d)
{
	const struct settings *s = &d->config->settings;
	char engine[SHARED_TEXT_MAX];
	struct engine_probe p;

	if (!shared_place_is_set(&s->shared))
		return;
	engine_probe(s, &p);
	shared_place_format(&s->shared, engine);
	if (p.stage != ENGINE_PROBE_DONE) {
		say_why_not(d, &p, engine);
		return;
	}
	look_at_version(d, &p, engine);
	look_at_rights(d, &p);
	look_at_memory(d, &p);
	look_at_clocks(d, &p);
	look_at_secrecy(d);
	look_at_name(d, &p);
}

const struct doctor_check doctor_shared_checks[] = {
	{"shared", look_at_engine},
	{.topic = NULL},
};
