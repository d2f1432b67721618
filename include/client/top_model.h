/* top_model: what the live view shows: totals, throughput and its past, and lists of sessions,
 * users, accounts, sites, failures and upstreams in the order and choice asked for. Pure: replies
 * in, rows out. No lock: one thread's. */
#ifndef CLIENT_TOP_MODEL_H
#define CLIENT_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/answer.h"

#define TOP_FILTER_MAX 64 /* with its NUL */
#define TOP_HISTORY_S 1800 /* seconds that the past reaches back */
#define TOP_BUCKET_S 3 /* seconds that share a column of the plot */

enum top_view {
	TOP_SESSION_VIEW,
	TOP_USER_VIEW, /* who have sessions: sums over these */
	TOP_ACCOUNT_VIEW, /* all users there are */
	TOP_SITE_VIEW,
	TOP_FAILURE_VIEW,
	TOP_UPSTREAM_VIEW,
	TOP_VIEWS,
};

/* What the server is asked for: the first two views show the same. */
enum top_list {
	TOP_SESSION_LIST,
	TOP_ACCOUNT_LIST,
	TOP_SITE_LIST,
	TOP_FAILURE_LIST,
	TOP_UPSTREAM_LIST,
	TOP_LISTS,
};

enum top_column {
	TOP_ID, /* of what is no session its place in the server's list */
	TOP_TIME,
	TOP_SITE,
	TOP_USER,
	TOP_ROLE,
	TOP_SESSIONS,
	TOP_CLIENT,
	TOP_COMMAND,
	TOP_TARGET,
	TOP_ADDRESS,
	TOP_STATE,
	TOP_AGE,
	TOP_IDLE,
	TOP_SENT,
	TOP_RECEIVED,
	TOP_UP,
	TOP_DOWN,
	TOP_TOTAL, /* sessions so far */
	TOP_REFUSED,
	TOP_LASTED,
	TOP_LAST,
	TOP_LIMITS,
	TOP_REASON,
	TOP_RULE,
	TOP_ERROR, /* errno */
	TOP_NAME, /* the client's */
	TOP_ADVICE,
	TOP_UPSTREAM,
	TOP_URL,
	TOP_REST,
	TOP_FAILURES,
	TOP_FAULT,
	TOP_COLUMNS,
};

enum top_kind { TOP_TEXT, TOP_NUMBER, TOP_SECONDS, TOP_BYTES };

struct top_column_info {
	const char *key; /* in a line */
	const char *title;
	enum top_kind kind;
	unsigned views; /* that have it: a bit each */
};

extern const struct top_column_info top_model_columns[TOP_COLUMNS];

/* A session, all of a user's, or what else is listed. */
struct top_row {
	const char *text[TOP_COLUMNS]; /* as the server sent it, \xNN included; "-": unknown */
	int64_t number[TOP_COLUMNS]; /* -1: unknown */
};

/* Numbers of STATS; -1: the server did not tell. */
struct top_totals {
	int64_t sessions, current, most, failed, users, uptime, workers_busy, workers_total;
	int64_t sent, received;
	double up, down; /* bytes a second since the STATS before */
};

enum top_direction { TOP_UPWARD, TOP_DOWNWARD };

struct top_model;

/* NULL without memory. */
struct top_model *top_model_new(void);
void top_model_free(struct top_model *m);

/* Takes the reply to STATS, which came at `now_ms` (clock.h). */
void top_model_take_stats(struct top_model *m, const struct answer *reply, int64_t now_ms);

/* Takes the reply to TRAFFIC, whose lines are of `step` seconds each, as the past before the first
 * STATS. The coarser ones first: what a later reply knows of the same seconds counts. */
void top_model_take_traffic(struct top_model *m, const struct answer *reply, int step);

/* Takes the reply to CONNECTIONS, ACCOUNTS, SITES, WHY or UPSTREAMS. -1 without memory, and nothing
 * changed.
 */
int top_model_take_list(struct top_model *m, enum top_list list, const struct answer *reply)
	__attribute__((warn_unused_result));

/* Nothing is known of a list: the server would not tell. */
void top_model_drop_list(struct top_model *m, enum top_list list);

const struct top_totals *top_model_totals(const struct top_model *m);

/* Bytes a second in the bucket of TOP_BUCKET_S seconds that is `age` behind the current one; -1
 * when there is none. */
double top_model_past(const struct top_model *m, enum top_direction direction, int age);

/* The view, each with an order of its own, and the list that it shows. */
enum top_view top_model_view(const struct top_model *m);
enum top_list top_model_list(const struct top_model *m);

/* Is the column in that view? */
bool top_model_has(enum top_view view, enum top_column column);

void top_model_show(struct top_model *m, enum top_view view);

/* Steps to the next (1) or previous (-1) column to sort by; a new one begins with the largest
 * number or the first text. */
void top_model_sort_beside(struct top_model *m, int step);
void top_model_reverse(struct top_model *m);
enum top_column top_model_order(const struct top_model *m, bool *descending);

/* Only rows in whose texts this occurs, whatever the case of its letters; "": all. */
void top_model_filter(struct top_model *m, const char *text);
const char *top_model_filtered_by(const struct top_model *m);

size_t top_model_count(const struct top_model *m);
const struct top_row *top_model_row(const struct top_model *m, size_t i);

/* The selected row, which stays with its session, user and so on as long as that is there; 0
 * without rows. */
size_t top_model_selected(const struct top_model *m);
void top_model_move(struct top_model *m, long rows);

#endif
