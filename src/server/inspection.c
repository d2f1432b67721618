/*
 * Reads what a server would be opened with, and opens nothing: so it may be asked while one runs,
 * and by who may not open what it would.
 */
#include "server/inspection.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "server/accounts.h"
#include "server/addresses.h"
#include "server/check.h"
#include "server/doctor.h"
#include "server/effects.h"
#include "server/explain.h"
#include "server/fronts.h"
#include "server/limiting.h"
#include "state/admission.h"

/* What it takes to look at a configuration that nothing is opened for. -1 with `error`. */
static int prepare_to_look(
	struct services *v, const struct options *o, struct config *c, char *error)
{
	struct addresses addresses;

	admission_decide_auto(c, o->user_count > 0);
	if (accounts_make(v, &c->settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
		return -1;
	}
	addresses_init(&addresses, v->own);
	fronts_plan_own(c);
	return 0;
}

int inspection_check(const struct options *o, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};
	int result;

	if (c == NULL)
		return -1;
	result = prepare_to_look(&v, o, c, error);
	if (result == 0)
		result = check_opening(&v, o, c, error);
	accounts_release(&v);
	config_release(c);
	return result;
}

/* ---- explain ---- */

static int open_resolver(struct services *v, const struct settings *s, char *error)
{
	struct resolver_options options = effects_resolver_options(s);

	fdbudget_plan(&v->budget, fdbudget_raise_limit(), fdbudget_count_open(), 1);
	v->resolver = resolver_new(&options, &v->budget);
	if (v->resolver != NULL && resolver_start(v->resolver) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "names cannot be looked up: %s", strerror(errno));
	return -1;
}

static int apply_limits_to_look(struct services *v, struct config *c, char *error)
{
	if (limiting_apply(v, c) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

/* Takes over the configuration and what was prepared. */
static int explain_by(struct services *v, const struct options *o, struct config *c, FILE *out,
	enum explain_verdict *verdict, char *error)
{
	struct question q;
	char why[QUESTION_ERROR_MAX] = "";
	int result = -1;

	v->config = config_store_new(c);
	if (v->config == NULL)
		config_release(c);
	if (v->config == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	} else if (!question_parse(o->question, strlen(o->question), &q, why)) {
		snprintf(error, CONFIG_ERROR_MAX, "--explain: %s", why);
	} else if (!o->asks_names || open_resolver(v, &c->settings, error) == 0) {
		*verdict = explain(v, &q, o->asks_names, out);
		result = 0;
	}
	resolver_free(v->resolver);
	config_store_free(v->config);
	accounts_release(v);
	return result;
}

int inspection_explain(const struct options *o, FILE *out, enum explain_verdict *verdict,
	char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};

	if (c == NULL)
		return -1;
	if (prepare_to_look(&v, o, c, error) == 0 && accounts_look(&v, o, error) == 0 &&
		effects_compile_upstreams(c, NULL, v.own, error) == 0 &&
		effects_compile_rules(c, NULL, false, error) == 0 &&
		apply_limits_to_look(&v, c, error) == 0)
		return explain_by(&v, o, c, out, verdict, error);
	accounts_release(&v);
	config_release(c);
	return -1;
}

/* ---- examine ---- */

/* Only what is bad counts. */
static int examine(
	const struct services *v, const struct config *c, const char *users_problem, FILE *out)
{
	struct doctor d = {.config = c,
		.services = v,
		.users = users_count(v->users),
		.users_problem = users_problem,
		.out = out};

	return doctor_look(&d) ? 0 : (int)d.found[DOCTOR_BAD];
}

int inspection_examine(const struct options *o, FILE *out, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct services v = {.users = NULL};
	char users_problem[CONFIG_ERROR_MAX] = "";
	int result = -1;

	if (c == NULL)
		return -1;
	log_set_level(LOG_ERROR); /* what else would be said is said here */
	admission_decide_auto(c, o->user_count > 0);
	if (accounts_make(&v, &c->settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
	} else if (own_refresh(v.own) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "the addresses of this host cannot be read: %s",
			strerror(errno));
	} else {
		bool are_known = accounts_look(&v, o, users_problem) == 0;

		result = examine(&v, c, are_known ? "" : users_problem, out);
	}
	accounts_release(&v);
	config_release(c);
	return result;
}
