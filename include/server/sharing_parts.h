/* sharing_parts: what sharing is made of, for its own files (sharing*.c) only. */
#ifndef SERVER_SHARING_PARTS_H
#define SERVER_SHARING_PARTS_H

#include <pthread.h>

#include "base/lock.h"
#include "base/log.h"
#include "server/engine.h"
#include "server/sharing.h"
#include "server/sharing_batch.h"
#include "server/told.h"
#include "state/grace.h"

#define SHARING_KEY_MAX 256 /* of a name of the engine's; its NUL included */
#define SHARING_EVENTS_KEPT "10000" /* about: who has missed more reads everything anew */

#define SHARING_BATCH 256 /* commands that are under way at once */

/* How far a node is with the users that all share. */
enum sharing_users_phase {
	USERS_READ, /* what the engine has is read */
	USERS_ASK, /* it is asked for all that are known here */
	USERS_ARRIVE, /* what has come is not in effect yet */
	USERS_KNOWN, /* either knows what the other does */
};

struct sharing_users {
	enum sharing_users_phase phase;
	char script[48]; /* by which the engine knows it; "": it does not, perhaps */
	char cursor[24]; /* of what is read */
	struct standing_fact *list; /* those that it is asked for, in USERS_ASK */
	size_t count, at; /* of these */
	size_t first; /* that it is asked for */
	uint64_t came, told; /* since it has joined */
	int64_t begun; /* clock_ms(): to join */
	bool is_torn; /* the connection was lost since this pass began */
	char epoch[CLUSTER_WORD_MAX]; /* of the memory that it is about */
	bool has_arrivals; /* for the bell */
	struct log_limit bad_limit; /* of what is said of those that can be nobody's */
};

struct sharing {
	struct services *services;
	struct shared_place place;
	char prefix[64], node[CLUSTER_NODE_MAX], instance[CLUSTER_WORD_MAX];
	/* By which what is used here is known to others (sharing_part.c), and a random word that is
	 * the part's owner's. */
	char part[CLUSTER_NODE_MAX], owner[CLUSTER_WORD_MAX];
	bool keeps_part; /* it outlives the process */
	bool is_new; /* to the others: what they have said was never read whole */
	struct sharing_bell bell;
	struct cluster *cluster;
	struct kills *kills;
	pthread_t thread;
	bool is_started;

	/* the thread's */
	struct engine *engine;
	struct told *uses, *running, *bans;
	bool tells_all_uses; /* the next time, not only what has changed */
	struct sharing_batch *batch;
	struct sharing_users users;
	struct told *ban_marks; /* what was said of each client last (sharing_ban_ends.c) */
	struct told *ban_ends; /* clients whose bans have ended here, which is still to be told */
	struct told *ban_doubts; /* clients who were lifted, which the engine may not know */
	bool has_recalled_bans; /* that were there before this run */
	struct told *ban_names; /* of clients that others call otherwise (sharing_ban_names.c) */
	int64_t engine_ahead_ms; /* of clock_ms(), its clock of the day */
	bool knows_clock; /* the engine has told it in this run; else it is this host's */
	char last_event[48]; /* the newest that was read */
	uint64_t beat;
	int64_t beat_due;
	bool is_joined;
	int64_t heard; /* clock_ms(): when that went well last */
	size_t asked; /* commands whose replies are still to come */
	size_t kills_on_way; /* of these */
	bool has_more; /* to do at once */
	bool has_news; /* for the bell */
	struct log_limit namesake_limit;
	bool is_copied; /* another node has this one's part */
	char outdated[CLUSTER_NODE_MAX]; /* the part of an own earlier process; "": none is known */
	char epoch[CLUSTER_WORD_MAX]; /* of the engine's memory, as it was seen last */
	int64_t pause_ms; /* before the next attempt to connect */
	int64_t sweep_due; /* of the copy on disk */
	int64_t engine_sweep_due; /* of what others have left in the engine */
	size_t fields_left; /* of the part that is looked at there (sharing_sweep.c) */
	struct grace grace; /* of users that nodes share; unused where they share none */

	struct mutex lock; /* the rest */
	pthread_cond_t told;
	bool stopping;
	bool is_called; /* there is something to tell at once */
};

/* What the thread does again and again: joins where it has not or has slept, or else tells and asks
 * what is new. */
void sharing_step(struct sharing *s);

/* "PREFIX:WORD" or "PREFIX:WORD:NAME" (NULL: without). Returns `out`. */
const char *sharing_key(
	const struct sharing *s, const char *word, const char *name, char out[SHARING_KEY_MAX]);

/* Throws away the replies that are still to come. -1 with the reason in `error`. */
int sharing_settle(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* The same once they are so many that it is time. */
int sharing_settle_batch(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* A command of which only is wanted that it succeeds. */
#define SHARING_ASK(s, ...) ((s)->asked++, ENGINE_ASK((s)->engine, __VA_ARGS__))

/* Says that in `error`, and returns -1. */
int sharing_no_memory(char *error);

/* Is it to end? Then what takes long does, too: sharing_no_time() says so in `error`, and returns
 * -1. */
bool sharing_is_stopping(struct sharing *s);
int sharing_no_time(char *error);

/* What those hear who are there. Its reply is still to come. */
void sharing_tell_event(
	struct sharing *s, const char *kind, const char *account, const char *value);

/* The same of many: "ACCOUNT VALUE", each with a newline behind it. */
void sharing_tell_events(struct sharing *s, const char *kind, const char *lines);

/* ---- the part that this node has ---- */

/* That which it had last, where it is kept. */
void sharing_recall_part(struct sharing *s, bool is_kept);

/* It knows what the others have said. */
void sharing_end_newness(struct sharing *s);

/* Makes sure that it is this node's alone, or takes another one. -1 with the reason in `error`. */
int sharing_claim_part(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* ---- telling; all return -1 with the reason in `error` ---- */

/* The value stands under the account in the hash `key`, which those who are there hear of. */
int sharing_tell_field(struct sharing *s, const char *key, const char *kind, const char *account,
	const char *value, char *error) __attribute__((warn_unused_result));

/* That the node is there. */
int sharing_tell_beat(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* What has changed of what is used and what runs here since it was told last. */
int sharing_tell_accounts(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Nothing runs here, as far as the engine knows. Its reply is still to come. */
void sharing_take_back_running(struct sharing *s);

/* What has changed of the bans, and which quotas have begun anew. */
int sharing_tell_bans(struct sharing *s, char *error) __attribute__((warn_unused_result));
int sharing_tell_resets(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* What was said of a client last, by whomever. */
enum ban_word {
	BAN_STANDS,
	BAN_LIFTED,
	BAN_LIFTED_ELSEWHERE, /* from a client of another name, who may be one of several here */
};

struct ban_mark {
	int64_t number; /* 0: nothing was said */
	enum ban_word word;
};

struct ban_mark sharing_ban_mark(const struct sharing *s, const char *client);
void sharing_mark_ban(struct sharing *s, const char *client, int64_t number, enum ban_word word);

/* Which bans that others know of have ended here, whether the engine is there or not. */
void sharing_note_ban_ends(struct sharing *s);

/* All is read: what was lifted and is not read is told again. */
void sharing_doubt_lifts(struct sharing *s);

/* Tells these, and which of those the engine does not know; and is there anything to tell? */
int sharing_tell_ban_ends(struct sharing *s, const char *key, char *error)
	__attribute__((warn_unused_result));
bool sharing_has_ban_ends(const struct sharing *s);

/* What was said of a ban under that name is about `client` here. */
void sharing_note_ban_name(struct sharing *s, const char *name, const char *client);

/* What is told of the client is told under the other names that it has, too; NULL: nothing is said
 * under them any more. */
int sharing_tell_ban_names(struct sharing *s, const char *key, const char *client,
	const char *value, char *error) __attribute__((warn_unused_result));

/* Takes away what was said long ago of clients who are banned no more. */
int sharing_sweep_bans(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Whose sessions are to end there, too. */
int sharing_tell_kills(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Nobody is told of them any more. */
void sharing_drop_kills(struct sharing *s);

/* Everything again, from the next time on, but for what is read meanwhile of what the engine has.
 */
void sharing_forget_told(struct sharing *s);

/* That the node stops. */
int sharing_tell_end(struct sharing *s, char *error) __attribute__((warn_unused_result));

#define SHARING_BAN_MAX 128 /* of what is said of one; its NUL included */

/* Of how a ban is known to be the same as before, whatever the clock of the day is set to: "UNTIL"
 * by clock.h and what else there is; 0 is never. */
#define SHARING_BAN_IDENTITY_MAX 80

/* Seconds for which it is remembered that a client was lifted. */
#define SHARING_LIFTED_FOR (INT64_C(40) * 24 * 60 * 60)

/* ---- reading; likewise ---- */

/* What a node has said of an account, or of what else the word is. -1 without memory only: what
 * cannot be read is passed over. */
typedef int sharing_taker(
	struct sharing *s, const char *node, const char *account, const char *value);

sharing_taker sharing_take_ban, sharing_take_kill, sharing_take_user;

/* The next reply, which is to be a list, to be freed; NULL with the reason. */
redisReply *sharing_reply_with_list(struct sharing *s, char *error);

/* What the engine's clock says, by which bans are told. */
int sharing_read_clock(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Milliseconds since 1970 by that clock, as long as it was read once; and seconds. */
int64_t sharing_engine_ms(const struct sharing *s);
int64_t sharing_engine_now(const struct sharing *s);

/* Each field of the hash, in answers of a bounded size. `node` is whose fields they are. What is
 * asked with SHARING_ASK() of a field is settled behind each answer. */
int sharing_scan(struct sharing *s, const char *key, const char *node, sharing_taker *take,
	char *error) __attribute__((warn_unused_result));

/* Each part that there is, its own one, too. */
typedef int sharing_part_taker(struct sharing *s, const char *part, char *error);
int sharing_each_part(struct sharing *s, sharing_part_taker *take, char *error)
	__attribute__((warn_unused_result));

/* "BEGUN USED EXTRA RESETS"; false when it is something else. */
bool sharing_parse_use(const char *value, struct quota_use *use, uint64_t *resets);

/* All that there is, which takes the place of what is known. */
int sharing_read_all(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* What the engine still has of what this node has told of accounts. */
int sharing_read_own(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Which nodes there are. */
int sharing_read_nodes(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* What is new since the last time. */
int sharing_read_events(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Has joined: sharing_sweep_engine() is due when it is known who is silent. */
void sharing_plan_sweep(struct sharing *s);

/* Takes away what nodes have left in the engine that do not come back. */
int sharing_sweep_engine(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* ---- users, where nodes share them; likewise ---- */

/* The engine may have others than before. */
void sharing_begin_users(struct sharing *s);

/* Tells who has changed, and gets on with joining. `*has_more`: there is more to do at once. */
int sharing_turn_users(struct sharing *s, bool *has_more, char *error)
	__attribute__((warn_unused_result));

/* Looks at some of those that the engine has again, once it has joined. */
int sharing_look_at_users(struct sharing *s, char *error) __attribute__((warn_unused_result));

/* Frees what is under way. */
void sharing_end_users(struct sharing *s);

/* ---- the copy on disk ---- */

/* What is known by now of other nodes is what stays of the copy on disk. */
void sharing_sweep_copy(struct sharing *s);

/* ---- users that nodes share, while the engine is away ---- */

/* From before the first session, and behind the last. */
void sharing_begin_grace(struct sharing *s);
void sharing_end_grace(struct sharing *s);

/* The engine has answered, or has not: then returns for how many more milliseconds these users may
 * log in; -1: there are none. */
void sharing_note_heard(struct sharing *s);
int64_t sharing_note_missed(struct sharing *s);

#endif
