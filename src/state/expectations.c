/*
 * What holds now may not hold in an hour, when a rule's time begins: so an expectation without a
 * time is asked at each border of the rules' times in the days to come, eight of them, since a week
 * with a change of summer time in it has an hour more. Temporary rules end by themselves, and are
 * no reason to refuse a configuration.
 *
 * A name without an address is judged as it is before it is looked up.
 */
#include "state/expectations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/writing.h"
#include "state/expectation.h"
#include "state/rule_origin.h"
#include "state/rule_time.h"
#include "state/rules.h"

#define HORIZON (INT64_C(8) * 24 * 3600) /* seconds that are looked ahead */
#define BORDERS_MOST 20000 /* in them: 8 days have fewer minutes */

struct holding {
	const struct config *config;
	struct own *own;
	const struct group_source *groups;
};

/* How much of what it asks for is known. */
enum knows { KNOWS_COMMAND, KNOWS_NAME, KNOWS_ALL };

static struct verdict judge_at(
	const struct holding *h, const struct question *q, int64_t time, enum knows knows)
{
	char groups[GROUP_SOURCE_TEXT_MAX];
	struct destination dst;
	struct subject subject;

	question_set_subject(q, &dst, &subject);
	subject.groups = group_source_of(h->groups, q->user, groups);
	subject.own = h->own;
	subject.time = time;
	if (knows < KNOWS_ALL)
		subject.addr = NULL;
	if (knows < KNOWS_NAME)
		subject.dst = NULL;
	if (subject.addr != NULL && rules_ask_where(h->config, subject.addr))
		subject.is_here = own_has_address(h->own, subject.addr);
	return rules_judge(h->config, &subject);
}

/* An association is judged by itself before its datagrams are, and a name before its addresses,
 * which do not count where it is sent on. */
static struct verdict judge_whole(const struct holding *h, const struct question *q, int64_t time)
{
	struct verdict v = {.allowed = true};

	if (q->command == REQUEST_UDP_ASSOCIATE)
		v = judge_at(h, q, time, KNOWS_COMMAND);
	if (v.allowed && q->has_target && q->name_len > 0)
		v = judge_at(h, q, time, KNOWS_NAME);
	if (!v.allowed || v.is_by_name)
		return v;
	return judge_at(h, q, time, q->has_target ? KNOWS_ALL : KNOWS_COMMAND);
}

/* ---- what is said where it does not hold ---- */

static void put_failure(const struct holding *h, const struct expectation *e,
	const struct verdict *v, int64_t time, FILE *out)
{
	const time_t seconds = (time_t)time;
	char when[32] = "";
	struct tm tm;

	if (e->place.file != NULL)
		fprintf(out, "%s:%u: ", e->place.file, e->place.line);
	fputs("expect: \"", out);
	expectation_put(e, out);
	if (localtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof(when), "%a %H:%M", &tm);
	fprintf(out, "\": on %s it is %s by ", when, v->allowed ? "allowed" : "denied");
	rule_origin_put_place(h->config, v->rule, out);
	fprintf(out, ": rule %s: \"", v->rule);
	rule_origin_put_text(h->config, v->rule, out);
	fputs("\"", out);
}

static void tell_failure(const struct holding *h, const struct expectation *e,
	const struct verdict *v, int64_t time, char *error)
{
	struct writing w;

	if (writing_begin(&w) != NULL)
		put_failure(h, e, v, time, w.out);
	snprintf(error, CONFIG_ERROR_MAX, "%s", writing_end(&w) ? w.text : "out of memory");
	free(w.text);
}

/* ---- whether it holds ---- */

static bool is_met(const struct holding *h, const struct expectation *e, int64_t now, char *error)
{
	int64_t time = question_time(&e->question, now), end = time + HORIZON;

	for (size_t i = 0; i < BORDERS_MOST && time < end; i++) {
		struct verdict v = judge_whole(h, &e->question, time);

		if (v.allowed != e->allows) {
			tell_failure(h, e, &v, time, error);
			return false;
		}
		time = e->question.has_time ? end : rules_next_border(h->config->rules, time);
	}
	return true;
}

static bool are_met(const struct holding *h, int64_t now, char *error)
{
	const struct expectations *list = &h->config->settings.expect;

	for (size_t i = 0; i < list->count; i++) {
		if (!is_met(h, &list->items[i], now, error))
			return false;
	}
	return true;
}

/* A copy whose rules are those that somebody wrote into the configuration. NULL with `error`. */
static struct config *without_temporary(const struct config *c, char *error)
{
	struct config *copy = config_clone(c);
	struct rules *rules = copy == NULL || c->rules == NULL
		? NULL
		: rules_with_temporary(c->rules, &c->settings, NULL, 0, error);

	if (copy == NULL)
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	if (copy != NULL && rules == NULL && c->rules != NULL) {
		config_release(copy);
		return NULL;
	}
	if (copy != NULL)
		config_set_rules(copy, rules);
	return copy;
}

bool expectations_hold(const struct config *c, const struct group_source *groups, struct own *own,
	int64_t now, char error[CONFIG_ERROR_MAX])
{
	struct holding h = {.own = own, .groups = groups};
	struct config *judged;
	bool result;

	if (c->settings.expect.count == 0)
		return true;
	judged = without_temporary(c, error);
	if (judged == NULL)
		return false;
	h.config = judged;
	result = are_met(&h, now, error);
	config_release(judged);
	return result;
}
