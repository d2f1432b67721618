/*
 * What has changed since the last time is written as one batch, in one transaction: what stands,
 * which users are no more, and what accounts have used. A batch that cannot be written, to a full
 * disk say, is tried again, and grows meanwhile, up to the bound that a batch has.
 *
 * What counts for a user who was deleted may come behind his end, as long as he has sessions. So
 * those who ended are remembered for a while, with the account that is theirs.
 */
#include "server/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/log.h"
#include "server/history_tables.h"

#define STEP_MS (60 * 60 * 1000) /* that counts as setting the clock */

/* That are kept; 0: none. */
struct history_days {
	int accounts, sites;
};

/* Those who ended since the start, the newest. */
struct formers {
	size_t count;
	struct history_former of[ARCHIVE_FORMER_MAX];
};

struct archive {
	struct services *services;
	struct database *database;
	bool has_failed; /* the last batch */
	const char *problem; /* with it */
	struct log_limit failed_limit;
	struct history_batch *batch; /* what is not written yet, and what could not be */
	struct history_end *ends; /* likewise */
	struct formers formers;
	struct formers next; /* as they will be when the batch is written */
	int64_t lead; /* clock_lead() when it was looked at last */
};

/* ---- what stands ---- */

static void load_fact(void *context, const char *kind_word, const char *key, const char *value)
{
	struct archive *a = context;
	enum standing_kind kind;

	/* A kind that is none any more stays where it is. */
	if (standing_kind_parse(kind_word, &kind) &&
		standing_put(a->services->standing, kind, key, value) < 0)
		log_message(LOG_ERROR, "state_dir: out of memory, so %s %s is not in force",
			kind_word, key);
}

static int write_facts(struct archive *a, const struct standing_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (database_put_fact(a->database, standing_kind_word(facts[i].kind), facts[i].key,
			    facts[i].value) < 0)
			return -1;
	}
	return 0;
}

/* ---- batches ---- */

static void say_put_aside(struct archive *a)
{
	const char *aside = database_put_aside(a->database);

	if (aside != NULL)
		log_message(LOG_ERROR,
			"state_dir: the database was damaged, and is begun anew; the old one is %s",
			aside);
}

/* What stands is known here, and written again the next time; history is not. */
static void begin_anew(struct archive *a)
{
	if (database_renew(a->database) == 0)
		standing_tell_all(a->services->standing);
	a->formers.count = 0;
	say_put_aside(a);
}

static void note_failure(struct archive *a, const char *problem)
{
	uint64_t held_back;

	a->problem = problem;
	a->has_failed = true;
	if (log_limit_pass(&a->failed_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR,
			"state_dir: nothing can be written, which is tried again: %s", problem);
}

static void note_success(struct archive *a)
{
	if (a->has_failed)
		log_message(LOG_INFO, "state_dir: it can be written again");
	a->has_failed = false;
}

/* All that there is to be written. */
struct load {
	struct standing_fact *facts;
	size_t fact_count;
	struct history_wanted wanted;
	int32_t day;
};

static bool is_anything(const struct archive *a, const struct load *l)
{
	return l->fact_count > 0 || a->ends != NULL || history_batch_count(a->batch) > 0;
}

static void copy_formers(struct formers *to, const struct formers *from)
{
	to->count = from->count;
	memcpy(to->of, from->of, from->count * sizeof(*from->of));
}

/* Behind those of before, of which the oldest make room. */
static int write_end(struct archive *a, const struct history_end *end, int32_t day)
{
	struct formers *f = &a->next;

	if (f->count == ARCHIVE_FORMER_MAX)
		memmove(f->of, f->of + 1, --f->count * sizeof(*f->of));
	return history_tables_end_user(a->database, end->name, end->last, day, &f->of[f->count++]);
}

static int write_ends(struct archive *a, int32_t day)
{
	copy_formers(&a->next, &a->formers);
	for (const struct history_end *e = a->ends; e != NULL; e = e->next) {
		if (write_end(a, e, day) < 0)
			return -1;
	}
	return 0;
}

static int write_load(struct archive *a, const struct load *l)
{
	struct database *d = a->database;

	if (database_begin(d) == 0 && write_facts(a, l->facts, l->fact_count) == 0 &&
		write_ends(a, l->day) == 0 &&
		history_tables_add(d, a->batch, l->wanted, a->next.of, a->next.count) == 0 &&
		database_commit(d) == 0) {
		copy_formers(&a->formers, &a->next);
		return 0;
	}
	database_roll_back(d);
	return -1;
}

static void free_ends(struct archive *a)
{
	for (struct history_end *e = a->ends, *next; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	a->ends = NULL;
}

/* It is written. */
static void drop_load(struct archive *a, const struct load *l)
{
	standing_told(a->services->standing, l->facts, l->fact_count);
	free_ends(a);
	history_batch_clear(a->batch);
}

static void add_news(struct archive *a, const struct ledger_share *share, int32_t day)
{
	char client[NETWORK_TEXT_MAX];
	struct history_row row = {.is_user = share->is_user,
		.serial = share->serial,
		.day = day,
		.name = share->name,
		.site = "",
		.counts = share->counts};

	if (!share->is_user)
		row.name = network_format(&share->client, client);
	history_batch_add(a->batch, &row);
}

static void take_news(struct archive *a, int32_t day)
{
	struct services *v = a->services;
	size_t count;
	struct ledger_share *shares = ledger_take_news(v->ledger, &count);

	history_take(v->history, day, a->batch, &a->ends);
	for (size_t i = 0; shares != NULL && i < count; i++)
		add_news(a, &shares[i], day);
	free(shares);
}

static struct history_days days_kept(const struct archive *a)
{
	struct config *c = config_get(a->services->config);
	struct history_days days = {
		.accounts = (int)c->settings.history_days, .sites = (int)c->settings.sites_days};

	config_release(c);
	return days;
}

/* A second time where the first has shown that the file is damaged. */
static int write_or_renew(struct archive *a, const struct load *l)
{
	int result = write_load(a, l);

	if (result < 0 && database_is_damaged(a->database)) {
		begin_anew(a);
		result = write_load(a, l);
	}
	return result;
}

/* Fills in all that has come since the last time. -1 without memory. */
static int gather(struct archive *a, struct load *l)
{
	struct history_days days = days_kept(a);

	*l = (struct load){.day = day_of(time(NULL)),
		.wanted = {.accounts = days.accounts > 0, .sites = days.sites > 0}};
	take_news(a, l->day);
	l->facts = standing_changes(a->services->standing, &l->fact_count);
	return l->facts == NULL ? -1 : 0;
}

int archive_write(struct archive *a, bool *was_anything)
{
	struct load l;
	int result = 0;

	*was_anything = true;
	if (gather(a, &l) < 0) {
		note_failure(a, "out of memory");
		return -1;
	}
	*was_anything = is_anything(a, &l);
	if (*was_anything)
		result = write_or_renew(a, &l);
	if (result == 0) {
		note_success(a);
		drop_load(a, &l);
	} else {
		note_failure(a, database_error(a->database));
	}
	free(l.facts);
	return result;
}

/* ---- what is too old ---- */

/* By how much the clock of the day is ahead of the one that counts from the start: as long as
 * nobody sets it, always the same. */
static int64_t clock_lead(void)
{
	return (int64_t)time(NULL) * 1000 - clock_ms();
}

/* A clock that was just set, or is about to be, as on a host that comes up without one, is not to
 * cost the history: days are deleted only when it has been right for a while. */
static bool is_clock_steady(struct archive *a)
{
	int64_t lead = clock_lead(), step = lead - a->lead;

	a->lead = lead;
	return step > -STEP_MS && step < STEP_MS;
}

static int32_t first_day(int32_t today, int days)
{
	return day_add(today, 1 - days);
}

static void prune(struct archive *a)
{
	struct history_days days = days_kept(a);
	struct database *d = a->database;
	int32_t today = day_of(time(NULL));

	if (database_begin(d) == 0 &&
		history_tables_prune(
			d, first_day(today, days.accounts), first_day(today, days.sites)) == 0 &&
		database_commit(d) == 0)
		return;
	database_roll_back(d);
	note_failure(a, database_error(d));
}

bool archive_prune(struct archive *a)
{
	bool is_steady = is_clock_steady(a);

	if (is_steady)
		prune(a);
	return is_steady;
}

/* ---- opening ---- */

static int open_parts(struct archive *a, const char *folder, char *error)
{
	a->batch = history_batch_new();
	if (a->batch == NULL) {
		snprintf(error, DATABASE_ERROR_MAX, "out of memory");
		return -1;
	}
	a->database = database_open(folder, error);
	if (a->database == NULL)
		return -1;
	say_put_aside(a);
	if (database_each_fact(a->database, load_fact, a) == 0)
		return 0;
	snprintf(error, DATABASE_ERROR_MAX, "state_dir: \"%.512s\": %s", folder,
		database_error(a->database));
	return -1;
}

struct archive *archive_open(const char *folder, struct services *v, char error[DATABASE_ERROR_MAX])
{
	struct archive *a = calloc(1, sizeof(*a));
	int saved;

	if (a == NULL) {
		snprintf(error, DATABASE_ERROR_MAX, "out of memory");
		return NULL;
	}
	a->services = v;
	a->lead = clock_lead();
	if (open_parts(a, folder, error) == 0)
		return a;
	saved = errno;
	archive_close(a);
	errno = saved;
	return NULL;
}

struct database *archive_database(struct archive *a)
{
	return a->database;
}

const char *archive_problem(const struct archive *a)
{
	return a->problem;
}

void archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	history_batch_free(a->batch);
	free_ends(a);
	database_close(a->database);
	free(a);
}
