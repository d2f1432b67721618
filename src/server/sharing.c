/*
 * The thread joins, and then asks every quarter of a second what is new and tells what has changed;
 * every few seconds it tells that the node is there, and what accounts have used. Each command has
 * a deadline; whatever fails ends the connection, and it joins again after a pause that grows.
 *
 * To join is to read everything and to tell everything, so nothing depends on what the engine has
 * kept meanwhile. Between two joins what was read last serves.
 */
#include "server/sharing_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/node_name.h"
#include "state/cluster_text.h"
#include "state/ledger_limits.h"

#define LEAST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 5000

/* A pause of the process, in which more may have happened than the engine keeps. */
#define LONG_MS 5000

const char *sharing_key(
	const struct sharing *s, const char *word, const char *name, char out[SHARING_KEY_MAX])
{
	snprintf(out, SHARING_KEY_MAX, "%s:%s%s%.160s", s->prefix, word, name == NULL ? "" : ":",
		name == NULL ? "" : name);
	return out;
}

int sharing_settle(struct sharing *s, char *error)
{
	size_t asked = s->asked;

	s->asked = 0;
	return engine_skip(s->engine, asked, error);
}

int sharing_no_memory(char *error)
{
	snprintf(error, SHARING_ERROR_MAX, "out of memory");
	return -1;
}

bool sharing_is_stopping(struct sharing *s)
{
	bool is_stopping;

	mutex_lock(&s->lock);
	is_stopping = s->stopping;
	mutex_unlock(&s->lock);
	return is_stopping;
}

int sharing_no_time(char *error)
{
	snprintf(error, SHARING_ERROR_MAX, "the server stops");
	return -1;
}

/* ---- joining ---- */

static int connect_engine(struct sharing *s, char *error)
{
	struct addr at;

	if (s->place.path[0] != '\0')
		return engine_connect(s->engine, &s->place, NULL, error);
	if (engine_find(&s->place, s->services->resolver, &s->services->budget, &at))
		return engine_connect(s->engine, &s->place, &at, error);
	snprintf(error, SHARING_ERROR_MAX, "%s has no address", s->place.host);
	return -1;
}

static void put_random_word(char out[CLUSTER_WORD_MAX])
{
	unsigned char random[8];

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(out, CLUSTER_WORD_MAX, random, sizeof(random));
}

/* The word that the engine's memory is known by, which whoever comes first has put there. */
static int read_epoch(struct sharing *s, char out[CLUSTER_WORD_MAX], char *error)
{
	char key[SHARING_KEY_MAX], fresh[CLUSTER_WORD_MAX];
	redisReply *r;

	sharing_key(s, "epoch", NULL, key);
	put_random_word(fresh);
	SHARING_ASK(s, "SET", key, fresh, "NX");
	if (sharing_settle(s, error) < 0)
		return -1;
	ENGINE_ASK(s->engine, "GET", key);
	r = engine_reply_of(
		s->engine, REDIS_REPLY_STRING, "the engine forgets what it is told", error);
	if (r == NULL)
		return -1;
	snprintf(out, CLUSTER_WORD_MAX, "%s", engine_text(r));
	freeReplyObject(r);
	return 0;
}

/* Another one than before: it has lost what it knew, and is told everything anew. */
static int check_epoch(struct sharing *s, char *error)
{
	char now[CLUSTER_WORD_MAX];

	if (read_epoch(s, now, error) < 0)
		return -1;
	if (strcmp(now, s->epoch) == 0)
		return 0;
	snprintf(error, SHARING_ERROR_MAX, "the engine has lost what it knew");
	return -1;
}

static int sweep(struct sharing *s, char *error)
{
	sharing_sweep_copy(s);
	return sharing_sweep_bans(s, error);
}

/* Whoever hears of another process of a node drops the sessions of the last one: so that it is
 * there is told before what runs there. */
static int beat(struct sharing *s, char *error)
{
	s->beat_due = clock_deadline(SHARING_BEAT_MS);
	if (clock_ms() >= s->sweep_due && sweep(s, error) < 0)
		return -1;
	if (check_epoch(s, error) < 0 || sharing_read_clock(s, error) < 0 ||
		sharing_read_nodes(s, error) < 0 || sharing_tell_beat(s, error) < 0 ||
		sharing_tell_accounts(s, error) < 0 || sharing_look_at_users(s, error) < 0)
		return -1;
	return clock_ms() < s->engine_sweep_due ? 0 : sharing_sweep_engine(s, error);
}

/* What was used is told behind what was read: it may have begun anew elsewhere. What runs is told
 * from the beginning: the engine may have such as ran in a process before this one. */
static int join(struct sharing *s, char *error)
{
	s->asked = 0;
	if (connect_engine(s, error) < 0 || read_epoch(s, s->epoch, error) < 0 ||
		sharing_claim_part(s, error) < 0)
		return -1;
	sharing_forget_told(s);
	sharing_begin_users(s);
	cluster_begin_listening(s->cluster, clock_ms());
	if (sharing_read_clock(s, error) < 0 || sharing_read_own(s, error) < 0 ||
		sharing_read_all(s, error) < 0 || sharing_sweep_bans(s, error) < 0 ||
		sharing_tell_bans(s, error) < 0)
		return -1;
	sharing_take_back_running(s);
	sharing_plan_sweep(s);
	return beat(s, error);
}

/* What somebody waits for comes first. */
static int turn(struct sharing *s, char *error)
{
	if (sharing_tell_kills(s, error) < 0 || sharing_turn_users(s, &s->has_more, error) < 0 ||
		sharing_read_events(s, error) < 0 || sharing_tell_bans(s, error) < 0 ||
		sharing_tell_resets(s, error) < 0)
		return -1;
	s->has_news |= cluster_note_silence(s->cluster, clock_ms());
	return clock_ms() < s->beat_due ? 0 : beat(s, error);
}

/* ---- how it goes ---- */

static void note_up(struct sharing *s)
{
	s->heard = clock_ms();
	s->is_joined = true;
	s->pause_ms = 0;
	(void)kills_set_open(s->kills, true);
	if (cluster_note_up(s->cluster, s->heard, engine_commands(s->engine)))
		log_message(LOG_INFO, "shared: joined the other nodes as %s", s->node);
	sharing_note_heard(s);
}

static void say_down(struct sharing *s, const char *problem)
{
	int64_t grace = sharing_note_missed(s);
	char engine[SHARED_TEXT_MAX], text[80] = "";

	if (grace > 0)
		snprintf(text, sizeof(text), ", users whom nodes share for another %" PRId64 " s",
			(grace + 999) / 1000);
	log_message(LOG_ERROR,
		"shared: %s does not work, and is tried again; meanwhile what is known serves%s: "
		"%s",
		shared_place_format(&s->place, engine), text, problem);
}

static void note_down(struct sharing *s, const char *problem)
{
	engine_close(s->engine);
	s->is_joined = s->has_more = false;
	sharing_drop_kills(s);
	s->pause_ms = s->pause_ms == 0 ? LEAST_PAUSE_MS : 2 * s->pause_ms;
	if (s->pause_ms > LONGEST_PAUSE_MS)
		s->pause_ms = LONGEST_PAUSE_MS;
	if (cluster_note_down(s->cluster, clock_ms(), problem))
		say_down(s, problem);
	(void)sharing_note_missed(s);
}

static void say_namesake(struct sharing *s)
{
	struct cluster_status status;
	uint64_t held_back;

	cluster_look(s->cluster, clock_ms(), &status);
	if ((!s->is_copied && status.namesakes == 0) ||
		!log_limit_pass(&s->namesake_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	if (s->is_copied)
		log_message(LOG_ERROR,
			"state_dir: another node has this one's, or a copy of it, so what both use "
			"counts as one's: give it an empty one");
	else
		log_message(LOG_ERROR,
			"node_name: another node calls itself %s, too: each needs a name of its own",
			s->node);
}

/* ---- the thread ---- */

/* From any thread. */
static void call_sharing(void *context)
{
	struct sharing *s = context;

	mutex_lock(&s->lock);
	s->is_called = true;
	pthread_cond_signal(&s->told);
	mutex_unlock(&s->lock);
}

/* False when it is to end. What is to be told at once is not while the engine does not work. */
static bool wait_for_turn(struct sharing *s)
{
	int64_t pause = s->pause_ms == 0 ? SHARING_PERIOD_MS : s->pause_ms;
	int64_t until = clock_deadline(s->has_more ? 0 : pause);
	struct timespec at = clock_timespec(until);
	bool goes_on;

	mutex_lock(&s->lock);
	while (!s->stopping && (!s->is_called || s->pause_ms > 0) && clock_ms() < until)
		(void)pthread_cond_clockwait(&s->told, &s->lock.mutex, CLOCK_MONOTONIC, &at);
	s->is_called = false;
	goes_on = !s->stopping;
	mutex_unlock(&s->lock);
	return goes_on;
}

/* Behind a long pause the events may not be all there any more. */
static bool has_slept(const struct sharing *s)
{
	return clock_ms() - s->heard > LONG_MS;
}

/* Who is to see to what has come. */
static void ring_bells(struct sharing *s)
{
	if (s->has_news)
		s->bell.ring(s->bell.context);
	if (s->users.has_arrivals)
		s->bell.ring_users(s->bell.context);
	s->has_news = s->users.has_arrivals = false;
}

/* Users come in slices, from the turn behind the one in which it has joined on. */
void sharing_step(struct sharing *s)
{
	char error[SHARING_ERROR_MAX];
	bool joins = !s->is_joined || has_slept(s);
	int result;

	sharing_note_ban_ends(s);
	s->has_more = joins;
	result = joins ? join(s, error) : turn(s, error);
	if (result == 0)
		note_up(s);
	else if (!sharing_is_stopping(s))
		note_down(s, error);
	say_namesake(s);
	ring_bells(s);
}

static void *run_sharing(void *arg)
{
	struct sharing *s = arg;
	char error[SHARING_ERROR_MAX];

	pthread_setname_np(pthread_self(), "shared");
	do {
		sharing_step(s);
	} while (wait_for_turn(s));
	sharing_note_ban_ends(s);
	if (s->is_joined)
		(void)!sharing_tell_end(s, error);
	sharing_drop_kills(s);
	sharing_end_grace(s);
	return NULL;
}

int sharing_start(struct sharing *s)
{
	int error = pthread_create(&s->thread, NULL, run_sharing, s);

	s->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

void sharing_stop(struct sharing *s)
{
	if (s == NULL || !s->is_started)
		return;
	mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->told);
	mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->is_started = false;
}

/* ---- making ---- */

static int make_parts(struct sharing *s, char *error)
{
	s->cluster = cluster_new();
	s->engine = engine_new();
	s->uses = told_new();
	s->running = told_new();
	s->bans = told_new();
	s->ban_marks = told_new();
	s->ban_ends = told_new();
	s->ban_doubts = told_new();
	s->ban_names = told_new();
	s->batch = sharing_batch_new();
	s->kills = kills_new(call_sharing, s);
	if (s->cluster != NULL && s->engine != NULL && s->uses != NULL && s->running != NULL &&
		s->bans != NULL && s->ban_marks != NULL && s->ban_ends != NULL &&
		s->ban_doubts != NULL && s->ban_names != NULL && s->kills != NULL &&
		s->batch != NULL)
		return 0;
	snprintf(error, SHARING_ERROR_MAX, "shared: out of memory");
	return -1;
}

/* Into `place`, and the node's name. */
static int read_settings(const struct settings *settings, struct shared_place *place,
	char node[CLUSTER_NODE_MAX], char *error)
{
	*place = settings->shared;
	if (node_name_find(settings, node))
		return engine_read_password(settings->shared_password_file, place, error);
	snprintf(error, SHARING_ERROR_MAX,
		"node_name: this host's name is none that a node can have: set it");
	return -1;
}

int sharing_check(const struct settings *settings, char error[SHARING_ERROR_MAX])
{
	struct shared_place place;
	char node[CLUSTER_NODE_MAX];
	int result = read_settings(settings, &place, node, error);

	sodium_memzero(&place, sizeof(place));
	return result;
}

static int set_up(struct sharing *s, const struct settings *settings, char *error)
{
	if (read_settings(settings, &s->place, s->node, error) < 0)
		return -1;
	snprintf(s->prefix, sizeof(s->prefix), "%s", settings->shared_prefix);
	put_random_word(s->instance);
	sharing_recall_part(s, settings->state_dir[0] != '\0');
	return make_parts(s, error);
}

struct sharing *sharing_new(const struct settings *settings, struct services *v,
	const struct sharing_bell *bell, char error[SHARING_ERROR_MAX])
{
	struct sharing *s = calloc(1, sizeof(*s));
	char engine[SHARED_TEXT_MAX];

	if (s == NULL) {
		snprintf(error, SHARING_ERROR_MAX, "shared: out of memory");
		return NULL;
	}
	mutex_init(&s->lock);
	pthread_cond_init(&s->told, NULL);
	s->services = v;
	s->bell = *bell;
	if (set_up(s, settings, error) < 0) {
		sharing_free(s);
		return NULL;
	}
	if (standing_is_kept(v->standing) && cluster_keep(s->cluster, v->standing) < 0) {
		snprintf(error, SHARING_ERROR_MAX, "shared: out of memory");
		sharing_free(s);
		return NULL;
	}
	sharing_begin_grace(s);
	cluster_introduce(s->cluster, s->node, shared_place_format(&s->place, engine));
	v->cluster = s->cluster;
	v->kills = s->kills;
	if (v->shared_users != NULL)
		shared_users_set_alarm(v->shared_users, call_sharing, s);
	ledger_join_cluster(v->ledger, v->cluster);
	return s;
}

void sharing_free(struct sharing *s)
{
	if (s == NULL)
		return;
	s->services->cluster = NULL;
	s->services->kills = NULL;
	if (s->services->shared_users != NULL)
		shared_users_set_alarm(s->services->shared_users, NULL, NULL);
	if (s->services->ledger != NULL)
		ledger_join_cluster(s->services->ledger, NULL);
	told_free(s->uses);
	told_free(s->running);
	told_free(s->bans);
	sharing_batch_free(s->batch);
	told_free(s->ban_marks);
	told_free(s->ban_ends);
	told_free(s->ban_doubts);
	told_free(s->ban_names);
	kills_free(s->kills);
	sharing_end_users(s);
	engine_free(s->engine);
	cluster_free(s->cluster);
	pthread_cond_destroy(&s->told);
	mutex_destroy(&s->lock);
	sodium_memzero(&s->place, sizeof(s->place));
	free(s);
}
